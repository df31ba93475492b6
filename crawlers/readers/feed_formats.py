"""The formats of feeds, each turned into the same items. The reader `feed` decides what the items amount to.

RSS 2.0 and 1.0 (RDF), Atom (RFC 4287), JSON Feed 1 and 1.1, and the export of a we-mp-rss database (an array of
articles). RSS 0.9x differs from 2.0 in nothing that is read here.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from crawlers.errors import LayoutChanged
from crawlers.notice import PrintedDate
from crawlers.page import Page
from crawlers.readers.body import absolute
from crawlers.readers.markup import folded
from crawlers.readers.wechat_links import biz_of_number, clean_link, leads_to_wechat
from crawlers.readers.xml_tree import child, local_name, root_name, text_in, xml_tree
from pipeline.normalize.identity import site_identity, wechat_identity

EXPECTED = "a feed (RSS, Atom, JSON Feed or a we-mp-rss export)"
PLACE = "feed entry"

_XML_ROOTS = ("rss", "RDF", "feed")
_JSON_MARKS = (b"jsonfeed.org/version", b'"mp_id"')
_JSON_MARK_WITHIN = 4000  # bytes; the mark of a JSON feed stands in front
_ATOM_MARKUP = ("html", "text/html", "xhtml", "application/xhtml+xml")
_EXPORT_ID = re.compile(r"([1-9]\d*)_([1-9]\d*)")
_EXPORT_ACCOUNT = re.compile(r"MP_WXS_([1-9]\d*)")
_JSON_LENGTH = 60  # characters of a foreign value that an error shows


@dataclass(frozen=True, slots=True)
class Item:
    """One entry as the feed states it; "" for what it doesn't state.

    `url` is absolute, "" where the entry leads nowhere. `title` may still hold HTML where the format allows it.
    `markup` is the HTML of the full text, `text` a full text without markup; a feed gives one, both or none.
    """

    url: str
    title: str
    dates: tuple[PrintedDate, ...]
    author: str = ""
    publisher: str = ""
    identity: str | None = None
    markup: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as read: its items in their order, and the next page where the feed names one."""

    items: tuple[Item, ...]
    next_url: str | None = None


def is_feed(page: Page) -> bool:
    """Whether the page begins like a feed of one of the formats. Nothing is parsed."""
    start = _start(page)
    if start[:1] in (b"{", b"["):
        return any(mark in start for mark in _JSON_MARKS)
    return root_name(page) in _XML_ROOTS


def _start(page: Page) -> bytes:
    """The beginning in ASCII: only a page in UTF-16 is decoded for that."""
    start = page.body[:_JSON_MARK_WITHIN]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        start = page.text[:_JSON_MARK_WITHIN].encode("utf-8", "replace")
    return start.lstrip(b"\xef\xbb\xbf \t\r\n")


def read_feed(page: Page) -> Feed:
    """Raises LayoutChanged for a document that is broken or none of the formats."""
    if _start(page)[:1] in (b"{", b"["):
        return _read_json(page)
    root = xml_tree(page, EXPECTED)
    name = local_name(root)
    if name == "feed":
        return _read_atom(root, page)
    if name == "rss":
        channel = child(root, "channel")
        if channel is None:
            raise LayoutChanged(url=page.url, expected="rss > channel", found="an rss element without it")
        return Feed(
            tuple(_rss_item(node, page) for node in channel if local_name(node) == "item"),
            _linked(channel, "next", page),
        )
    if name == "RDF":
        return Feed(tuple(_rss_item(node, page) for node in root if local_name(node) == "item"))
    raise LayoutChanged(url=page.url, expected=EXPECTED, found=f"XML with the root {name!r}")


def _rss_item(node: etree._Element, page: Page) -> Item:
    link = text_in(child(node, "link", "atom:link"))
    unique = child(node, "guid")
    if not link.strip() and unique is not None and unique.get("isPermaLink") != "false":
        link = text_in(unique)
    published = folded(text_in(child(node, "pubDate", "dc:date", "dc:issued")))
    modified = folded(text_in(child(node, "dc:modified", "atom:updated")))
    url = _address(link, node.base or page.url)
    return Item(
        url=url,
        identity=site_identity(url, "wechat"),
        title=text_in(child(node, "title")),
        dates=_dates(published, modified),
        author=_person(text_in(child(node, "dc:creator", "author"))),
        markup=text_in(child(node, "content:encoded")),
    )


def _read_atom(root: etree._Element, page: Page) -> Feed:
    return Feed(
        tuple(_atom_item(node, page) for node in root if local_name(node) == "entry"),
        _linked(root, "next", page),
    )


