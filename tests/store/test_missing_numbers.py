"""Gaps in the numbered series of a source: what is missing, from when on, and until when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from pipeline.store.listed import Shown, remember_list
from pipeline.store.missing_numbers import REACH, Gaps, note_missing_numbers
from pipeline.store.tables import MissingNumber
from pipeline.store.write import write_records
from tests.notices import CONTEXT, make_record

KEY = CONTEXT.source_key
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
NOTHING = Gaps((), ())


def title_of(number: int) -> str:
    return f"国家知识产权局关于专利代理机构执业许可审批的公告（第{number}号）"


def shown(number: int) -> str:
    return f"国家知识产权局公告第{number}号"


def list_titles(store: Engine, *titles: str, baseline: bool = False, source: str = KEY) -> None:
    entries = [Shown(f"url:{title}", "https://www.cnipa.gov.cn/", title) for title in titles]
    remember_list(store, source, entries, baseline=baseline, now=NOW, evidence=None)


def look(store: Engine) -> Gaps:
    return note_missing_numbers(store, KEY, NOW)


@pytest.fixture
def series(store: Engine) -> Engine:
    """A source that showed 609 to 612 when it was first read."""
    list_titles(store, *map(title_of, range(609, 613)), baseline=True)
    return store


def test_a_number_that_was_passed_over_is_missing(series: Engine) -> None:
    list_titles(series, title_of(614))
    assert look(series) == Gaps((shown(613),), ())


def test_what_is_missing_is_reported_once(series: Engine) -> None:
    list_titles(series, title_of(614))
    look(series)
    assert look(series) == NOTHING


def test_a_number_that_comes_late_is_no_longer_missing(series: Engine) -> None:
    list_titles(series, title_of(615))
    look(series)
    list_titles(series, title_of(613))
    assert look(series) == Gaps((), (shown(613),))
    assert look(series) == NOTHING
    with series.connect() as connection:
        rows = connection.execute(select(MissingNumber.number, MissingNumber.arrived_at)).all()
    assert sorted(map(tuple, rows)) == [(613, NOW), (614, None)]


def test_numbers_in_order_have_no_gap_in_whatever_order_the_list_shows_them(series: Engine) -> None:
    list_titles(series, title_of(614), title_of(613))
    assert look(series) == NOTHING


def test_gaps_of_before_the_source_was_watched_are_none(store: Engine) -> None:
    list_titles(store, *map(title_of, (605, 606, 608, 609)), baseline=True)
    list_titles(store, title_of(610))
    assert look(store) == NOTHING


def test_a_column_that_shows_only_some_of_a_series_has_no_gaps(store: Engine) -> None:
    list_titles(store, title_of(601), title_of(607), baseline=True)
    list_titles(store, title_of(612))
    assert look(store) == NOTHING


def test_a_leap_beyond_reach_begins_another_stretch(series: Engine) -> None:
    list_titles(series, title_of(612 + REACH))
    assert look(series) == NOTHING


def test_another_issuer_kind_or_source_is_another_series(series: Engine) -> None:
    list_titles(series, "国家知识产权局令（第614号）", "商务部公告第614号")
    list_titles(series, title_of(614), source="spp_focus")
    assert look(series) == NOTHING


def test_numbers_that_begin_anew_each_year_are_no_series(store: Engine) -> None:
    list_titles(store, *(f"国知发保字〔2026〕{number}号" for number in (1, 2, 3, 4)), baseline=True)
    list_titles(store, "国知发保字〔2026〕6号")
    assert look(store) == NOTHING


def test_a_number_that_only_the_title_of_the_page_shows_is_there(series: Engine) -> None:
    write_records(series, [make_record(1, title=title_of(613))])
    list_titles(series, title_of(614))
    assert look(series) == NOTHING
