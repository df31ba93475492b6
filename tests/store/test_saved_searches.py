"""Searches that are kept by a name: they find what the search with its filters found."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.alerts.rules import Rule, Rules
from pipeline.expression import read_query, read_words
from pipeline.store.saved_searches import (
    NoSuchSearch,
    SavedSearchError,
    delete_search,
    list_searches,
    read_search,
    save_search,
)
from pipeline.store.write import write_records
from query.errors import QueryError
from query.fact_filters import FactFilter
from query.saved import join_expressions, write_expression
from query.search import search_items
from tests.notices import make_record

NOW = datetime(2026, 11, 28, 1, tzinfo=UTC)
BODY = "上海知识产权法院就（2024）沪73民终12号案作出判决，依据商标法第五十七条，判令赔偿40万元。"


@pytest.mark.parametrize(
    ("asked", "expression", "finds"),
    [
        ({"query": read_words(["商标 OR 专利"])}, "商标 OR 专利", True),
        ({"query": read_words(["域名"])}, "域名", False),
        (
            {"query": read_words(["商标 OR 专利"]), "sources": ["court_spc_interpretations", "spp_focus"]},
            '(商标 OR 专利) (source:"court_spc_interpretations" OR source:"spp_focus")',
            True,
        ),
        ({"facts": FactFilter(case_numbers=["(2024)沪73民终12号"])}, 'case:"(2024)沪73民终12号"', True),
        ({"facts": FactFilter(courts=["北知院"])}, 'court:"北知院"', False),
        (
            {"facts": FactFilter(amount_min=Decimal(300_000), amount_max=Decimal(500_000))},
            'amount:"CNY 300000..CNY 500000"',
            True,
        ),
        (
            {"facts": FactFilter(amount_max=Decimal("1E+5"), currency="USD")},
            'amount:"..USD 100000"',
            False,
        ),
        ({"facts": FactFilter(statutes=["商标法第五十七条"], ip_types=["trademark"])},
         'ip:"trademark" statute:"商标法第五十七条"', True),
        ({"since": date(2026, 1, 1), "until": date(2026, 10, 31)}, "date>=2026-01-01 date<=2026-10-31", False),
    ],
)  # fmt: skip
def test_an_expression_finds_what_the_filters_find(
    store: Engine, asked: dict[str, Any], expression: str, finds: bool
) -> None:
    record = make_record(1, body=BODY)
    write_records(store, [record])
    assert write_expression(**asked) == expression
    assert search_items(store, **asked).total == search_items(store, read_query(expression)).total == finds
    rule = Rule.model_validate({"name": "r", "query": expression, "send": [{"channel": "log"}]})
    assert bool(list(Rules([rule])(record, "new"))) is finds


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "Nothing is asked for"),
        ({"query": read_words(["商标"]), "withdrawn": True}, "--withdrawn"),
        ({"facts": FactFilter(parties=['某"公司'])}, "quotation mark"),
        ({"facts": FactFilter(amount_min=Decimal(1), currency="X1")}, "can't be saved"),
    ],
)
def test_what_no_expression_says_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        write_expression(**asked)


def test_joined_expressions_are_all_met() -> None:
    assert join_expressions("a OR b") == "a OR b"
    assert join_expressions("a OR b", "c") == "(a OR b) (c)"


def test_a_search_is_kept_read_and_forgotten(store: Engine) -> None:
    save_search(store, "商标 大案", "商标 amount>=100万", now=NOW)
    save_search(store, "all", "商标", now=NOW)
    kept = {"name": "商标 大案", "expression": "商标 amount>=100万", "saved_at": "2026-11-28T01:00:00+00:00"}
    assert read_search(store, "商标 大案") == kept
    assert [search["name"] for search in list_searches(store)] == ["all", "商标 大案"]
    with pytest.raises(SavedSearchError, match="saved already"):
        save_search(store, "all", "专利", now=NOW)
    delete_search(store, "all")
    with pytest.raises(NoSuchSearch, match="'all'"):
        read_search(store, "all")
    with pytest.raises(NoSuchSearch, match="'all'"):
        delete_search(store, "all")


@pytest.mark.parametrize("name", ["", " a", "a/b", "x" * 101])
def test_a_name_that_can_not_be_used_is_refused(store: Engine, name: str) -> None:
    with pytest.raises(SavedSearchError, match="is no name for a search"):
        save_search(store, name, "商标", now=NOW)
