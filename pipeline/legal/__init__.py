"""What a notice says, read out as facts: numbers, courts, money, rights, parties, law, course and outcome.

Every rule states what it saw and where. What the text doesn't decide is None, never a guess.
"""

from __future__ import annotations

from pipeline.legal.amounts import find_amounts
from pipeline.legal.case_numbers import find_case_numbers, find_in_pinyin
from pipeline.legal.document_numbers import find_document_numbers
from pipeline.legal.fact import KINDS, Fact
from pipeline.legal.ip_types import find_ip_types

__all__ = [
    "KINDS",
    "Fact",
    "find_amounts",
    "find_case_numbers",
    "find_document_numbers",
    "find_facts",
    "find_in_pinyin",
    "find_ip_types",
]

FINDERS = (find_case_numbers, find_in_pinyin, find_document_numbers, find_amounts, find_ip_types)


def find_facts(text: str) -> list[Fact]:
    """Return every fact of `text`, sorted by place. Total: no string makes it raise."""
    facts = [fact for find in FINDERS for fact in find(text)]
    return sorted(facts, key=lambda fact: (fact.start, fact.end, KINDS.index(fact.kind)))
