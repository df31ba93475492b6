"""Articles of WeChat official accounts, and their "关于公众号" pages (mp.weixin.qq.com).

One article has two URL forms, `/s/<22 characters>` and `/s?__biz=…&mid=…&idx=…&sn=…`; its identity is
(`__biz`, `mid`, `idx`) as the page itself states them. Shapes of a page are numbered (`item_show_type`):
0 article, 5 video, 6 music, 7 audio, 8 images with a text, 10 text, 17 short content; 16 was seen without
an explanation.

History, from pages of 2018 to 2026:
- 2018: 100 to 180 KB; no `og:` metas, title in `#activity-name`, day in `#post-date`, values in `var`s.
- 2020: `og:` metas; a page saved by a browser prints the time as a relative word ("昨天") in `#publish_time`,
  which is empty in a page as served.
- 2025: 1.1 to 2 MB; the title element is empty; `var createTime` holds the minute, Beijing time.
- since autumn 2025: 2.3 to 3.8 MB; `window.cgiDataNew` states everything but, in some pages, the ids. The
  page's own advertising code in front of it has look-alikes (`nick_name: '微信广告'`, `item_show_type: '5'`).
- types 8 and 10: no body in the markup. Type 10 has a `#js_content`, but it is an empty frame; its text is
  `text_page_info.content_noencode`, while the field of the same name one level up may be empty.

Pages are big, so blocks are found as bytes and only they are decoded and parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from lxml import html

from crawlers.errors import LayoutChanged
from crawlers.notice import Account, DateForm, DateMeaning, ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers.body import Body, absolute, read_body, tidy
from crawlers.readers.refusals import refuse_status
from crawlers.readers.wechat_markup import (
    content_of,
    div_at,
    in_utf8,
    meta_content,
    refuse_text_behind,
    text_at,
)
from crawlers.readers.wechat_refusals import refuse
from crawlers.readers.wechat_script import Value, read_object, read_variable, script_near, text_of
from crawlers.readers.wholeness import refuse_message, refuse_two_pages
from pipeline.normalize.identity import wechat_identity

NAME = "wechat"
HOST = "mp.weixin.qq.com"

_OBJECT = b"window.cgiDataNew = {"
_MARKS = (b'id="js_content"', _OBJECT, b"res.wx.qq.com/", b'class="mesg-block"', b'"base_resp"')
_ABOUT = b'class="about-page"'
_WITHOUT_TEXT = {"5": "video", "6": "music", "7": "audio", "16": "type 16", "17": "short content"}
_ARTICLE = "an article (#js_content or window.cgiDataNew)"

_EMBEDDED = re.compile(
    r"<(?:(mpvideo|mp-common-videosnap|iframe)|mpvoice|mp-common-mpaudio|(?:mp-common-)?qqmusic)\b"
)
_BEHIND = re.compile(
    r"""<\w+\s[^>]*(?:id|class)=["'](?:js_preview_reward|js_reward|reward_|rich_media_tool)"""
)
_SENTENCE_END = re.compile(r"[。！？!?；;](?![”’」』）)])|[。！？!?][”’」』）)]")
_TITLE_LENGTH = 64


def recognises(page: Page) -> bool:
    """Everything on mp.weixin.qq.com (challenges redirect within it); without a URL, by the page's marks."""
    if page.url:
        return urlsplit(page.url).hostname == HOST
    return any(mark in page.body for mark in _MARKS)


def kind_of(page: Page) -> Literal["article", "account"]:
    """Raises Gone, Blocked or LayoutChanged for a page that is neither."""
    refuse_status(page)
    page = in_utf8(page)
    if content_of(page) is not None or _OBJECT in page.body:
        return "article"
    if _ABOUT not in page.body:
        refuse(page, _ARTICLE)
    return "account"


