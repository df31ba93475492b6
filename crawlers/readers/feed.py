"""Feeds: RSS 2.0 and 1.0, Atom, JSON Feed, and what WeChat bridges make of them.

A feed is recognised by its content; any URL can be one. Bridges and their ways:

    wewe-rss      /feeds/MP_WXS_<n>.{atom,rss,json}, /feeds/all.{…}: RSS, Atom, JSON Feed 1. Links are short, the
                  id of an entry is the last part of its link; Atom and JSON call the time of publication
                  "updated" and have no other. With mode=fulltext entries carry their text; where fetching it
                  failed, the text is `获取全文失败，请重试~`.
    we-mp-rss     its export is an array with mp_id "MP_WXS_<account's number>", id "<mid>_<idx>" and
                  publish_time in seconds: the identity can be told although links are short. The content of
                  an article that its author deleted is `DELETED`.
    wechat-feeds  (until 2021) RSS 2.0; content:encoded repeats the title, so there is no text. Titles hold
                  blanks and zero-width characters of their own ("会 议 通 知").
    RSSHub        RSS 2.0, and others with ?format=. Puts the text into `description`, where others have a
                  summary: what it is can't be told, so it isn't taken for the text.

An entry leads to its article page; `read_notices` gives the articles that the feed itself holds in full.
"""

from __future__ import annotations

import logging
import re
from typing import Literal

from crawlers.errors import LayoutChanged
from crawlers.notice import ListEntry, ListPage, Notice
from crawlers.page import Page
from crawlers.readers.body import Body, read_body, tidy
from crawlers.readers.feed_formats import EXPECTED, Feed, Item, is_feed, read_feed
from crawlers.readers.markup import folded
from crawlers.readers.refusals import refuse_blocked

NAME = "feed"

_HTML_IN_TITLE = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:#[0-9]+|#x[0-9a-fA-F]+|[A-Za-z]+);")
# What a bridge puts in the place of a text that it could not get.
_FAILURES = (
    "获取全文失败",
    "DELETED",
    "该内容已被发布者删除",
    "The content has been deleted by the author.",
    "此内容因违规无法查看",
    "该内容暂时无法查看",
    "链接已过期",
    "环境异常",
    "操作频繁",
    "访问过于频繁",
)
_FAILURE_LENGTH = 120  # characters; a longer text that names a failure is about it
_CUT_OFF = re.compile(r"(?:\[…\]|\[\.\.\.\]|阅读全文|Continue reading|Read more)\W*$", re.I)

logger = logging.getLogger(__name__)


def recognises(page: Page) -> bool:
    """By content: the root of an XML feed, or the marks of a JSON one."""
    return page.status == 200 and is_feed(page)


def kind_of(page: Page) -> Literal["list"]:
    """Raises Blocked, Gone or LayoutChanged for a page that is no feed."""
    _refuse_other(page)
    return "list"


def read_list(page: Page) -> ListPage:
    """All entries from the top; a feed without entries is an empty list.

    An entry without a title or a link is skipped with a warning. Raises LayoutChanged for a page that is no
    feed, is broken, or has only such entries; Blocked and Gone for an answer that isn't the feed.
    """
    feed = _feed_of(page)
    entries = tuple(_entry(item, position) for position, item in _usable(feed, page))
    return ListPage(entries, feed.next_url)


def read_notices(page: Page) -> tuple[Notice, ...]:
    """The articles whose full text is in the feed, in its order. Raises what `read_list` raises."""
    notices = []
    for position, item in _usable(_feed_of(page), page):
        body = _full_text(item)
        if body is not None:
            notices.append(_notice(item, body, _entry(item, position), page))
    return tuple(notices)


def read_article(page: Page, entry: ListEntry | None = None) -> Notice:
    """The article of `entry` out of the feed that holds it in full: for reading an archived feed again.

    Raises LayoutChanged without an entry, and where the feed hasn't got the entry or its text.
    """
    if entry is None:
        raise LayoutChanged(url=page.url, expected="an article", found="a feed, and no entry of it to read")
    for notice in read_notices(page):
        if notice.url == entry.url:
            return notice
    raise LayoutChanged(
        url=page.url, expected=f"the full text of {entry.url}", found="a feed that hasn't got it"
    )


def _refuse_other(page: Page) -> None:
    # A challenge comes in place of a feed; inside one, its words are those of an article.
    if page.status != 200 or not is_feed(page):
        refuse_blocked(page)
        raise LayoutChanged(
            url=page.url, expected=EXPECTED, found=f"{len(page.body)} bytes of something else"
        )


def _feed_of(page: Page) -> Feed:
    _refuse_other(page)
    return read_feed(page)


def _usable(feed: Feed, page: Page) -> list[tuple[int, Item]]:
    usable = []
    for position, item in enumerate(feed.items):
        if item.url and _title(item):
            usable.append((position, item))
        else:
            logger.warning("Skipped entry %d of the feed %r: it has no link or no title.", position, page.url)
    if feed.items and not usable:
        raise LayoutChanged(
            url=page.url,
            expected="entries with a title and a link",
            found=f"{len(feed.items)} entries that lack them",
        )
    return usable


def _title(item: Item) -> str:
    title = folded(tidy(item.title))
    if _HTML_IN_TITLE.search(title):
        title = folded(read_body(title, "").text)
    return title


def _entry(item: Item, position: int) -> ListEntry:
    return ListEntry(item.url, _title(item), item.dates[0] if item.dates else None, position, item.identity)


def _full_text(item: Item) -> Body | None:
    """The text of the article; None for no text, a repeated title, a teaser and a failure."""
    body = read_body(item.markup, item.url) if item.markup.strip() else Body(tidy(item.text), (), (), ())
    text = body.text
    if not text or folded(text) == _title(item) or _CUT_OFF.search(text):
        return None
    if len(text) <= _FAILURE_LENGTH and any(failure in text for failure in _FAILURES):
        return None
    return body


def _notice(item: Item, body: Body, entry: ListEntry, page: Page) -> Notice:
    account = item.identity.removeprefix("wechat:").split("/")[0] if item.identity else None
    return Notice(
        reader=NAME,
        url=item.url,
        title=entry.title,
        publisher=item.publisher or None,
        author=item.author or None,
        dates=item.dates,
        body=body.text,
        links=body.links,
        attachments=body.attachments,
        identity=item.identity,
        entry=entry,
        fetched_at=page.fetched_at,
        sha256=page.sha256,
        images=body.images,
        account_id=account,
    )
