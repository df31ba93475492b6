"""Feeds: what was found last, as Atom, RSS and JSON Feed. All texts are plain text.

https://www.rfc-editor.org/rfc/rfc4287, https://www.rssboard.org/rss-specification, https://www.jsonfeed.org/version/1.1/
"""

from __future__ import annotations

import html
import json
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any

from lxml import etree
from sqlalchemy import ColumnElement, Engine, func, select

from pipeline.sentence import cut_beginning
from pipeline.store.tables import Delivery, Item, Version

_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_ILLEGAL_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EXCERPT = 300
# The feed of a search that finds nothing changed never; the moment of asking would be another one each time.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """An item in a feed. `published_at` is UTC and None where only the day is printed, `published_on` None where no
    date could be read. `updated_at` is when its current version was fetched."""

    uid: str
    title: str
    url: str
    publisher: str
    source: str
    excerpt: str
    published_on: date | None
    published_at: datetime | None
    updated_at: datetime

    @property
    def id(self) -> str:
        """The item's id as a URN: the same in every feed, for ever."""
        return uuid.UUID(hex=self.uid).urn

    @property
    def printed(self) -> str | None:
        """The date as precise as it is printed, and no more (W3C-DTF)."""
        moment = self.published_at or self.published_on
        return moment.isoformat() if moment else None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed. `about` is what it holds, in one form: its id is made of it. `url` is its own address."""

    title: str
    about: str
    url: str
    entries: Sequence[Entry]

    @property
    def id(self) -> str:
        """The same for the same question, wherever and in whichever format it is asked."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"iprwatch:{self.about}").urn

    @property
    def updated_at(self) -> datetime:
        """When the entry that changed last did."""
        return max((entry.updated_at for entry in self.entries), default=_NEVER)


def entries_of_search(
    engine: Engine, conditions: Sequence[ColumnElement[bool]], *, limit: int
) -> list[Entry]:
    """The items stored last that meet `query.search.find_conditions`, whatever their dates, so that a reader that
    looks in often enough misses none."""
    return _read(engine, select(Item.id).where(*conditions).order_by(Item.id.desc()).limit(limit))


def entries_of_rule(engine: Engine, rule: str, *, limit: int) -> list[Entry]:
    """The items that a rule told somebody of last, or is about to."""
    newest = func.max(Delivery.created_at)
    told = select(Delivery.item_id).where(Delivery.rule == rule, Delivery.item_id.is_not(None))
    return _read(engine, told.group_by(Delivery.item_id).order_by(newest.desc()).limit(limit))


def _read(engine: Engine, item_ids: Any) -> list[Entry]:
    chosen = item_ids.subquery()
    query = (
        select(
            Item.uid, Item.title, Item.url, Item.publisher, Item.source_key, Item.body, Item.published_on,
            Item.published_at, func.coalesce(Version.fetched_at, Item.first_seen_at).label("updated_at"),
        )
        .join(chosen, chosen.c[0] == Item.id)
        .join(Version, (Version.item_id == Item.id) & (Version.number == Item.version_number), isouter=True)
    )  # fmt: skip
    with engine.connect().execution_options(read_only=True) as connection:
        entries = [
            Entry(
                uid=row.uid,
                title=row.title,
                url=row.url,
                publisher=row.publisher,
                source=row.source_key,
                excerpt=cut_beginning(row.body, _EXCERPT).text,
                published_on=row.published_on,
                published_at=row.published_at,
                updated_at=row.updated_at,
            )
            for row in connection.execute(query)
        ]
    return sorted(entries, key=lambda entry: (entry.updated_at, entry.uid), reverse=True)


def write_atom(feed: Feed) -> bytes:
    """As Atom. An entry has `published` only where a time is printed; `dc:date` has the day where only that is."""
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM, "dc": _DC})
    for name, text in (("id", feed.id), ("title", feed.title), ("updated", _instant(feed.updated_at))):
        _add(root, _ATOM, name, text)
    _add(root, _ATOM, "link", None, rel="self", href=feed.url)
    _add(_add(root, _ATOM, "author"), _ATOM, "name", "iprwatch")
    for entry in feed.entries:
        child = _add(root, _ATOM, "entry")
        _add(child, _ATOM, "id", entry.id)
        _add(child, _ATOM, "title", entry.title, type="text")
        _add(child, _ATOM, "updated", _instant(entry.updated_at))
        if entry.published_at:
            _add(child, _ATOM, "published", _instant(entry.published_at))
        if entry.printed:
            _add(child, _DC, "date", entry.printed)
        if _is_web(entry.url):
            _add(child, _ATOM, "link", None, rel="alternate", href=entry.url)
        _add(_add(child, _ATOM, "author"), _ATOM, "name", entry.publisher or entry.source)
        _add(child, _ATOM, "category", None, term=entry.source)
        _add(child, _ATOM, "summary", entry.excerpt, type="text")
    return _bytes(root)


def write_rss(feed: Feed) -> bytes:
    """As RSS 2.0, with the same dates as Atom. A description is markup by that standard, so the text is escaped."""
    root = etree.Element("rss", nsmap={"atom": _ATOM, "dc": _DC}, version="2.0")
    channel = _add(root, None, "channel")
    for name, text in (
        ("title", feed.title),
        ("link", feed.url),
        ("description", feed.title),
        ("lastBuildDate", format_datetime(feed.updated_at)),
    ):
        _add(channel, None, name, text)
    _add(channel, _ATOM, "link", None, rel="self", href=feed.url)
    for entry in feed.entries:
        child = _add(channel, None, "item")
        _add(child, None, "guid", entry.id, isPermaLink="false")
        _add(child, None, "title", entry.title)
        if _is_web(entry.url):
            _add(child, None, "link", entry.url)
        _add(child, None, "description", html.escape(entry.excerpt))
        if entry.published_at:
            _add(child, None, "pubDate", format_datetime(entry.published_at))
        if entry.printed:
            _add(child, _DC, "date", entry.printed)
        _add(child, _DC, "creator", entry.publisher or entry.source)
        _add(child, None, "category", entry.source)
        _add(child, _ATOM, "updated", _instant(entry.updated_at))
    return _bytes(root)


def write_json(feed: Feed) -> bytes:
    """As JSON Feed 1.1. `_iprwatch` has the day where only that is printed."""
    items: list[dict[str, Any]] = []
    for entry in feed.entries:
        item: dict[str, Any] = {
            "id": entry.id,
            "title": entry.title,
            "content_text": entry.excerpt,
            "date_modified": _instant(entry.updated_at),
            "authors": [{"name": entry.publisher or entry.source}],
            "tags": [entry.source],
            "_iprwatch": {"uid": entry.uid, "published": entry.printed},
        }
        if _is_web(entry.url):
            item["url"] = entry.url
        if entry.published_at:
            item["date_published"] = _instant(entry.published_at)
        items.append(item)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "feed_url": feed.url,
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False).encode()


FORMATS: dict[str, tuple[str, Callable[[Feed], bytes]]] = {
    "atom": ("application/atom+xml", write_atom),
    "rss": ("application/rss+xml", write_rss),
    "json": ("application/feed+json", write_json),
}
"""The formats by name: the media type, and the function that writes it."""


def _add(parent: Any, namespace: str | None, name: str, text: str | None = None, **attributes: str) -> Any:
    child = etree.SubElement(parent, f"{{{namespace}}}{name}" if namespace else name)
    for key, value in attributes.items():
        child.set(key, _legal(value))
    if text is not None:
        child.text = _legal(text)
    return child


def _legal(text: str) -> str:
    return _ILLEGAL_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _bytes(root: Any) -> bytes:
    written: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))
