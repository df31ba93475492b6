"""Keys of facts, what people ask for, and the data tables behind both."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.legal import KINDS, Fact, find_facts
from pipeline.legal.asked import AskedError, read_asked_amount, read_asked_case, read_asked_court
from pipeline.legal.fact_key import (
    LONGEST_KEY,
    MAIN_KEYS,
    VALUE_KEYS,
    fact_key,
    read_amount,
    squash,
)
from pipeline.legal.tables import read_table, table_names

CASES = Path(__file__).parent


def facts_of_the_cases() -> list[Fact]:
    texts = [
        str(case["text"])
        for file in sorted(CASES.glob("*.toml"))
        for cases in tomllib.loads(file.read_text("utf-8")).values()
        if isinstance(cases, list)
        for case in cases
        if isinstance(case, dict) and "text" in case
    ]
    return [fact for text in texts for fact in find_facts(text)]


FACTS = facts_of_the_cases()


def test_there_is_a_fact_of_every_kind_to_look_at() -> None:
    assert {fact.kind for fact in FACTS} == set(KINDS) == set(VALUE_KEYS) == set(MAIN_KEYS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_has_exactly_the_keys_that_are_declared(kind: str) -> None:
    assert {frozenset(fact.value) for fact in FACTS if fact.kind == kind} == {frozenset(VALUE_KEYS[kind])}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"amount"}))
def test_every_fact_has_a_key(kind: str) -> None:
    assert [fact for fact in FACTS if fact.kind == kind and fact_key(kind, fact.value).key is None] == []


def test_a_case_number_and_a_court_have_the_court_in_common() -> None:
    case, court = find_facts("（2022）粤0192民初2187号"), find_facts("广州互联网法院")
    assert fact_key("case_number", case[0].value).court == fact_key("court", court[0].value).court is not None


@given(st.text())
def test_squashing_is_total_short_and_final(text: str) -> None:
    squashed = squash(text)
    assert len(squashed) <= LONGEST_KEY
    assert not any(character.isspace() for character in squashed)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("350000", Decimal(350000)),
        ("0.005", Decimal("0.005")),
        ("-1", None),
        ("x", None),
        (None, None),
        ("1e26", None),
        ("NaN", None),
        ("Infinity", None),
    ],
)
def test_an_amount_that_no_index_holds_is_none(written: str | None, amount: Decimal | None) -> None:
    assert read_amount(written) == amount


@pytest.mark.parametrize(
    ("written", "sum_"),
    [
        ("350000", "350000"),
        ("1,200.50", "1200.50"),
        ("35万", "350000"),
        ("１．２亿", "120000000"),
        ("三百万", "3000000"),
    ],
)
def test_a_sum_may_be_asked_for_as_people_write_it(written: str, sum_: str) -> None:
    assert read_asked_amount(written) == Decimal(sum_)


@pytest.mark.parametrize("written", ["", "-5", "35万元", "x", "9" * 40])
def test_what_is_no_sum_is_refused(written: str) -> None:
    with pytest.raises(AskedError, match="is no sum"):
        read_asked_amount(written)


@given(st.text(max_size=40))
def test_asking_for_anything_gives_keys_or_a_refusal(text: str) -> None:
    for read in (read_asked_case, read_asked_court):
        try:
            answer = repr(read(text))
        except AskedError as error:
            answer = str(error)
        assert answer


@pytest.mark.parametrize("name", table_names())
def test_every_data_table_names_its_source_and_has_rows(name: str) -> None:
    table = read_table(name)
    assert "Source" in table.about or "GB/T" in table.about
    assert table.rows
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_every_data_file_of_the_rules_is_a_table() -> None:
    folder = Path(read_table.__code__.co_filename).parent
    assert {file.stem for file in folder.iterdir() if file.suffix in (".toml", ".csv")} == set(table_names())


def test_a_row_holds_what_the_file_says() -> None:
    table = read_table("statutes")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert {"section": "statute", "zh": "中华人民共和国专利法"}.items() <= rows[0].items()


def test_an_unknown_table_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        read_table("weather")
