"""One tokenizer for writing and for searching, on both databases.

Chinese has no spaces, and its commonest search words have two characters (商标, 专利), so runs of CJK characters
become overlapping pairs; the last character of a run is a token of its own, which makes every character
the start of some token. Runs of letters and digits are tokens as they are. A case number thus is a short
exact sequence, and any piece of text is found as a phrase over the tokens.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from itertools import zip_longest

from pipeline.normalize import fold

CJK = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(rf"([{CJK}]+)|((?:(?![{CJK}])[^\W_])+)")
_CODING = "utf-32-le"  # as many bytes for every character
_WORD = "\ue000"
"""Stands for a run of letters and digits while pairs are written. It is neither."""


def tokenize(text: str) -> list[str]:
    """Tokens of a text in order. Total: any text gives a list, blank text an empty one."""
    return write_tokens(text).split()


def write_tokens(text: str) -> str:
    """Tokens of a text in order, separated by single spaces.

    To make each token, and then a text of thousands of them, took twice as long. So all pairs are written at once:
    their first characters into every third place, their second ones (a space at a run's end) beside them.
    """
    firsts: list[str] = []
    seconds: list[str] = []
    words: list[str] = []
    for cjk, word in _RUN.findall(fold(text)):
        if word:
            words.append(word)
        firsts.append(cjk or _WORD)
        seconds.append(cjk[1:])
    first = _codes("".join(firsts))
    pairs = _codes(" ") * (3 * len(first))
    pairs[::3] = first
    pairs[1::3] = _codes("".join([f"{rest} " for rest in seconds]))
    written = pairs.tobytes().decode(_CODING).replace("  ", " ").rstrip(" ").split(_WORD)
    return "".join([part for both in zip_longest(written, words, fillvalue="") for part in both])


def _codes(text: str) -> array[int]:
    return array("I", text.encode(_CODING))


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a search word asks for: these tokens in this order; the last may be only the start of one."""

    tokens: tuple[str, ...]
    prefix: bool

    @property
    def pattern(self) -> str:
        """The text that stands exactly where the phrase does in tokens with a space around each."""
        return f" {' '.join(self.tokens)}{'' if self.prefix else ' '}"


def read_phrase(word: str) -> Phrase | None:
    """The phrase that finds every text holding the word, or None when the word has no letter or digit."""
    runs = _RUN.findall(fold(word))
    if not runs:
        return None
    tokens = tokenize(word)
    if not runs[-1][0]:
        return Phrase(tuple(tokens), prefix=False)
    # In a longer run the last character would be followed by another one: its token is left open.
    if len(runs[-1][0]) > 1:
        return Phrase(tuple(tokens[:-1]), prefix=False)
    return Phrase(tuple(tokens), prefix=True)
