"""How many hand-written cases of each kind are read right, left out or read wrong: nothing wrong, next to nothing left out."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.dates import parse_date
from pipeline.legal import Fact, find_facts
from tests.pipeline.legal.test_legal_tables import TABLES, read_cases

_DATES = tomllib.loads((Path(__file__).parents[1] / "date_cases.toml").read_text(encoding="utf-8"))
_BASE = _DATES.pop("base")
Figures = dict[str, Counter[str]]


def _agrees(fact: Fact, expected: dict[str, Any]) -> bool:
    return fact.raw == expected["raw"] and all(
        fact.value[key] == (None if value == "?" else value)
        for key, value in expected.items()
        if key not in ("raw", "kind")
    )


def figures_of_facts() -> Figures:
    """By table: `cases` are the facts that a person listed, `wrong` those found that nobody listed so."""
    figures: Figures = {}
    for name, kinds in TABLES.items():
        counts = figures[name] = Counter(cases=0, right=0, absent=0, wrong=0)
        for case in read_cases(name):
            found = [fact for fact in find_facts(case["text"]) if fact.kind in kinds.split("+")]
            counts["cases"] += len(case["facts"])
            for expected in case["facts"]:
                hit = next((fact for fact in found if _agrees(fact, expected)), None)
                counts["right" if hit else "absent"] += 1
                if hit:
                    found.remove(hit)
            counts["wrong"] += len(found)
    return figures


def figures_of_dates() -> Figures:
    """By group of printed dates; a string that must be refused and isn't is wrong."""
    figures: Figures = {}
    for name, group in _DATES.items():
        counts = figures[name] = Counter(cases=0, right=0, absent=0, wrong=0)
        for printed, expected, *_ in group["read"]:
            day = parse_date(printed, base=_BASE).day
            counts["cases"] += 1
            counts["absent" if day is None else "right" if day.isoformat() == expected[:10] else "wrong"] += 1
        counts["wrong"] += sum(
            parse_date(printed, base=_BASE).value is not None for printed, _ in group["refused"]
        )
    return figures


def _hold(figures: Figures) -> None:
    total: Counter[str] = Counter()
    for name, counts in figures.items():
        print(f"{name:20}", *(f"{key} {counts[key]:4}" for key in ("cases", "right", "absent", "wrong")))
        total.update(counts)
    assert {name: counts["wrong"] for name, counts in figures.items() if counts["wrong"]} == {}
    assert total["right"] >= 0.97 * total["cases"]


def test_of_the_listed_facts_none_is_wrong_and_97_of_100_are_found() -> None:
    _hold(figures_of_facts())


def test_of_the_printed_dates_none_is_wrong_and_97_of_100_are_read() -> None:
    _hold(figures_of_dates())


def test_there_are_enough_cases_to_mean_something() -> None:
    facts = figures_of_facts()
    assert facts["case_numbers"]["cases"] + facts["document_numbers"]["cases"] >= 120
    assert facts["amounts"]["cases"] >= 80
    assert sum(counts["cases"] for counts in figures_of_dates().values()) >= 150
