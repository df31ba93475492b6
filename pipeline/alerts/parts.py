"""A text that is too long for one message becomes numbered parts, each within a limit that is counted in bytes.

A part ends at the end of a line where it can, else between two characters as a reader sees them (an emoji with its
skin tone is one), never inside one.
"""

from __future__ import annotations

from collections.abc import Callable

import regex

MOST_PARTS = 10
"""A text that needs more is cut short: people read no longer alert, and robots take only 20 messages a minute."""
_CUT = "…"
_CHARACTER = regex.compile(r"\X")


def utf8_size(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text.encode("utf-8"))


def shorten(text: str, longest: int) -> str:
    """The text, or as many whole characters of its beginning as fit with an ellipsis into so many code points."""
    if len(text) <= longest:
        return text
    ends = (found.end() for found in _CHARACTER.finditer(text[:longest]))
    # A heap of combining marks is one character, and may be cut.
    return text[: max((end for end in ends if end < longest), default=longest - 1)] + _CUT


def split_text(text: str, limit: int, size: Callable[[str], int] = utf8_size) -> list[str]:
    """The text as at least one part, in order; several begin with their number, `(1/3)` on a line of its own.

    `size` says how much of `limit` a text takes up, and must be additive: that of a whole is the sum of its parts'.
    Raises ValueError for a limit that holds no text.
    """
    text = text.rstrip("\n")
    if size(text) <= limit:
        return [text]
    room = limit - size(_number(MOST_PARTS, MOST_PARTS)) - size(_CUT)
    if room < size("\N{MAN}"):
        raise ValueError(f"no text can be split into parts of {limit}")
    parts = _fill(text, room, size)
    if len(parts) > MOST_PARTS:
        parts = parts[:MOST_PARTS]
        parts[-1] += _CUT
    return [_number(number, len(parts)) + part for number, part in enumerate(parts, 1)]


def _number(number: int, of: int) -> str:
    return f"({number}/{of})\n"


def _fill(text: str, room: int, size: Callable[[str], int]) -> list[str]:
    parts = [""]
    used = 0
    for piece in _pieces(text, room, size):
        more = size(piece)
        if used + more > room:
            parts.append("")
            used = 0
        parts[-1] += piece
        used += more
    return [stripped for part in parts if (stripped := part.strip("\n"))]


def _pieces(text: str, room: int, size: Callable[[str], int]) -> list[str]:
    """Lines, or the characters of those that are too long: nothing is longer than `room`."""
    pieces: list[str] = []
    for line in text.splitlines(keepends=True):
        if size(line) <= room:
            pieces.append(line)
            continue
        for character in _CHARACTER.findall(line):
            # A heap of combining marks can be longer than a message.
            pieces.extend([character] if size(character) <= room else list(character))
    return pieces
