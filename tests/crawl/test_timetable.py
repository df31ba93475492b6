"""When sources are due: workdays as China has them, missed times made good once, whoever crawled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from crawlers.runs import close_interrupted, close_watch, open_watch
from crawlers.source import Source
from crawlers.timetable import Timetable, due_sources, pick_due
from pipeline.dates import SHANGHAI
from pipeline.health import workdays
from pipeline.health.workdays import is_workday, kind_of_day, warn_of_unknown_year

WORKDAYS = "20 8,17 * * mon-fri"


def source(crontab: str) -> Source:
    return Source(
        key="court_example", reader="court_gov", url="https://www.court.gov.cn/fabu/gengduo/16.html", name_zh="例",
        name_en="Example", publisher_zh="例", publisher_en="Example", topics=(), crontab=crontab, least=0,
        proven=False,
    )  # fmt: skip


def china(day: str, clock: str = "00:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-02-17", "holiday"),  # Spring Festival, a Tuesday
        ("2026-02-21", "holiday"),  # a Saturday within it
        ("2026-02-28", "workday"),  # a Saturday worked in its stead
        ("2026-03-02", "workday"),
        ("2026-03-07", "weekend"),
    ],
)
def test_days_are_what_the_state_council_announced(day: str, kind: str) -> None:
    assert kind_of_day(date.fromisoformat(day)) == kind


def test_monday_to_friday_are_workdays_in_years_that_are_not_known() -> None:
    monday = date(workdays.LAST_KNOWN_YEAR + 2, 1, 1)
    while monday.weekday():
        monday += timedelta(days=1)
    kinds = [kind_of_day(monday + timedelta(days=number)) for number in range(7)]
    assert kinds == ["workday"] * 5 + ["weekend"] * 2


def test_the_end_of_the_known_years_is_told_in_time() -> None:
    last = workdays.LAST_KNOWN_YEAR
    assert warn_of_unknown_year(date(last, 6, 1)) is None
    for day in (date(last, 12, 20), date(last + 1, 3, 1)):
        warning = warn_of_unknown_year(day)
        assert warning is not None
        assert str(last + 1) in warning


def test_monday_to_friday_means_workdays() -> None:
    times = Timetable(WORKDAYS)
    assert times.next_after(china("2026-02-28")) == china("2026-02-28", "08:20")  # a Saturday, worked
    assert times.next_after(china("2026-02-28", "08:20")) == china("2026-02-28", "17:20")
    assert times.next_after(china("2026-02-28", "17:20")) == china("2026-03-02", "08:20")
    assert times.next_after(china("2026-02-14", "18:00")) == china("2026-02-24", "08:20")


@pytest.mark.parametrize("crontab", ["9 9 * * *", "9 9 * * mon,tue", "9 9 17 2 *"])
def test_other_days_are_meant_as_they_are_written(crontab: str) -> None:
    assert Timetable(crontab).next_after(china("2026-02-17")) == china("2026-02-17", "09:09")


def test_a_crontab_without_any_time_has_no_next_one() -> None:
    assert Timetable("0 9 31 2 *").next_after(china("2026-01-01")) is None


@given(minutes=st.integers(0, 700 * 24 * 60), jitter=st.integers(0, 60))
def test_times_are_on_workdays_go_forward_and_jitter_only_delays(minutes: int, jitter: int) -> None:
    exact, spread = Timetable(WORKDAYS), Timetable(WORKDAYS, jitter=jitter)
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    due = exact.get_next_fire_time(None, moment)
    started = spread.get_next_fire_time(None, moment)
    assert due is not None
    assert started is not None
    assert due >= moment
    assert is_workday(due.date())
    assert timedelta(0) <= started - due <= timedelta(seconds=jitter)
    following = spread.get_next_fire_time(started, started)
    assert following is not None
    assert following.date() > started.date() or following.hour == 17


def test_a_source_is_due_from_its_time_until_it_was_crawled() -> None:
    watched = source(WORKDAYS)
    yesterday = {watched.key: china("2026-11-19", "17:20")}
    assert pick_due([watched], yesterday, china("2026-11-20", "08:19")) == []
    assert pick_due([watched], yesterday, china("2026-11-20", "08:20")) == [watched]
    # Missed for a month or for a minute: once it was crawled, all that was missed is made good.
    assert pick_due([watched], yesterday, china("2026-12-20", "08:20")) == [watched]
    assert (
        pick_due([watched], {watched.key: china("2026-12-20", "08:21")}, china("2026-12-20", "12:00")) == []
    )


def test_a_source_that_was_never_crawled_is_due_at_once() -> None:
    watched = source("0 9 1 1 *")
    assert pick_due([watched], {}, china("2026-11-20")) == [watched]


def test_a_finished_crawl_serves_and_a_killed_one_does_not(engine: Engine) -> None:
    watched = source("*/10 * * * *")
    now = datetime.now(UTC)
    open_watch(engine, watched, baseline=True)
    assert due_sources(engine, [watched], now) == [watched]
    close_interrupted(engine, [watched.key])
    assert due_sources(engine, [watched], now) == [watched]
    close_watch(engine, open_watch(engine, watched, baseline=True))
    assert due_sources(engine, [watched], now) == []
    assert due_sources(engine, [watched], now + timedelta(minutes=11)) == [watched]


def test_a_crawl_that_was_noted_while_the_clock_was_years_ahead_does_not_serve(engine: Engine) -> None:
    watched = source("*/10 * * * *")
    now = datetime.now(UTC)
    close_watch(engine, open_watch(engine, watched, baseline=True))
    assert due_sources(engine, [watched], now - timedelta(minutes=59)) == []
    assert due_sources(engine, [watched], now - timedelta(days=2000)) == [watched]
