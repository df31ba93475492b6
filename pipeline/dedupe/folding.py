"""The form in which two texts are compared: what a reprint changes without changing the text is gone."""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from opencc import OpenCC

from pipeline.normalize import fold

_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\xad\u200b-\u200f\u2028-\u202e\u2060\ufeff\ufe0e\ufe0f]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# A space parts words only between Latin letters and digits; next to a Chinese character it is layout.
_LAYOUT_SPACE = re.compile(r"(?<![a-z0-9])\s+|\s+(?![a-z0-9])")
_SPACES = re.compile(r"\s+")
_NOT_LETTERS = re.compile(r"[\W_]+")
# The geometric circles that Chinese typists use for the numeral zero (二○二六年).
_CIRCLES = ("○", "◯")
_MARKS = str.maketrans("“”„‟＂「」『』‘’‛＇—–‒―－", '"' * 9 + "'" * 4 + "-" * 5)

_VARIANTS = ("hk2s", "tw2s")
"""OpenCC's names of what makes simplified characters: from the forms of Hong Kong (衞), of Taiwan (看著), and the
mainland's."""
_IN_WORDS = "沈藉覆坏瞭哩甦衹"
"""What OpenCC (1.4) changes in some words only, such as 沈默, where nothing else changes."""
_IDEOGRAPHS = (range(0x3400, 0xA000), range(0xF900, 0xFB00))

_LINE_END = "\ue000"
"""Stands for the end of a line while white space is folded."""


@dataclass(frozen=True, slots=True)
class Folded:
    """`plain` keeps punctuation; `letters` has letters and digits alone; `at[i]` is where letter i stands in plain.
    `lines` are the letters with which a line begins, but for the first one."""

    plain: str
    letters: str
    at: tuple[int, ...]
    lines: tuple[int, ...]

    def letter_index(self, plain_index: int) -> int:
        """The first letter at or after a place in `plain`."""
        return bisect_left(self.at, plain_index)

    def line_start(self, index: int) -> int:
        """The letter with which the line begins that letter `index` stands in."""
        found = bisect_right(self.lines, index)
        return self.lines[found - 1] if found else 0

    def line_end(self, index: int) -> int:
        """The letter with which the line after the one begins that letter `index` stands in."""
        found = bisect_right(self.lines, index)
        return self.lines[found] if found < len(self.lines) else len(self.letters)

    def around(self, start: int, end: int, width: int) -> tuple[str, str]:
        """Up to `width` characters of `plain` before letter `start` and after letter `end - 1`."""
        if start < end:
            left, right = self.at[start], self.at[end - 1] + 1
        else:
            left = right = self.at[start] if start < len(self.at) else len(self.plain)
        return self.plain[max(0, left - width) : left], self.plain[right : right + width]

    def excerpt(self, start: int, end: int) -> str:
        """The part of `plain` from letter `start` to letter `end - 1`."""
        return self.plain[self.at[start] : self.at[end - 1] + 1] if start < end else ""


def fold_plain(text: str) -> str:
    """Entities resolved (twice: reprints escape them again), simplified characters, half width, lower case,
    no layout white space. Punctuation stays.
    """
    return _LAYOUT_SPACE.sub("", _fold_characters(text))


def fold_letters(text: str) -> str:
    """Folded text without anything but letters and digits."""
    return _NOT_LETTERS.sub("", _fold_characters(text))


def _fold_characters(text: str) -> str:
    text = _LONE_SURROGATE.sub("\ufffd", html.unescape(html.unescape(text)))
    folded = fold(_INVISIBLE.sub("", _simplify(text)))
    for circle in _CIRCLES:  # `str.translate` would look up every character
        folded = folded.replace(circle, "〇")
    return folded


def fold_wording(text: str) -> str:
    """What two versions of one page are compared by: entities, character width, white space and forms of
    quotation marks and dashes don't count; every other mark does, and so does the script.
    """
    text = html.unescape(text).translate(_MARKS)
    return _SPACES.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)))


def fold_wording_at(text: str) -> tuple[str, list[int]]:
    """What `fold_wording` makes of a text without entities, and where each of its characters stands in the text."""
    letters, at = [], []
    for place, character in enumerate(text):
        if character.isspace() or _INVISIBLE.match(character):
            continue
        folded = unicodedata.normalize("NFKC", character.translate(_MARKS))
        for part in folded:
            if not part.isspace():
                letters.append(part)
                at.append(place)
    return "".join(letters), at


def fold_text(text: str) -> Folded:
    """Both forms, and the way back from one to the other."""
    marked = _fold_characters(text.replace("\n", f"\n{_LINE_END}"))
    plain = _LAYOUT_SPACE.sub("", marked.replace(_LINE_END, ""))
    at = tuple([index for index, character in enumerate(plain) if character.isalnum()])
    sizes = [len(_NOT_LETTERS.sub("", line)) for line in marked.split(_LINE_END)[:-1]]
    return Folded(plain, "".join([plain[index] for index in at]), at, tuple(accumulate(sizes)))


def _simplify(text: str) -> str:
    """Simplified characters, whichever forms are printed."""
    # Most texts have nothing to simplify, and looking for it takes a tenth of the time.
    if _changeable().search(text):
        for variant in _VARIANTS:
            text = _converter(variant).convert(text)
    return text


@cache
def _changeable() -> re.Pattern[str]:
    """A character without which OpenCC leaves a text as it is. It ends a text at NUL; rare ideographs, of which it
    changes some, are all taken for changeable."""
    printed = [chr(code) for codes in _IDEOGRAPHS for code in codes]
    found = {"\0", *_IN_WORDS}
    for variant in _VARIANTS:
        made = _converter(variant).convert("\n".join(printed)).split("\n")
        found.update(one for one, other in zip(printed, made, strict=True) if one != other)
    return re.compile(f"[{''.join(sorted(found))}\U00010000-\U0010ffff]")


@cache
def _converter(variant: str) -> OpenCC:
    return OpenCC(variant)
