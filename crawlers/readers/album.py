"""Albums (合集) of WeChat accounts: lists of articles at `mp.weixin.qq.com/mp/appmsgalbum`.

Two forms of one URL, both seen from 2024 to 2026: JSON (`f=json`), which also serves the further pages
(`begin_msgid`, `begin_itemidx` of the last item), and the HTML page of the first screen.

JSON quirks: `article_list` is one object instead of a list when one item is left, and is missing past the
end; numbers are strings; `create_time` is in seconds since 1970; article URLs are `http:`. The album's time
is the planned one and can be a few seconds off the article's own.
"""

from __future__ import annotations

import codecs
import logging
import re
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers.refusals import refuse_status
from crawlers.readers.wechat_markup import in_utf8
from crawlers.readers.wechat_refusals import read_json, refuse, refuse_answer
from crawlers.readers.wechat_script import Value, plain, read_object
from crawlers.readers.wholeness import refuse_two_pages
from pipeline.normalize.identity import wechat_identity

NAME = "album"
HOST = "mp.weixin.qq.com"
PATH = "/mp/appmsgalbum"

_OBJECT = b"window.cgiData = {"
_EXPECTED = "an album (getalbum_resp.article_list or window.cgiData.articleList)"

logger = logging.getLogger(__name__)


def recognises(page: Page) -> bool:
    """By host and path; without a URL, by the album's own names in JSON or HTML."""
    if page.url:
        parts = urlsplit(page.url)
        return parts.hostname == HOST and parts.path == PATH
    return b'"getalbum_resp"' in page.body or b"js_album_item" in page.body


def kind_of(page: Page) -> Literal["list"]:
    """Raises Blocked or LayoutChanged for a page that is no album."""
    page = _in_plain_utf8(page)
    if page.body.lstrip()[:1] == b"{":
        _answer(page)
    elif _OBJECT not in page.body:
        refuse(page, _EXPECTED)
    return "list"


def read_list(page: Page) -> ListPage:
    """Read either form. Past the end of an album the list is empty.

    `next_url` needs the page's URL and is None without it. Raises Blocked for a frequency limit, a login or
    a challenge, LayoutChanged for anything else that is no album, or where no item of it can be read.
    """
    page = _in_plain_utf8(page)
    refuse_two_pages(page)
    if page.body.lstrip()[:1] == b"{":
        album = _answer(page)
        items = album.get("article_list")
        info = album.get("base_info")
        if items is None:
            if not (isinstance(info, dict) and str(info.get("is_first_screen")) == "0"):
                raise LayoutChanged(url=page.url, expected="article_list", found=f"only {sorted(album)}")
            items = []
        count = info.get("article_count") if isinstance(info, dict) else None
        return _list(page, items, album.get("continue_flag"), count)
    at = page.body.find(_OBJECT)
    if at < 0:
        refuse(page, _EXPECTED)
    script = page.body[at + len(_OBJECT) - 1 : page.body.find(b"</script", at)].decode("utf-8", "replace")
    try:
        values = read_object(script, 0)
    except ValueError as error:
        raise LayoutChanged(url=page.url, expected=_EXPECTED, found=str(error)) from error
    return _list(page, values.get("articleList"), values.get("continue_flag"), values.get("article_count"))


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """Raises LayoutChanged always: an album has no articles of its own."""
    raise LayoutChanged(url=page.url, expected="an article", found="a page system of lists only")


def _in_plain_utf8(page: Page) -> Page:
    """The page in UTF-8, without a byte order mark. Raises what its status says."""
    refuse_status(page)
    page = in_utf8(page)
    return replace(page, body=page.body.removeprefix(codecs.BOM_UTF8))


def _answer(page: Page) -> dict[str, Any]:
    answer = read_json(page, _EXPECTED)
    album = answer.get("getalbum_resp")
    base = answer.get("base_resp")
    if not isinstance(base, dict) or base.get("ret") != 0 or not isinstance(album, dict):
        refuse_answer(page, answer, _EXPECTED)
    return album


def _list(page: Page, items: Any, more: Any, count: Any) -> ListPage:
    if isinstance(items, dict):
        items = [items]
    if not isinstance(items, list):
        raise LayoutChanged(url=page.url, expected=_EXPECTED, found=f"{type(items).__name__} as the list")
    entries = []
    for position, item in enumerate(items):
        entry = _entry(item, position)
        if entry is None:
            logger.warning(
                "Item %d of the album at %r has no title or no article's URL; skipped.", position, page.url
            )
        else:
            entries.append(entry)
    if items and not entries:
        raise LayoutChanged(
            url=page.url, expected="items with title and url", found=f"{len(items)} items that lack them"
        )
    if more not in (None, 0, 1, "0", "1"):
        raise LayoutChanged(url=page.url, expected="continue_flag 0 or 1", found=repr(more))
    total = int(count) if isinstance(count, str | int) and str(count).isdecimal() else None
    return ListPage(
        tuple(entries), _next_url(page.url, items[-1]) if str(more) == "1" and items else None, total
    )


def _entry(item: Value, position: int) -> ListEntry | None:
    if not isinstance(item, dict):
        return None
    title, url, created, mid, idx = (
        plain(value) if isinstance(value := item.get(key), str) else ""
        for key in ("title", "url", "create_time", "msgid", "itemidx")
    )
    url = re.sub(r"^http:", "https:", url.strip())
    parts = urlsplit(url)
    if not title.strip() or parts.hostname != HOST or parts.scheme != "https":
        return None
    biz = parse_qs(parts.query).get("__biz", [""])[0]
    return ListEntry(
        url=url,
        title=" ".join(title.split()),
        date=PrintedDate(created, "list entry", form="unix") if created.isdecimal() else None,
        position=position,
        identity=wechat_identity(biz, mid, idx),
    )


def _next_url(url: str, last: Any) -> str | None:
    """The JSON URL behind the last item: it serves the pages after an HTML first screen, too."""
    if not url:
        return None
    if not (isinstance(last, dict) and last.get("msgid") and last.get("itemidx")):
        raise LayoutChanged(url=url, expected="msgid and itemidx of the last item", found=repr(last))
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query.setdefault("action", "getalbum")
    query.setdefault("count", "20")
    query |= {"begin_msgid": str(last["msgid"]), "begin_itemidx": str(last["itemidx"]), "f": "json"}
    return urlunsplit(parts._replace(query=urlencode(query, safe="="), fragment=""))