def read_list(page: Page) -> ListPage:
    """Raises LayoutChanged always: lists of articles are albums, which have a reader of their own."""
    raise LayoutChanged(url=page.url, expected="a list", found="a page system that has no lists but albums")


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """Read an article of any type.

    Raises Gone for tombstones, Blocked for challenges, LayoutChanged where a title, an account, a date or
    the body is missing.
    """
    refuse_status(page)
    sha256, page = page.sha256, in_utf8(page)
    refuse_two_pages(page)
    content = content_of(page)
    stated = _stated(page, content)
    body, note = _body(page, content, stated)
    title = _headline(stated.title or body.text) if stated.item_type in ("8", "10") else _line(stated.title)
    if not title:
        raise LayoutChanged(url=page.url, expected="a title (og:title, #activity-name)", found="none")
    if not stated.publisher:
        raise LayoutChanged(url=page.url, expected="the account's nickname", found="none")
    if not any(date.meaning == "published" for date in stated.dates):
        raise LayoutChanged(url=page.url, expected="a date (ct, createTime, #post-date)", found="none")
    further = absolute(stated.source_url, page.url)
    return Notice(
        reader=NAME,
        url=page.url or stated.link,
        title=title,
        publisher=stated.publisher,
        author=stated.author or None,
        dates=stated.dates,
        body=body.text,
        links=tuple(dict.fromkeys((*body.links, *([further] if further else [])))),
        attachments=body.attachments,
        identity=wechat_identity(*stated.ids),
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=sha256,
        body_note=note,
        images=body.images,
        account_id=stated.ids[0] or None,
        item_type=stated.item_type,
    )


