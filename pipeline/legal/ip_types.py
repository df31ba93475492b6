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
_ENGLISH = {
    ip_type: re.compile(rf"\b(?:{'|'.join(map(re.escape, words['en']))})s?\b", re.IGNORECASE)
    for ip_type, words in _TABLE.items()
}


def find_ip_types(text: str) -> list[Fact]:
    """Find the first decisive mention of each kind; value: `ip_type`."""
    folded = fold(text)
    facts = []
    lowered = folded.lower() if has_english(folded) else ""
    if len(lowered) != len(folded):
        lowered = folded if lowered else ""
    for ip_type, words in _TABLE.items():
        spans = [(start, start + len(word)) for word in words["zh"] if (start := _find(folded, word)) >= 0]
        if any(word in lowered for word in words["en"]):
            spans += _find_english(ip_type, lowered)
        if spans:
            start, end = min(spans)
            method = "English lexicon" if folded[start:end].isascii() else "lexicon"
            facts.append(cite("ip_type", text, start, end, {"ip_type": ip_type}, method))
    return sorted(facts, key=lambda fact: fact.start)


def _find(folded: str, word: str) -> int:
    """Return where `word` first stands outside of the phrases that decide nothing, else -1."""
    start = folded.find(word)
    while start >= 0 and any(folded.startswith(phrase, start) for phrase in _NOT_DECISIVE["zh"]):
        start = folded.find(word, start + 1)
    return start


def _find_english(ip_type: str, lowered: str) -> list[tuple[int, int]]:
    for match in _ENGLISH[ip_type].finditer(lowered):
        if not any(lowered.startswith(phrase, match.start()) for phrase in _NOT_DECISIVE["en"]):
            return [match.span()]
    return []
