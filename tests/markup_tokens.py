"""HTML source as a row of tokens, and where its elements stand: for changing a page without parsing it anew.

It keeps every character, which no parser's tree does. It knows as much of HTML as the recorded pages need.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import unescape
from typing import Literal, cast

Kind = Literal["text", "open", "close", "comment", "raw", "other"]

VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
BLOCKS = frozenset(
    "body div dd dl dt footer form h1 h2 h3 h4 header li main nav ol p section table tbody td tr ul".split()
)
_KINDS = ("comment", "raw", "close", "open", "text", "other")
_TOKEN = re.compile(
    r"(?P<comment><!--.*?-->)"
    r"|(?P<raw><(?P<name>script|style|textarea|title)\b[^>]*>.*?</(?P=name)\s*>)"
    r"|(?P<close></[A-Za-z][^>]*>)"
    r"|(?P<open><[A-Za-z](?:[^>\"']|\"[^\"]*\"|'[^']*')*>)"
    r"|(?P<text>[^<]+)"
    r"|(?P<other><[!?][^>]*>|<)",
    re.S | re.I,
)
_TAG = re.compile(r"</?([A-Za-z][\w:-]*)")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of source; `tag` is the lower-case name of a start or end tag, else empty."""

    kind: Kind
    source: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """An element by the indexes of its start tag and of its end tag."""

    tag: str
    opening: int
    closing: int


def split(source: str) -> list[Token]:
    """The tokens of a page, in order; joined they are the page again."""
    tokens = []
    for found in _TOKEN.finditer(source):
        kind = next(kind for kind in _KINDS if found[kind] is not None)
        name = _TAG.match(found[0]) if kind in ("open", "close") else None
        tokens.append(Token(cast(Kind, kind), found[0], name[1].lower() if name else ""))
    return tokens


def join(tokens: Iterable[Token]) -> str:
    """The page of which these are the tokens."""
    return "".join(token.source for token in tokens)


def elements(tokens: list[Token]) -> list[Element]:
    """All elements that have an end tag, in the order of these end tags."""
    found: list[Element] = []
    open_tags: list[tuple[str, int]] = []
    for index, token in enumerate(tokens):
        if token.kind == "open" and token.tag not in VOID and not token.source.endswith("/>"):
            open_tags.append((token.tag, index))
        elif token.kind == "close":
            at = next((at for at in range(len(open_tags) - 1, -1, -1) if open_tags[at][0] == token.tag), None)
            if at is not None:
                found.append(Element(token.tag, open_tags[at][1], index))
                del open_tags[at:]
    return found


def text_of(tokens: Iterable[Token]) -> str:
    """The visible text, without any white space."""
    return squeeze(unescape("".join(token.source for token in tokens if token.kind == "text")))


def squeeze(text: str) -> str:
    """The text without any white space."""
    return "".join(text.split())


def rewrite_tag(
    token: Token, change: Callable[[list[tuple[str, str | None]]], list[tuple[str, str | None]]]
) -> Token:
    """The start tag with its attributes (name, value as written between the quotes) as `change` returns them."""
    name = cast("re.Match[str]", _TAG.match(token.source))[1]
    rest = token.source[len(name) + 1 :].rstrip(">")
    slash = " /" if rest.endswith("/") else ""
    attributes = [
        (found[1], next((value for value in found.groups()[1:] if value is not None), None))
        for found in _ATTRIBUTE.finditer(rest.rstrip("/") if slash else rest)
    ]
    written = "".join(
        f" {key}" if value is None else f" {key}={_quoted(value)}" for key, value in change(attributes)
    )
    return Token("open", f"<{name}{written}{slash}>", token.tag)


def _quoted(value: str) -> str:
    return f"'{value}'" if '"' in value else f'"{value}"'
