"""What a notice says, read out as facts: numbers, courts, money, rights, parties, law, course, outcome and dates.

Every rule states what it saw and where. What the text doesn't decide is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipeline.legal.agencies import find_agencies
from pipeline.legal.amounts import find_amounts
from pipeline.legal.case_numbers import find_case_numbers
from pipeline.legal.courts import court_before, find_courts
from pipeline.legal.dates_in_text import find_dates
from pipeline.legal.document_numbers import find_document_numbers
from pipeline.legal.fact import KINDS, Fact
from pipeline.legal.ip_types import find_ip_types
from pipeline.legal.notice_kinds import find_notice_kind
from pipeline.legal.outcomes import find_outcomes
from pipeline.legal.parties import find_parties
from pipeline.legal.patents import find_patents
from pipeline.legal.pinyin import find_in_pinyin
from pipeline.legal.proceedings import find_proceedings
from pipeline.legal.registrations import find_copyright_registrations, find_plant_varieties
from pipeline.legal.statistics import find_statistics
from pipeline.legal.statutes import find_statutes
from pipeline.legal.trademarks import find_trademarks

__all__ = [
    "FINDERS",
    "KINDS",
    "Fact",
    "find_agencies",
    "find_amounts",
    "find_case_numbers",
    "find_copyright_registrations",
    "find_courts",
    "find_dates",
    "find_document_numbers",
    "find_facts",
    "find_in_pinyin",
    "find_ip_types",
    "find_notice_kind",
    "find_outcomes",
    "find_parties",
    "find_patents",
    "find_plant_varieties",
    "find_proceedings",
    "find_statistics",
    "find_statutes",
    "find_trademarks",
]

FINDERS: tuple[Callable[[str], list[Fact]], ...] = (
    find_case_numbers,
    find_in_pinyin,
    find_document_numbers,
    find_courts,
    find_agencies,
    find_amounts,
    find_patents,
    find_trademarks,
    find_copyright_registrations,
    find_plant_varieties,
    find_parties,
    find_statutes,
    find_ip_types,
    find_proceedings,
    find_outcomes,
    find_notice_kind,
    find_statistics,
    find_dates,
)

_PLACES = {kind: place for place, kind in enumerate(KINDS)}


def find_facts(text: str) -> list[Fact]:
    """Return every fact of `text`, sorted by place. Total: no string makes it raise."""
    facts = [fact for find in FINDERS for fact in find(text)]
    facts = [_name_court(text, fact) if fact.kind == "case_number" else fact for fact in facts]
    return sorted(facts, key=lambda fact: (fact.start, fact.end, _PLACES[fact.kind]))


def _name_court(text: str, fact: Fact) -> Fact:
    """Take the court of a case number from the words before it, where its code doesn't say."""
    if fact.value["court_zh"] is not None or fact.method == "procuratorate":
        return fact
    court = court_before(text, fact.start)
    if court is None or court.value["court_code"] is None:
        return fact
    named = {f"court_{key}": court.value[f"name_{key}"] for key in ("zh", "en")}
    placed = {
        "court_level": court.value["level"],
        "court_region": court.value["region"],
        "court_method": "text",
    }
    return replace(fact, value=fact.value | named | placed)
