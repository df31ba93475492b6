"""Text: what every database takes, and the form in which texts are compared and searched."""

from __future__ import annotations

import re
import unicodedata

# Most Chinese texts have no other characters that NFKC changes, and it passes over a text that has none quickly.
_WIDE_MARKS = (*((chr(ord(mark) + 0xFEE0), mark) for mark in ",:;?!()"), ("\u3000", " "))
_SPACES = re.compile(r"\s+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def make_storable(text: str) -> str:
    """The text with U+FFFD for each NUL and lone surrogate, which JSON can write and databases refuse.

    As many characters as before, so that spans stay true. PostgreSQL takes no NUL in text:
    https://www.postgresql.org/docs/current/datatype-character.html
    """
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def fold(text: str) -> str:
    """The form in which texts are compared and searched: NFKC (full-width to half-width), lower case, one
    space between words. Never stored in place of the text.
    """
    folded = unicodedata.normalize("NFKC", _narrow_marks(text)).casefold()
    # Folding case can leave marks in another order than NFKC has them.
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def fold_in_place(text: str) -> str | None:
    """A text folded character by character, so that every place in it stays what it was; None where that takes a look
    at each: where one becomes several, is composed with others, or has a rare wide form.
    """
    narrow = _narrow_marks(text)
    # A character of a text that NFKC leaves as it is, is left so alone too.
    folded = narrow.casefold()
    if len(folded) != len(text) or not all(
        unicodedata.is_normalized("NFKC", one) for one in (narrow, folded)
    ):
        return None
    spaced = _SPACES.sub(" ", folded)
    return spaced if len(spaced) == len(text) else None


def _narrow_marks(text: str) -> str:
    for printed, form in _WIDE_MARKS:
        text = text.replace(printed, form)
    return text


def title_key(title: str) -> str:
    """A title without spaces, punctuation and symbols, folded: equal for the same headline set differently."""
    return "".join(character for character in fold(title) if character.isalnum())
