"""Every table of hand-written cases: all facts of its kind are found, and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipeline.legal import find_facts

HERE = Path(__file__).parent
TABLES = {
    "case_numbers": "case_number",
    "document_numbers": "document_number",
    "amounts": "amount",
    "ip_types": "ip_type",
    "courts": "court",
    "agencies": "agency",
    "patents": "patent",
    "trademarks": "trademark",
    "registrations": "copyright_registration+plant_variety",
    "statutes": "statute",
    "parties": "party",
    "proceedings": "procedure+instance+outcome+notice_kind",
    "statistics": "statistic",
    "dates": "date",
}


def read_cases(name: str) -> list[dict[str, Any]]:
    return list(tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))["case"])


EVERY_CASE = [
    pytest.param(kind, case, id=f"{name}-{number}")
    for name, kind in TABLES.items()
    for number, case in enumerate(read_cases(name), start=1)
]


@pytest.mark.parametrize(("kind", "case"), EVERY_CASE)
def test_a_text_yields_exactly_the_facts_listed_for_it(kind: str, case: dict[str, Any]) -> None:
    found = [fact for fact in find_facts(case["text"]) if fact.kind in kind.split("+")]
    assert [fact.raw for fact in found] == [expected["raw"] for expected in case["facts"]]
    for fact, expected in zip(found, case["facts"], strict=True):
        assert case["text"][fact.start : fact.end] == fact.raw
        stated = {
            key: None if value == "?" else value
            for key, value in expected.items()
            if key not in ("raw", "kind")
        }
        assert {key: fact.value[key] for key in stated} == stated
        assert fact.kind == expected.get("kind", fact.kind)
