"""Blocks of a WeChat page, found as bytes.

Pages weigh up to 4 MB, of which the text is a hundredth, so only what is cut out here is decoded and parsed.
"""

from __future__ import annotations

import re

from crawlers.errors import LayoutChanged
from crawlers.page import Page
from crawlers.readers.body import read_body
from crawlers.readers.wechat_script import plain

_CONTENT_ID = b'id="js_content"'
_STRUCTURE = re.compile(rb"<!--|<(script|style|textarea)(?=[\s>/])|<(/?)div(?=[\s>/])", re.I)
_META_CONTENT = re.compile(rb'\s+content="([^"]*)"')


def content_of(page: Page) -> slice | None:
    """Where the body element of a type 0 page stands; the empty frame of a type 10 page doesn't count.

    Raises LayoutChanged for a page that is cut off inside it.
    """
    body = page.body
    at = body.find(_CONTENT_ID)
    while at >= 0:
        opening = body.rfind(b"<", 0, at)
        if body.startswith(b"<div", opening) and b"rich_media_content" in body[opening:at]:
            return div_at(page, opening)
        at = body.find(_CONTENT_ID, at + 1)
    return None


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
    """What the first meta with the attribute (`property="og:title"`) says between two offsets, unescaped."""
    at = body.find(attribute, start, end)
    found = _META_CONTENT.match(body, at + len(attribute)) if at >= 0 else None
    return plain(found[1].decode("utf-8", "replace")) if found else ""


def text_at(body: bytes, attribute: bytes, start: int, end: int) -> str:
    """The text of the small element that carries the attribute, on one line."""
    at = body.find(attribute, start, end)
    if at < 0:
        return ""
    opening = body.rfind(b"<", start, at)
    name = re.match(rb"<(\w+)", body[opening:at])
    closing = body.find(b"</" + name[1], at, end) if name else -1
    if closing < 0:
        return ""
    return " ".join(read_body(body[opening:closing].decode("utf-8", "replace"), "").text.split())
