"""The backend of WeChat official accounts: what a logged-in account is shown of others' articles.

    articles  https://mp.weixin.qq.com/cgi-bin/appmsgpublish?sub=list&sub_action=list_ex&fakeid=<biz>&begin=0&count=5
              &type=101_1&free_publish_type=1&f=json&ajax=1&token=<session>
    older     https://mp.weixin.qq.com/cgi-bin/appmsg?action=list_ex&fakeid=<biz>&begin=0&count=5&f=json&token=…
    accounts  https://mp.weixin.qq.com/cgi-bin/searchbiz?action=search_biz&query=<name>&f=json&token=…

They need the cookie and the token of a session, and stop for about a day after some ten requests (code
200013). The token is part of the URL: refusals show the URL without it.

History, as described by several public tools from 2019 to 2026, items read from real ones of 2025-07:
- appmsg: `app_msg_list[]` with aid, appmsgid, itemidx, link, title, update_time; `app_msg_cnt`.
- appmsgpublish: `publish_page` is JSON inside a string, `publish_list[].publish_info` inside it is JSON inside
  a string again, or "" for something that was withdrawn; its `appmsgex[]` are the articles of one sending,
  `sent_info.time` the second it was sent. `begin` and `total_count` count sendings, not articles.
- Links are short or long. appmsgid and itemidx are the `mid` and `idx` of long links, fakeid is the `__biz`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.errors import Blocked, LayoutChanged
from crawlers.notice import Account, ListEntry, ListPage, Notice, PrintedDate
from crawlers.page import Page
from crawlers.readers.refusals import refuse_status
from crawlers.readers.wechat_links import HOST, clean_link, leads_to_wechat
from crawlers.readers.wechat_refusals import read_json, refuse, refuse_answer
from crawlers.readers.wechat_script import plain
from pipeline.normalize.identity import site_identity, wechat_identity

NAME = "wechat_backend"
PATHS = ("/cgi-bin/appmsgpublish", "/cgi-bin/appmsg", "/cgi-bin/searchbiz")

_EXPECTED = "an answer of the accounts' backend (publish_page, app_msg_list or list)"
_MARKS = (b'"publish_page"', b'"app_msg_list"', b'"fakeid"')
_LOGIN_PAGE = ("请重新登录", "登录超时", "使用微信扫描二维码登录")
_INVALID_ARGUMENTS = 200002
_INVALID_TOKEN = "invalid csrf token"  # noqa: S105 - what an answer says, no secret

logger = logging.getLogger(__name__)


def recognises(page: Page) -> bool:
    """By host and path; without a URL, by the answers' own names."""
    if page.url:
        parts = urlsplit(page.url)
        return parts.hostname == HOST and parts.path in PATHS
    return page.body.lstrip()[:1] == b"{" and any(mark in page.body for mark in _MARKS)


def kind_of(page: Page) -> Literal["list", "account"]:
    """`account` for a search for accounts, else `list`. Raises Blocked or LayoutChanged for refusals."""
    return "account" if "list" in _answer(_without_token(page)) else "list"


def read_list(page: Page) -> ListPage:
    """The articles of one account, newest first as shown; deleted ones are left out.

    `next_url` needs the page's URL, carries its token, and is None without it. Raises Blocked for a frequency
    limit and for an expired session, LayoutChanged for anything else that is no list of articles.
    """
    shown = _without_token(page)
    answer = _answer(shown)
    published = "publish_page" in answer
    if published:
        inner = _inner(answer["publish_page"], shown, "publish_page")
        sendings, total = inner.get("publish_list"), inner.get("total_count")
    elif "app_msg_list" in answer:
        sendings, total = answer["app_msg_list"], answer.get("app_msg_cnt")
    else:
        raise LayoutChanged(url=shown.url, expected="a list of articles", found="a list of accounts")
    if not isinstance(sendings, list):
        raise LayoutChanged(url=shown.url, expected=_EXPECTED, found=f"{type(sendings).__name__} as the list")
    items = _items_sent(sendings, shown) if published else [(item, None) for item in sendings]
    biz = parse_qs(urlsplit(page.url).query).get("fakeid", [""])[0].replace(" ", "+")
    kept = [(item, sent) for item, sent in items if not (isinstance(item, dict) and item.get("is_deleted"))]
    entries = []
    for position, (item, sent) in enumerate(kept):
        entry = _entry(item, sent, biz, position)
        if entry is None:
            logger.warning(
                "Item %d of the backend's list at %r has no title or no article's link; skipped.",
                position,
                shown.url,
            )
        else:
            entries.append(entry)
    if kept and not entries:
        raise LayoutChanged(
            url=shown.url, expected="items with title and link", found=f"{len(kept)} items that lack them"
        )
    return ListPage(tuple(entries), _next_url(page.url, len(sendings), total))


