"""What a page says is made harmless for people's programs: no markup, no mention of anybody, no link of its own.

Chat programs and mail readers turn more into links and mentions than what is written as such: `example.com`, `@all`.
None documents a way to escape, so characters with a meaning are replaced by their full-width forms, which look alike
and mean nothing, and a character without width is put where an address would be recognised.
"""

from __future__ import annotations

import re

from pipeline.alerts.message import flatten

_NO_WIDTH = "\N{ZERO WIDTH SPACE}"
# A name of a host or a mail address; a number such as 1.5 is none.
_DOT = re.compile(r"(?<=[\w-])\.(?=[^\W\d_])")
_SCHEME = re.compile(r":(?=//)|(?<=\bmailto):|(?<=\btel):|(?<=\bjavascript):", re.IGNORECASE)
_TO_FULL_WIDTH = {ord(mark): chr(ord(mark) + 0xFEE0) for mark in "<>@"}
_MARKDOWN_TO_FULL_WIDTH = {ord(mark): chr(ord(mark) + 0xFEE0) for mark in "<>@*_[]`#~|\\!&$"}


def disarm(text: str) -> str:
    """One line in which nothing is taken for a link, a mention (`@all`) or a tag (`<at user_id="all">`)."""
    return break_links(text).translate(_TO_FULL_WIDTH)


def disarm_markdown(text: str) -> str:
    """As `disarm`, and nothing in it is taken for Markdown either."""
    return break_links(text).translate(_MARKDOWN_TO_FULL_WIDTH)


def break_links(text: str) -> str:
    """One line in which a mail reader finds no address to make a link of."""
    line = _SCHEME.sub(f":{_NO_WIDTH}", _DOT.sub(f".{_NO_WIDTH}", flatten(text)))
    return line.replace("@", f"@{_NO_WIDTH}")
