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
_VALUES = {
    word: (kind, value)
    for kind, values in _TABLE.items()
    for value, words in values.items()
    for word in (*words["zh"], *words["en"])
}
_CHINESE = re.compile(
    "|".join(sorted((word for word in _VALUES if not word.isascii()), key=len, reverse=True))
)
_ENGLISH = re.compile(
    rf"\b({'|'.join(re.escape(word) for word in _VALUES if word.isascii())})s?\b", re.IGNORECASE
)


def find_proceedings(text: str) -> list[Fact]:
    """Find procedure and instance, each value once, at its first decisive words; value: `procedure` or `instance`."""
    folded = fold(text)
    found = [(_VALUES[match[0]], match.span(), "lexicon") for match in _CHINESE.finditer(folded)]
    if has_english(folded):
        found += [
            (_VALUES[match[1].lower()], match.span(), "English lexicon")
            for match in _ENGLISH.finditer(folded)
        ]
    facts: dict[tuple[str, str], Fact] = {}
    for (kind, value), (start, end), method in sorted(found, key=lambda item: item[1]):
        if (kind, value) not in facts:
            facts[(kind, value)] = cite(kind, text, start, end, {kind: value}, method)
    return list(facts.values())
