"""One answer of a server: the bytes, and what is needed to read and to prove them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from w3lib.encoding import html_body_declared_encoding, html_to_unicode, http_content_type_encoding

_WESTERN = ("cp1252", "iso8859-1", "iso8859-15")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_GB2312 = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_NEARLY_ALL = 0.9
# Of both, the look ahead passes most tags by without trying the names.
# As HTML has it (https://html.spec.whatwg.org/multipage/parsing.html): `<!-->` and `<!--->` are whole comments, `--!>`
# ends one, and the names end with their tags. Each alternative ends with its first end or with the page, and never goes
# back into what it has passed.
_UNSEEN = re.compile(
    r"<(?=[!st])(?:!--(?:-?>|(?:[^-]++|-(?!-!?>))*+(?:--!?>|\Z))"
    r"|(script|style|textarea)(?=[\s/>])(?:[^<]++|<(?!/\1[\s/>]))*+(?:</\1[^>]*+(?:>|\Z)|\Z))",
    re.I,
)
_OPENING = re.compile(r"<(?=[hit])(?:(?P<html>html)|(?P<input>input\b)|(?P<title>title))", re.I)


@dataclass(frozen=True)
class Page:
    """A fetched page as the readers take it.

    `url` is where the bytes came from (after redirects), empty when nobody knows (a saved file).
    `body` is decompressed, otherwise as served. `headers` has lower-case names.
    `fetched_at` is zone-aware; it is the only "now" that reading a page may use.
    """

    url: str
    body: bytes
    fetched_at: datetime
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fetched_at.tzinfo is None:
            raise ValueError("fetched_at needs a time zone")

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the body, in hex: the name of the bytes in the archive."""
        return hashlib.sha256(self.body).hexdigest()

    @cached_property
    def text(self) -> str:
        """The body as text: by BOM, then header, then the page's own declaration, then UTF-8, then GB18030.

        A declaration that the bytes belie is not believed: what is strict UTF-8 is UTF-8, and what claims to be
        UTF-8, is none, and is strict GB18030, is that. A Western encoding, which some servers declare for whatever they
        send, is not believed of bytes that are Chinese.
        """
        if self.utf8 is not None and not self._declares_utf16():
            return self.utf8
        # Chinese government pages without a declared charset are UTF-8 or GB18030, nothing else.
        true = "gb18030" if self.utf8 is None else "utf-8"
        declared, text = html_to_unicode(
            self.headers.get("content-type"),
            self.body,
            default_encoding="utf-8",
            auto_detect_fun=lambda _: true,
        )
        is_belied = declared == "utf-8" or (declared in _WESTERN and _is_chinese(self.body))
        if declared == true or not is_belied:
            return text
        try:
            return self.body.decode(true).removeprefix("\ufeff")
        except UnicodeDecodeError:
            return text

    @cached_property
    def utf8(self) -> str | None:
        """The body where it is strict UTF-8, without its mark; else None."""
        try:
            return self.body.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError:
            return None

    @cached_property
    def openings(self) -> Mapping[str, list[int]]:
        """Where in the text `<html`, `<input` and `<title` begin, by these names: one pass for all refusals."""
        places: dict[str, list[int]] = {"html": [], "input": [], "title": []}
        for opening in _OPENING.finditer(self.text):
            places[opening.lastgroup or ""].append(opening.start())
        return places

    @cached_property
    def seen(self) -> str:
        """The text without comments, scripts, styles and text fields; one without an end reaches to the page's."""
        return _UNSEEN.sub("", self.text)

    def _declares_utf16(self) -> bool:
        """Whether the header declares UTF-16, or, where it declares nothing, the page itself."""
        declared = http_content_type_encoding(self.headers.get("content-type"))
        declared = declared or html_body_declared_encoding(self.body)
        return declared is not None and declared.startswith("utf-16")


def _is_chinese(body: bytes) -> bool:
    """Whether nearly all bytes beyond ASCII stand in pairs as GB2312 has them; those of Western texts stand alone."""
    beyond = len(_BEYOND_ASCII.findall(body))
    return beyond > 0 and 2 * len(_GB2312.findall(body)) >= _NEARLY_ALL * beyond
