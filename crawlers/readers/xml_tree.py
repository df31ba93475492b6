"""XML from a stranger: parsed without entities of its own, without network, and whole or not at all.

Feeds and sitemaps are read here. Two faults are common and harmless, and are mended before parsing: characters
that XML forbids (U+000B in a title that was pasted from a word processor), and a bare `&` or an HTML entity
(`&nbsp;`) that nobody declared. Any other fault refuses the document: a parser's own recovery drops text
without saying so.
"""

from __future__ import annotations

import re
from html.entities import html5

from lxml import etree

from crawlers.errors import LayoutChanged
from crawlers.page import Page

# What may stand before the root element, then a document type with declarations of its own: the one place
# where entities can be made (billion laughs, external files).
_OWN_DECLARATIONS = re.compile(
    r"(?>\s+|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE(?>[^\[\]<>\"']|\"[^\"]*\"|'[^']*')*+\[", re.S
)
# The document type names the root element, too.
_ROOT = re.compile(r"(?>\s+|<!--.*?-->|<\?.*?\?>)*+<(?:!DOCTYPE\s+)?(?:[\w.-]+:)?([\w.-]+)", re.S)
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?\]\]>|&(?:#(?P<code>[0-9]{1,7}|x[0-9a-fA-F]{1,6});|(?P<name>[A-Za-z][A-Za-z0-9]*);)?",
    re.S,
)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OF_XML = frozenset(("amp", "lt", "gt", "quot", "apos"))


def root_name(page: Page) -> str:
    """The local name of the root element of what looks like XML, "" where the page is none. Parses nothing."""
    found = _ROOT.match(page.text.lstrip("\ufeff"))
    return found[1] if found else ""


def xml_tree(page: Page, expected: str) -> etree._Element:
    """The root element. `expected` says what the caller looks for, for the error.

    Raises LayoutChanged for a document that declares entities or anything else of its own, and for one that is
    not well-formed after the two harmless faults were mended (it may be cut off).
    """
    source = page.text.lstrip("\ufeff \t\r\n")
    if _OWN_DECLARATIONS.match(source):
        raise LayoutChanged(
            url=page.url,
            expected=f"{expected} without declarations of its own",
            found="a document type that may declare entities, which are never expanded",
        )
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    mended = _AMPERSAND.sub(_mend, _FORBIDDEN.sub("", source))
    try:
        return etree.fromstring(mended.encode("utf-8"), parser, base_url=page.url or None)
    except etree.XMLSyntaxError as error:
        raise LayoutChanged(url=page.url, expected=expected, found=f"broken XML ({error.msg})") from error


def local_name(node: etree._Element) -> str:
    """The name of an element without its namespace: feeds are told by names, their namespaces vary."""
    return str(etree.QName(node).localname)


def child(node: etree._Element, *names: str) -> etree._Element | None:
    """The first child with one of the names, in the order of the names. `prefix:name` asks for a namespace.

    Known prefixes: `content`, `dc`, `atom`, `news`; without one, the namespace is the node's own or none.
    """
    for name in names:
        prefix, _, wanted = name.rpartition(":")
        namespaces = _NAMESPACES[prefix] if prefix else ("", etree.QName(node).namespace or "")
        for candidate in node:
            tag = etree.QName(candidate)
            if tag.localname == wanted and (tag.namespace or "") in namespaces:
                return candidate
    return None


def text_in(node: etree._Element | None) -> str:
    """All text inside an element as written, "" for None."""
    return "" if node is None else "".join(node.itertext())


_NAMESPACES = {
    "content": ("http://purl.org/rss/1.0/modules/content/",),
    "dc": ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/"),
    "atom": ("http://www.w3.org/2005/Atom",),
    "news": (
        "http://www.google.com/schemas/sitemap-news/0.9",
        "https://www.google.com/schemas/sitemap-news/0.9",
    ),
}


def _mend(found: re.Match[str]) -> str:
    whole = found[0]
    if whole.startswith("<") or found["name"] in _OF_XML:
        return whole
    if found["code"]:
        code = found["code"]
        number = int(code[1:], 16) if code[0] == "x" else int(code)
        return whole if number <= 0x10FFFF and not _FORBIDDEN.match(chr(number)) else ""
    if found["name"] and f"{found['name']};" in html5:
        return "".join(f"&#{ord(character)};" for character in html5[f"{found['name']};"])
    return "&amp;" + whole[1:]
