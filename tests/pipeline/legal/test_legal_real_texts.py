"""What must hold for texts of courts, procuratorates and CNIPA as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.legal import KINDS, Fact, find_facts

NUMBERED = frozenset(
    (
        "case_number",
        "document_number",
        "amount",
        "patent",
        "trademark",
        "copyright_registration",
        "plant_variety",
        "statute",
        "statistic",
        "date",
    )
)


@pytest.fixture(scope="module")
def texts(captures: Path) -> list[str]:
    pages = [
        json.loads(file.read_text(encoding="utf-8"))
        for folder in ("court", "spp", "cnipa")
        for file in sorted((captures / "derived" / folder).glob("*.json"))
    ]
    return [f"{page['title']}\n{page['text']}" for page in pages]


def cut_out(text: str, facts: list[Fact]) -> str:
    """The text without the words of these facts; a comma keeps apart what stood on both sides."""
    kept, position = [], 0
    for fact in sorted(facts, key=lambda fact: (fact.start, fact.end)):
        if fact.end > position:
            kept.append(text[position : max(position, fact.start)])
            position = fact.end
    return "，".join((*kept, text[position:]))


def test_every_span_of_a_real_text_is_its_raw_text(texts: list[str]) -> None:
    assert len(texts) >= 20
    for text in texts:
        facts = find_facts(text)
        assert facts
        assert all(text[fact.start : fact.end] == fact.raw and fact.kind in KINDS for fact in facts)


def is_numbered(fact: Fact) -> bool:
    """A title alone is a fact at its first mention only: without that, the next mention is the first."""
    return fact.kind in NUMBERED and not (fact.kind == "statute" and fact.value["article"] is None)


def test_nothing_numbered_is_left_where_the_numbered_facts_were_cut_out(texts: list[str]) -> None:
    for text in texts:
        rest = cut_out(text, [fact for fact in find_facts(text) if is_numbered(fact)])
        assert [(fact.kind, fact.raw) for fact in find_facts(rest) if is_numbered(fact)] == []