def _atom_item(node: etree._Element, page: Page) -> Item:
    link = _linked(node, "alternate", page) or ""
    published = folded(text_in(child(node, "published", "issued")))
    modified = folded(text_in(child(node, "updated", "modified")))
    if _is_short_id(folded(text_in(child(node, "id"))), link):
        published, modified = published or modified, ""
    author = child(node, "author")
    content = child(node, "content")
    markup = text = ""
    if content is not None and content.get("src") is None:
        form = content.get("type", "text")
        if form in _ATOM_MARKUP:
            markup = _inner_markup(content) if form.endswith(("xhtml", "xhtml+xml")) else text_in(content)
        elif form in ("text", "text/plain"):
            text = text_in(content)
    url = _address(link, page.url)
    return Item(
        url=url,
        identity=site_identity(url, "wechat"),
        title=text_in(child(node, "title")),
        dates=_dates(published, modified),
        author=folded(text_in(child(author, "name"))) if author is not None else "",
        markup=markup,
        text=text,
    )


def _linked(node: etree._Element, relation: str, page: Page) -> str | None:
    """The target of the Atom link of that relation. A link without a relation is the alternate one."""
    for candidate in node:
        tag = etree.QName(candidate)
        if tag.localname != "link" or not candidate.get("href"):
            continue
        if candidate.get("rel", "alternate") == relation:
            return absolute(candidate.get("href"), candidate.base or page.url)
    return None


def _inner_markup(node: etree._Element) -> str:
    """The markup inside an element, without namespaces: XHTML with a prefix is HTML for the rest of us."""
    for inner in node.iterdescendants():
        inner.tag = local_name(inner)
    return (node.text or "") + "".join(etree.tostring(part, encoding="unicode") for part in node)


def _read_json(page: Page) -> Feed:
    try:
        answer = json.loads(page.text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise LayoutChanged(url=page.url, expected=EXPECTED, found=f"broken JSON ({error})") from error
    if isinstance(answer, list):
        return Feed(tuple(_exported_item(entry, page) for entry in answer))
    if isinstance(answer, dict):
        version, items = answer.get("version"), answer.get("items")
        if isinstance(version, str) and "jsonfeed.org/version/1" in version and isinstance(items, list):
            next_url = absolute(_string(answer, "next_url"), page.url)
            return Feed(tuple(_json_item(entry, page) for entry in items), next_url)
        found = f"JSON with version {str(version)[:_JSON_LENGTH]!r} and items of {type(items).__name__}"
    else:
        found = f"JSON that is a {type(answer).__name__}"
    raise LayoutChanged(url=page.url, expected=EXPECTED, found=found)


def _json_item(entry: Any, page: Page) -> Item:
    fields = entry if isinstance(entry, dict) else {}
    url = _address(_string(fields, "url") or _string(fields, "external_url"), page.url)
    published, modified = _string(fields, "date_published"), _string(fields, "date_modified")
    if _is_short_id(_string(fields, "id"), url):
        published, modified = published or modified, ""
    authors = fields.get("authors")
    author = authors[0] if isinstance(authors, list) and authors else fields.get("author")
    return Item(
        url=url,
        identity=site_identity(url, "wechat"),
        title=_string(fields, "title"),
        dates=_dates(published, modified),
        author=folded(_string(author, "name")) if isinstance(author, dict) else "",
        markup=_string(fields, "content_html"),
        text=_string(fields, "content_text"),
    )


def _exported_item(entry: Any, page: Page) -> Item:
    fields = entry if isinstance(entry, dict) else {}
    published = fields.get("publish_time")
    url = _address(_string(fields, "url"), page.url)
    identity = site_identity(url, "wechat")
    ids = _EXPORT_ID.fullmatch(_string(fields, "id"))
    account = _EXPORT_ACCOUNT.fullmatch(_string(fields, "mp_id"))
    if identity is None and ids and account:
        identity = wechat_identity(biz_of_number(account[1]), ids[1], ids[2])
    return Item(
        url=url,
        identity=identity,
        title=_string(fields, "title"),
        dates=(PrintedDate(str(published), PLACE, form="unix"),)
        if isinstance(published, int) and published > 0
        else (),
        publisher=folded(_string(fields, "mp_name")),
        markup=_string(fields, "content"),
    )


def _address(link: str, base: str) -> str:
    url = absolute(link, base) or ""
    return clean_link(url) if leads_to_wechat(url) else url


def _is_short_id(unique: str, link: str) -> bool:
    """Whether an entry is one of wewe-rss, whose only date, called the updated one, is that of publication."""
    return bool(unique) and leads_to_wechat(link) and link.endswith(f"/s/{unique}")


def _dates(published: str, modified: str) -> tuple[PrintedDate, ...]:
    dates = [PrintedDate(published, PLACE)] if published else []
    if modified and modified != published:
        dates.append(PrintedDate(modified, PLACE, "modified"))
    return tuple(dates)


def _person(text: str) -> str:
    """RSS 2.0 asks for `address (name)`; many feeds give the name alone. An address without a name is none."""
    text = folded(text)
    named = re.search(r"\(([^()]+)\)\s*$", text)
    if named:
        return named[1].strip()
    return "" if "@" in text else text


def _string(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""
