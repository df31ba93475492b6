"""Blocks of a WeChat page, found as bytes.

Pages weigh up to 4 MB, of which the text is a hundredth, so only what is cut out here is decoded and parsed.
"""

from __future__ import annotations

import codecs
import html
import re
from dataclasses import replace

from crawlers.errors import LayoutChanged
from crawlers.page import Page
from crawlers.readers.body import read_body
from crawlers.readers.wechat_script import plain
from crawlers.readers.wholeness import refuse_unreadable

_CONTENT = re.compile(
    rb"""<div(?=[\s>])(?=[^>]*?\sid\s*=\s*["']?js_content[\s"'>])(?=[^>]*?rich_media_content)[^>]*>""", re.I
)
_STRUCTURE = re.compile(rb"<!--|<(script|style|textarea)(?=[\s>/])|<(/?)div(?=[\s>/])", re.I)
_TAG = re.compile(rb"<!--.*?-->|<(script|style)\b.*?</\1\s*>|<[^>]*>", re.S | re.I)
_META = re.compile(rb"""<meta(?:[^>"']|"[^"]*"|'[^']*')*>""", re.I)
_CONTENT_OF = re.compile(rb"""\scontent\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.I)
_HEAD = 200_000  # bytes in which the metas of a page stand, and enough of its text to know its encoding by
_META_CONTENT = re.compile(rb'\s+content="([^"]*)"')


def in_utf8(page: Page) -> Page:
    """The page itself, or, for a copy that was saved in another encoding, one with the same text in UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(page.body[:_HEAD])
    except UnicodeDecodeError:
        refuse_unreadable(page)
        return replace(page, body=page.text.encode("utf-8", "replace"), headers={})
    return page


def content_of(page: Page) -> slice | None:
    """Where the body element of a type 0 page stands; the empty frame of a type 10 page doesn't count.

    Raises LayoutChanged for a page that is cut off inside it, and for one that has two.
    """
    found = None
    at = page.body.find(b"js_content")
    while at >= 0:
        opening = page.body.rfind(b"<", 0, at)
        if opening >= 0 and _CONTENT.match(page.body, opening):
            if found is not None:
                raise LayoutChanged(url=page.url, expected="one #js_content", found="a second one")
            found = div_at(page, opening)
            at = found.stop
        at = page.body.find(b"js_content", at + 1)
    return found


def refuse_text_behind(page: Page, end: int) -> None:
    """Raise LayoutChanged where text stands between the body's end and the script that follows every body.

    A body that lost the start of an inner element ends too early.
    """
    mark = page.body.find(b"first_sceen__time", end, end + _HEAD)
    script = page.body.rfind(b"<script", end, mark) if mark >= 0 else -1
    between = _TAG.sub(b"", page.body[end:script]) if script >= 0 else b""
    if html.unescape(between.decode("utf-8", "replace")).strip():
        raise LayoutChanged(url=page.url, expected="nothing between #js_content and its script", found="text")


def div_at(page: Page, opening: int) -> slice:
    """The div that opens at an offset, up to its own end tag.

    Where an end tag is missing inside, the element ends at the script that follows every body
    (`first_sceen__time`, so spelled), so that the page's tail is never taken for text. Raises
    LayoutChanged where the page ends first.
    """
    body, depth, position = page.body, 0, opening
    while found := _STRUCTURE.search(body, position):
        position = found.end()
        if found[0] == b"<!--":
            position = body.find(b"-->", position)
        elif found[1]:
            position = body.find(b"</" + found[1], position)
            if b"first_sceen__time" in body[found.end() : position]:
                return slice(opening, found.start())
        else:
            depth += -1 if found[2] else 1
            if depth == 0:
                return slice(opening, body.find(b">", position) + 1)
        if position < 0:
            break
    raise LayoutChanged(
        url=page.url, expected="the end of the element that holds the text", found="the page's end"
    )


def meta_content(body: bytes, attribute: bytes, start: int, end: int) -> str:
    """What the meta with the attribute (`property="og:title"`) says between two offsets, unescaped.

    "" without one, and where two differ.
    """
    at = body.find(attribute, start, end)
    found = _META_CONTENT.match(body, at + len(attribute)) if at >= 0 else None
    if found:
        other = body.find(attribute + b' content="', at + 1, min(end, at + _HEAD))
        second = _META_CONTENT.match(body, other + len(attribute)) if other >= 0 else None
        return plain(found[1].decode("utf-8", "replace")) if not second or second[1] == found[1] else ""
    written = _written(attribute)
    for meta in _META.finditer(body, start, min(end, start + _HEAD)):
        content = _CONTENT_OF.search(meta[0]) if written.search(meta[0]) else None
        if content:
            return plain(next(filter(None, content.groups()), b"").decode("utf-8", "replace"))
    return ""


def _written(attribute: bytes) -> re.Pattern[bytes]:
    """`name="value"` in any of the ways to write it."""
    name, _, value = attribute.partition(b"=")
    return re.compile(
        rb"\s" + re.escape(name) + rb"\s*=\s*[\"']?" + re.escape(value.strip(b'"')) + rb"(?=[\s\"'/>])", re.I
    )


def text_at(body: bytes, attribute: bytes, start: int, end: int) -> str:
    """The text of the small element that carries the attribute, on one line; "" where two differ."""
    texts = {_text_around(body, at, start, end) for at in _places(body, attribute, start, end)}
    return next(iter(texts)) if len(texts) == 1 else ""


def _places(body: bytes, attribute: bytes, start: int, end: int) -> list[int]:
    found = []
    at = body.find(attribute, start, end)
    while at >= 0:
        found.append(at)
        at = body.find(attribute, at + 1, end)
    return found or [place.start() for place in _written(attribute).finditer(body, start, end)]


def _text_around(body: bytes, at: int, start: int, end: int) -> str:
    opening = body.rfind(b"<", start, at)
    name = re.match(rb"<(\w+)", body[opening:at])
    closing = body.find(b"</" + name[1], at, end) if name else -1
    if closing < 0:
        return ""
    return " ".join(read_body(body[opening:closing].decode("utf-8", "replace"), "").text.split())
