"""Which kinds of intellectual property a text is about, each with the first words that decide it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.legal.fact import Fact, cite
from pipeline.legal.folding import fold, has_english

_TABLE: dict[str, dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("ip_types.toml").read_text(encoding="utf-8")
)
_NOT_DECISIVE = _TABLE.pop("not_decisive")
IP_TYPES: tuple[str, ...] = tuple(_TABLE)


def _types_by_word(language: str) -> dict[str, str | None]:
    words: dict[str, str | None] = dict.fromkeys(_NOT_DECISIVE[language])
    return words | {word: ip_type for ip_type, row in _TABLE.items() for word in row[language]}


_CHINESE = _types_by_word("zh")
_ENGLISH = _types_by_word("en")
_CHINESE_WORD = re.compile("|".join(sorted(_CHINESE, key=len, reverse=True)))
_ENGLISH_WORD = re.compile("(" + "|".join(sorted(map(re.escape, _ENGLISH), key=len, reverse=True)) + ")s?")


def read_ip_type(written: str) -> str | None:
    """The kind that a word names, alone: trademark, 商标, 實用新型; None where it names none."""
    word = fold(written).strip().lower()
    return word if word in IP_TYPES else _CHINESE.get(word) or _ENGLISH.get(word)


def find_ip_types(text: str) -> list[Fact]:
    """Find the first decisive mention of each kind; value: `ip_type`."""
    folded = fold(text)
    found: dict[str, Fact] = {}
    for match in _CHINESE_WORD.finditer(folded):
        ip_type = _CHINESE[match[0]]
        if ip_type is not None and ip_type not in found:
            found[ip_type] = cite("ip_type", text, *match.span(), {"ip_type": ip_type}, "lexicon")
    if has_english(folded):
        lowered = folded.lower()
        # İ and its like change the length; such a text is searched as it is.
        for match in _ENGLISH_WORD.finditer(lowered if len(lowered) == len(folded) else folded):
            ip_type = _ENGLISH[match[1]]
            if ip_type is None or not _is_whole(match):
                continue
            if ip_type not in found or match.start() < found[ip_type].start:
                found[ip_type] = cite("ip_type", text, *match.span(), {"ip_type": ip_type}, "English lexicon")
    return sorted(found.values(), key=lambda fact: (fact.start, fact.end))


def _is_whole(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 1) : match.start()]
    behind = match.string[match.end() : match.end() + 1]
    return not (before.isalnum() and before.isascii()) and not (behind.isalnum() and behind.isascii())
