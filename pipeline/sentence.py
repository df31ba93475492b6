"""The sentence of a text in which something was found, on one line, for people to see why they are told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Place = tuple[int, int]
"""The first character of something in a text, and the one behind its last."""
MARKS = ("【", "】")
_END = re.compile(r"[。！？!?；;\n]|\.(?=\s)")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a text, with the places in the piece of what was found; `…` stands where a sentence was cut."""

    text: str
    places: tuple[Place, ...] = ()

    @property
    def marked(self) -> str:
        """The piece with every place between marks."""
        return "".join(f"{MARKS[0]}{part}{MARKS[1]}" if found else part for part, found in self.parts)

    @property
    def parts(self) -> Iterator[tuple[str, bool]]:
        """The piece in parts, each with whether it is a place."""
        return parts_of(self.text, self.places)


def parts_of(text: str, places: Sequence[Place]) -> Iterator[tuple[str, bool]]:
    """A text in parts, each with whether it is one of the places, which are in order and don't overlap."""
    behind = 0
    for start, end in places:
        yield from [(text[behind:start], False)] if behind < start else []
        yield text[start:end], True
        behind = end
    yield from [(text[behind:], False)] if behind < len(text) else []


def cut_sentence(text: str, places: Sequence[Place], *, before: int = 150, behind: int = 250) -> Excerpt:
    """The sentence of the first place with every place in it: at most so many characters before and behind the first.

    There is a place at least; they are in order and don't overlap.
    """
    start, end = places[0]
    lowest = max(0, start - before)
    ends = [found.end() for found in _END.finditer(text, lowest, start)]
    begin = ends[-1] if ends else lowest
    whole = begin == 0 or bool(ends) or _END.match(text, begin - 1) is not None
    last = _END.search(text, end)
    close = last.end() if last else len(text)
    stop = min(close, end + behind)
    shown, marked, place = "" if whole else "…", [], begin
    for first, final in places:
        if final > stop:
            break
        shown = _join(shown, text[place:first])
        at = len(shown)
        shown = _join(shown, text[first:final])
        marked.append((at, len(shown)))
        place = final
    shown = _join(shown, text[place:stop]).rstrip()
    return Excerpt(shown if stop == close else f"{shown}…", tuple(marked))


def cut_beginning(text: str, length: int) -> Excerpt:
    """The beginning of a text, where nothing was found in it."""
    shown = _SPACES.sub(" ", text[: 2 * length]).strip()
    whole = len(text) <= 2 * length and len(shown) <= length
    return Excerpt(shown if whole else f"{shown[:length]}…")


def sentence_around(text: str, start: int, end: int) -> str | None:
    """The sentence that holds text[start:end]; None for an empty span."""
    return cut_sentence(text, [(start, end)]).text if start < end else None


def _join(shown: str, piece: str) -> str:
    piece = _SPACES.sub(" ", piece)
    return shown + (piece.lstrip() if not shown or shown[-1] == " " else piece)
