"""The sentence of a text in which a rule's words stand, for people to see why they are told."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pipeline.alerts.message import Sentence
from pipeline.normalize import fold

_SENTENCE_END = re.compile(r"[。！？；!?;\n]|\.\s")
_ASCII_WORD = re.compile(r"[a-z0-9]")
_MOST_BEFORE, _MOST_AFTER = 150, 250


def word_pattern(word: str) -> re.Pattern[str]:
    """Finds a folded word in folded text; a Latin one as a whole word only."""
    head = r"(?<![a-z0-9])" if _ASCII_WORD.match(word[0]) else ""
    tail = r"(?![a-z0-9])" if _ASCII_WORD.match(word[-1]) else ""
    return re.compile(head + re.escape(word) + tail)


def find_sentence(text: str, words: Iterable[str]) -> Sentence | None:
    """The sentence that holds the first of the words in the text; None where none occurs.

    At most 150 characters before the match and 250 after it are shown; what was left out is marked with `…`.
    """
    folded, places = _fold_with_places(text)
    found = [match for word in words if (match := word_pattern(fold(word)).search(folded))]
    if not found:
        return None
    first = min(found, key=lambda match: (match.start(), -match.end()))
    start, end = places[first.start()], places[first.end() - 1] + 1
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, start)]
    after = _SENTENCE_END.search(text, end)
    begin, close = ends[-1] if ends else 0, after.end() if after else len(text)
    before, behind = text[begin:start], text[end:close]
    if len(before) > _MOST_BEFORE:
        before = "…" + before[-_MOST_BEFORE:]
    if len(behind) > _MOST_AFTER:
        behind = behind[:_MOST_AFTER] + "…"
    return Sentence(_squeeze(before.lstrip()), _squeeze(text[start:end]), _squeeze(behind.rstrip()))


def shorten(sentence: Sentence) -> Sentence:
    """The same match with less around it, for lists: 40 characters before, 60 of the match, 60 after."""
    before, match, after = sentence.before, sentence.match, sentence.after
    return Sentence(
        before if len(before) <= 40 else "…" + before[-40:],
        match if len(match) <= 60 else match[:60] + "…",
        after if len(after) <= 60 else after[:60] + "…",
    )


def _fold_with_places(text: str) -> tuple[str, list[int]]:
    """The text folded character by character, and for each character of it the place in the text it comes from."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        form = unicodedata.normalize("NFKC", character).casefold()
        if form.isspace():
            if folded and folded[-1] == " ":
                continue
            form = " "
        folded.extend(form)
        places.extend([place] * len(form))
    return "".join(folded), places


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text)
