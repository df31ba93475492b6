"""What is wrong with an expression, and at which place."""

from __future__ import annotations

import unicodedata

from errors import IprwatchError

_SHOWN = 60  # characters of an expression around the place


class ExpressionError(IprwatchError, ValueError):
    """An expression can't be read. Raised by `read_query` and its parts.

    The message is one sentence with the place, then the expression, then a line with a caret below the place.
    `position` counts characters of the expression from 0.
    """

    def __init__(self, reason: str, text: str, position: int) -> None:
        self.reason = reason
        self.position = position
        super().__init__(f"{reason} (character {position + 1})\n{point_at(text, position)}")


def point_at(text: str, position: int) -> str:
    """The expression on a line, cut to what is near the place, and a line with a caret below the place."""
    start = max(0, position - _SHOWN)
    line = "".join(" " if ord(character) < 32 else character for character in text[start : position + _SHOWN])
    line = line.encode("utf-8", "replace").decode()  # half of a pair of surrogates can't be shown
    # Chinese characters are two columns wide in a terminal.
    columns = sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line[: position - start]
    )
    return f"    {line}\n    {' ' * columns}^"