def read_account(page: Page) -> Account:
    """Read a "关于公众号" page (`/mp/aboutbiz`).

    The page doesn't print the account's name as such: it is the newest name of the 名称记录, or, for an
    account without that record, its 微信号. Raises LayoutChanged where neither is there or the account id is
    not to be had from the page or its URL; Gone and Blocked as for articles.
    """
    refuse_status(page)
    at = page.body.find(_ABOUT)
    if at < 0:
        refuse(page, "an account's page (.about-page)")
    block = div_at(page, page.body.rfind(b"<", 0, at))
    root = html.fragment_fromstring(page.body[block].decode("utf-8", "replace"))
    fields: dict[str, str] = {}
    for info in root.find_class("item-info"):
        label, value = info.find_class("item-title"), info.find_class("item-desc")
        if label and value:
            fields[" ".join(label[0].text_content().split())] = " ".join(value[0].text_content().split())
    renamed = re.search(r"(?:改名|注册)“([^”]+)”", fields.get("名称记录", ""))
    name = renamed[1] if renamed else fields.get("微信号", "")
    link = next((node.get("href") for node in root.iter("a") if "__biz=" in (node.get("href") or "")), "")
    account_id = _ids_in(page.url)[0] or _ids_in(link)[0]
    if not name or not account_id:
        raise LayoutChanged(
            url=page.url,
            expected="名称记录 or 微信号, and __biz",
            found=f"name {name!r}, __biz {account_id!r}, fields {list(fields)}",
        )
    return Account(NAME, page.url, name, account_id, fields.get("公众号简介") or None)


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the page states outside its body; "" where it states nothing. `ids` are biz, mid and idx."""

    title: str
    publisher: str
    author: str
    ids: tuple[str, str, str]
    link: str
    source_url: str
    item_type: str | None
    dates: tuple[PrintedDate, ...]
    text: str = ""
    images: tuple[str, ...] = field(default=())


def _body(page: Page, content: slice | None, stated: _Stated) -> tuple[Body, str | None]:
    """The body, and why it is empty where it is."""
    if stated.item_type in (None, "0"):
        if content is None:
            raise LayoutChanged(url=page.url, expected="#js_content", found="an article of type 0 without it")
        refuse_text_behind(page, content.stop)
        fragment = page.body[content].decode("utf-8", "replace")
        if _BEHIND.search(fragment):
            raise LayoutChanged(
                url=page.url, expected="the end of #js_content", found="the reward area inside it"
            )
        body = read_body(fragment, page.url or f"https://{HOST}/")
        refuse_message(page, body)
        return body, None if body.text else _why_empty(page, fragment, body)
    if stated.item_type in ("8", "10"):
        body = Body(tidy(stated.text), (), (), stated.images)
        if body.text:
            return body, None
        if body.images:
            return body, "body not readable: text in images"
        raise LayoutChanged(url=page.url, expected="content_noencode or pictures", found="neither")
    if stated.item_type in _WITHOUT_TEXT:
        return Body("", (), (), ()), _WITHOUT_TEXT[stated.item_type]
    raise LayoutChanged(
        url=page.url, expected="an item_show_type that is known", found=repr(stated.item_type)
    )


def _stated(page: Page, content: slice | None) -> _Stated:
    values = _object_of(page, content)
    if values:
        return _from_object(page.body, content, values)
    if content is None:
        refuse(page, _ARTICLE)
    return _from_variables(page.body, content)


def _object_of(page: Page, content: slice | None) -> dict[str, Value] | None:
    """The fields of window.cgiDataNew; a description or a body that quotes such code is passed over."""
    found: dict[str, Value] | None = None
    at, problem = page.body.find(_OBJECT), ""
    while at >= 0:
        if content is None or not content.start < at < content.stop:
            script = page.body[at + len(_OBJECT) - 1 : page.body.find(b"</script", at)]
            try:
                values = read_object(script.decode("utf-8", "replace"), 0)
            except ValueError as error:
                problem = str(error)
            else:
                if "nick_name" not in values:
                    problem = "an object without nick_name"
                elif found is not None and found != values:
                    raise LayoutChanged(
                        url=page.url, expected="one window.cgiDataNew", found="two that differ"
                    )
                else:
                    found = values
        at = page.body.find(_OBJECT, at + 1)
    if found is None and problem:
        raise LayoutChanged(url=page.url, expected="the fields of window.cgiDataNew", found=problem)
    return found


def _from_object(body: bytes, content: slice | None, values: dict[str, Value]) -> _Stated:
    link = text_of(values, "link")
    ids = _merged((text_of(values, "bizuin"), text_of(values, "mid"), text_of(values, "idx")), _ids_in(link))
    if not all(ids):
        ids = _merged(ids, _ids_in_script(body, content))
    pictures = values.get("picture_page_info_list")
    images = (
        absolute(text_of(picture, "cdn_url"), "") for picture in pictures or () if isinstance(picture, dict)
    )
    return _Stated(
        title=text_of(values, "title") or _title_in_markup(body, content),
        publisher=_line(text_of(values, "nick_name")),
        author=_line(text_of(values, "author")),
        ids=ids,
        link=link,
        source_url=text_of(values, "source_url"),
        item_type=text_of(values, "real_item_show_type") or text_of(values, "item_show_type") or None,
        dates=tuple(
            _dates(
                ("script create_timestamp", text_of(values, "create_timestamp"), "unix", "published"),
                ("script create_time", text_of(values, "create_time"), "printed", "published"),
                ("script ori_create_time", text_of(values, "ori_create_time"), "unix", "published"),
                ("script modify_time", text_of(values, "modify_time"), "unix", "modified"),
            )
        ),
        text=_own_text(values) if content is None else "",
        images=tuple(dict.fromkeys(filter(None, images))),
    )


def _own_text(values: dict[str, Value]) -> str:
    inner = values.get("text_page_info")
    text = text_of(inner, "content_noencode") if isinstance(inner, dict) else ""
    return text or text_of(values, "content_noencode")


def _from_variables(body: bytes, content: slice) -> _Stated:
    script = script_near(body, b'var ct = "', content.stop)
    minute = script_near(body, b"var createTime = '", content.stop)
    link = read_variable(script, "msg_link") or meta_content(body, b'property="og:url"', 0, content.start)
    ids = _merged(_ids_in(link), _ids_in_script(body, content))
    above = max(0, content.start - 20_000)
    return _Stated(
        title=_title_in_markup(body, content),
        publisher=_line(read_variable(script, "nickname") or ""),
        author=_line(meta_content(body, b'name="author"', 0, content.start)),
        ids=ids,
        link=link,
        source_url=read_variable(script, "msg_source_url") or "",
        item_type=read_variable(script, "real_item_show_type") or read_variable(script, "item_show_type"),
        dates=tuple(
            _dates(
                ("script ct", read_variable(script, "ct") or "", "unix", "published"),
                ("script createTime", read_variable(minute, "createTime") or "", "printed", "published"),
                (
                    "#post-date",
                    text_at(body, b'id="post-date"', above, content.start),
                    "printed",
                    "published",
                ),
                (
                    "#publish_time",
                    text_at(body, b'id="publish_time"', above, content.start),
                    "printed",
                    "published",
                ),
                ("script oriCreateTime", read_variable(minute, "oriCreateTime") or "", "unix", "published"),
                ("script modify_time", read_variable(script, "modify_time") or "", "unix", "modified"),
            )
        ),
    )


def _title_in_markup(body: bytes, content: slice | None) -> str:
    end = content.start if content else len(body)
    return meta_content(body, b'property="og:title"', 0, end) or text_at(
        body, b'id="activity-name"', max(0, end - 20_000), end
    )


def _dates(*printed: tuple[str, str, DateForm, DateMeaning]) -> Iterator[PrintedDate]:
    """The dates that are there. The time an article was first written counts only where nothing else does."""
    published = False
    for place, raw, form, meaning in printed:
        original = "ori" in place
        if raw.strip() in ("", "0") or (original and published):
            continue
        published = published or meaning == "published"
        yield PrintedDate(raw.strip(), place, meaning, form)


def _ids_in(link: str) -> tuple[str, str, str]:
    query = parse_qs(urlsplit(link).query)
    return _checked(*(query.get(key, [""])[0].replace(" ", "+") for key in ("__biz", "mid", "idx")))


def _ids_in_script(body: bytes, content: slice | None) -> tuple[str, str, str]:
    script = script_near(body, b'var biz = "', 0, content.start if content else None)
    script = script or script_near(body, b"window.biz = '")
    return _checked(*(read_variable(script, key) or "" for key in ("biz", "mid", "idx")))


def _checked(biz: str, mid: str, idx: str) -> tuple[str, str, str]:
    return (
        biz if re.fullmatch(r"[\w+/-]+={0,2}", biz, re.A) else "",
        mid if re.fullmatch(r"[1-9]\d*", mid, re.A) else "",
        idx if re.fullmatch(r"[1-9]\d*", idx, re.A) else "",
    )


def _merged(first: tuple[str, str, str], second: tuple[str, str, str]) -> tuple[str, str, str]:
    biz, mid, idx = (one or other for one, other in zip(_checked(*first), second, strict=True))
    return biz, mid, idx


def _line(text: str) -> str:
    return " ".join(text.split())


def _headline(text: str) -> str:
    """A title for a page that has none but its text: the first line, or a long one's first sentence."""
    line = next(filter(None, (tidy(line) for line in text.split("\n"))), "")
    if len(line) <= _TITLE_LENGTH:
        return line
    end = _SENTENCE_END.search(line, 0, _TITLE_LENGTH)
    return line[: end.end()] if end else line[: _TITLE_LENGTH - 1] + "…"


def _why_empty(page: Page, fragment: str, body: Body) -> str:
    if body.images:
        return "body not readable: text in images"
    embedded = _EMBEDDED.search(fragment)
    if embedded is None:
        raise LayoutChanged(url=page.url, expected="a text in #js_content", found="an empty element")
    return "video" if embedded[1] else "audio"
