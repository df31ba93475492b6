"""HTML source as a row of tokens, and where its elements stand: for changing a page without parsing it anew.

It keeps every character, which no parser's tree does. It knows as much of HTML as the recorded pages need.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import unescape
from random import Random
from typing import Literal

Kind = Literal["text", "open", "close", "comment", "raw", "other"]

VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
BLOCKS = frozenset(
    "body div dd dl dt footer form h1 h2 h3 h4 header li main nav ol p section table tbody td tr ul".split()
)
_TOKEN = re.compile(
    r"(?P<comment><!--.*?-->)"
    r"|(?P<raw><(?P<name>script|style|textarea|title)\b[^>]*>.*?</(?P=name)\s*>)"
    r"|(?P<close></[A-Za-z][^>]*>)"
    r"|(?P<open><[A-Za-z](?:[^>\"']|\"[^\"]*\"|'[^']*')*>)"
    r"|(?P<text>[^<]+)"
    r"|(?P<other><[!?][^>]*>|<)",
    re.S | re.I,
)
_TAG_NAME = re.compile(r"</?([A-Za-z][\w:-]*)")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>"'/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+))?""")


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    source: str

    @property
    def tag(self) -> str:
        """The lower-case tag name, "" for what is no tag."""
        found = _TAG_NAME.match(self.source) if self.kind in ("open", "close") else None
        return found[1].lower() if found else ""


@dataclass(frozen=True, slots=True)
class Element:
    """An element by its tokens: `opening` and `closing` are indexes, `closing` of its end tag."""

    tag: str
    opening: int
    closing: int


def split(source: str) -> list[Token]:
    """The tokens of a page, in order; joined they are the page again."""
    return [Token(found.lastgroup_kind(), found[0]) for found in map(_Found, _TOKEN.finditer(source))]


class _Found:
    """A match, by the name of the alternative that matched."""

    def __init__(self, match: re.Match[str]) -> None:
        self._match = match

    def __getitem__(self, group: int) -> str:
        return self._match[group]

    def lastgroup_kind(self) -> Kind:
        for kind in ("comment", "raw", "close", "open", "text"):
            if self._match[kind] is not None:
                return kind
        return "other"
