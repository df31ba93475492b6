"""Which procedure a text is about and which instance, each with the first words that decide it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.legal.fact import Fact, cite
from pipeline.legal.folding import fold, has_english

_TABLE: dict[str, dict[str, dict[str, list[str]]]] = tomllib.loads(
    Path(__file__).with_name("proceedings.toml").read_text(encoding="utf-8")
)
_NOT_DECISIVE = _TABLE.pop("not_decisive")["words"]


def _values_by_word(language: str) -> dict[str, tuple[str, str] | None]:
    words: dict[str, tuple[str, str] | None] = dict.fromkeys(_NOT_DECISIVE[language])
    return words | {
        word: (kind, value)
        for kind, values in _TABLE.items()
        for value, row in values.items()
        for word in row[language]
    }


_CHINESE = _values_by_word("zh")
_ENGLISH = _values_by_word("en")
_CHINESE_WORD = re.compile("|".join(sorted(_CHINESE, key=len, reverse=True)))
_ENGLISH_WORD = re.compile("(" + "|".join(sorted(map(re.escape, _ENGLISH), key=len, reverse=True)) + r")s?\b")


def find_proceedings(text: str) -> list[Fact]:
    """Find procedure and instance, each value once, at its first decisive words; value: `procedure` or `instance`."""
    folded = fold(text)
    found = [(_CHINESE[match[0]], match.span(), "lexicon") for match in _CHINESE_WORD.finditer(folded)]
    if has_english(folded):
        lowered = folded.lower()
        found += [
            (_ENGLISH[match[1]], match.span(), "English lexicon")
            for match in _ENGLISH_WORD.finditer(lowered if len(lowered) == len(folded) else folded)
            if not lowered[max(0, match.start() - 1) : match.start()].isalnum()
        ]
    facts: dict[tuple[str, str], Fact] = {}
    for decided, (start, end), method in sorted(found, key=lambda item: item[1]):
        if decided is not None and decided not in facts:
            kind, value = decided
            facts[decided] = cite(kind, text, start, end, {kind: value}, method)
    return list(facts.values())