def read_accounts(page: Page) -> tuple[Account, ...]:
    """The accounts that a search found. Raises Blocked and LayoutChanged like `read_list`."""
    shown = _without_token(page)
    found = _answer(shown).get("list")
    if not isinstance(found, list):
        raise LayoutChanged(
            url=shown.url, expected="a list of accounts", found=f"{type(found).__name__} in its place"
        )
    accounts = []
    for item in found:
        fields = item if isinstance(item, dict) else {}
        name, account_id = fields.get("nickname"), fields.get("fakeid")
        if not isinstance(name, str) or not isinstance(account_id, str) or not (name and account_id):
            raise LayoutChanged(
                url=shown.url, expected="fakeid and nickname of an account", found=f"only {sorted(fields)}"
            )
        description = fields.get("signature")
        accounts.append(
            Account(
                NAME,
                shown.url,
                " ".join(plain(name).split()),
                account_id,
                (" ".join(plain(description).split()) or None) if isinstance(description, str) else None,
            )
        )
    return tuple(accounts)


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """Raises LayoutChanged always: the backend lists articles, their pages are the reader wechat's."""
    raise LayoutChanged(
        url=_without_token(page).url, expected="an article", found="a page system of lists only"
    )


def _without_token(page: Page) -> Page:
    parts = urlsplit(page.url)
    kept = [(key, value) for key, value in parse_qsl(parts.query, True) if key != "token"]
    return replace(page, url=urlunsplit(parts._replace(query=urlencode(kept, safe="="))))


def _answer(page: Page) -> dict[str, Any]:
    """The answer, of one of the three kinds. Raises Blocked, Gone or LayoutChanged for everything else."""
    refuse_status(page)
    if page.text.lstrip("\ufeff \r\n\t")[:1] != "{":
        sign = next((sign for sign in _LOGIN_PAGE if sign in page.text), None)
        if sign:
            raise Blocked(url=page.url, reason="login", evidence=sign)
        refuse(page, _EXPECTED)
    answer = read_json(page, _EXPECTED)
    base = answer.get("base_resp")
    stated = base if isinstance(base, dict) else {}
    if stated.get("ret") == _INVALID_ARGUMENTS:
        raise LayoutChanged(
            url=page.url,
            expected=_EXPECTED,
            found=f"{_INVALID_ARGUMENTS} invalid args: the fakeid is wrong or its account no longer exists",
        )
    if _INVALID_TOKEN in str(stated.get("err_msg")):
        raise Blocked(url=page.url, reason="login", evidence=f"base_resp.err_msg {_INVALID_TOKEN}")
    if stated.get("ret") != 0 or not any(key in answer for key in ("publish_page", "app_msg_list", "list")):
        refuse_answer(page, answer, _EXPECTED)
    return answer


def _inner(text: Any, page: Page, name: str) -> dict[str, Any]:
    """JSON inside a string of JSON."""
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError) as error:
        raise LayoutChanged(
            url=page.url, expected=f"JSON inside {name}", found=f"broken JSON ({error})"
        ) from error
    if not isinstance(value, dict):
        raise LayoutChanged(
            url=page.url, expected=f"an object inside {name}", found=f"a {type(value).__name__}"
        )
    return value


def _items_sent(sendings: list[Any], page: Page) -> list[tuple[Any, Any]]:
    """The articles of all sendings, each with the time of its sending."""
    return [(item, sent) for sending in sendings for item, sent in _items_of_sending(sending, page)]


def _items_of_sending(sending: Any, page: Page) -> Iterator[tuple[Any, Any]]:
    text = sending.get("publish_info") if isinstance(sending, dict) else None
    if text == "":
        return
    info = _inner(text, page, "publish_info")
    items, sent = info.get("appmsgex"), info.get("sent_info")
    if not isinstance(items, list):
        raise LayoutChanged(url=page.url, expected="publish_info.appmsgex", found=f"only {sorted(info)}")
    for item in items:
        yield item, sent.get("time") if isinstance(sent, dict) else None


def _entry(item: Any, sent: Any, biz: str, position: int) -> ListEntry | None:
    """The time is that of the sending, else that of the item's creation, else its only one, update_time."""
    fields = item if isinstance(item, dict) else {}
    title, link = fields.get("title"), fields.get("link")
    if not isinstance(title, str) or not isinstance(link, str):
        return None
    title = " ".join(plain(title).split())
    link = clean_link(link)
    if not title or not leads_to_wechat(link) or urlsplit(link).scheme != "https":
        return None
    times = (sent, fields.get("create_time"), fields.get("update_time"))
    time = next((value for value in times if isinstance(value, int) and value > 0), None)
    return ListEntry(
        url=link,
        title=title,
        date=PrintedDate(str(time), "list entry", form="unix") if time else None,
        position=position,
        identity=site_identity(link, "wechat")
        or wechat_identity(biz, str(fields.get("appmsgid")), str(fields.get("itemidx"))),
    )


def _next_url(url: str, shown: int, total: Any) -> str | None:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    begin = query.get("begin", "0")
    if not url or not shown or not isinstance(total, int) or not begin.isdecimal():
        return None
    following = int(begin) + shown
    if following >= total:
        return None
    return urlunsplit(parts._replace(query=urlencode(query | {"begin": str(following)}, safe="=")))
