"""One answer of a server: the bytes, and what is needed to read and to prove them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from w3lib.encoding import html_to_unicode

_WESTERN = ("cp1252", "iso8859-1", "iso8859-15")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_GB2312 = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_NEARLY_ALL = 0.9


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
        declared, text = html_to_unicode(
            self.headers.get("content-type"), self.body, default_encoding="utf-8", auto_detect_fun=_guess
        )
        if declared.startswith("utf-16"):
            return text
        true = _guess(self.body)
        is_belied = declared == "utf-8" or (declared in _WESTERN and _is_chinese(self.body))
        if true == declared or (true == "gb18030" and not is_belied):
            return text
        try:
            return self.body.decode(true).removeprefix("\ufeff")
        except UnicodeDecodeError:
            return text


def _is_chinese(body: bytes) -> bool:
    """Whether nearly all bytes beyond ASCII stand in pairs as GB2312 has them; those of Western texts stand alone."""
    beyond = len(_BEYOND_ASCII.findall(body))
    return beyond > 0 and 2 * len(_GB2312.findall(body)) >= _NEARLY_ALL * beyond


def _guess(body: bytes) -> str:
    """Chinese government pages without a declared charset are UTF-8 or GB18030, nothing else."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"
