"""When a recipient is sent what, by a clock that tests set: midnight, weekends, holidays, worked weekends, DST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.alerts.timing import Timing

SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"


def at(text: str, zone: str = SHANGHAI, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        ("2026-11-24 21:59", "2026-11-24 21:59"),
        ("2026-11-24 22:00", "2026-11-25 08:00"),
        ("2026-11-24 23:59", "2026-11-25 08:00"),
        ("2026-11-25 00:00", "2026-11-25 08:00"),
        ("2026-11-25 07:59", "2026-11-25 08:00"),
        ("2026-11-25 08:00", "2026-11-25 08:00"),
    ],
)
def test_quiet_hours_over_midnight_delay_to_their_end(now: str, goes: str) -> None:
    assert Timing(quiet="22:00-08:00").may_go_at(at(now)) == at(goes)


def test_quiet_hours_within_a_day_delay_to_their_end() -> None:
    lunch = Timing(quiet="12:00-13:30")
    assert lunch.may_go_at(at("2026-11-24 12:10")) == at("2026-11-24 13:30")
    assert lunch.may_go_at(at("2026-11-24 23:00")) == at("2026-11-24 23:00")


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        ("2026-11-27 23:00", "2026-11-30 08:00"),  # Friday night, to Monday
        ("2026-09-30 22:30", "2026-10-08 08:00"),  # the evening before the National Day's holiday
        ("2026-10-05 12:00", "2026-10-08 08:00"),  # a Monday within it
        ("2026-10-09 23:00", "2026-10-10 08:00"),  # a Saturday that is worked in its stead
        ("2026-10-10 12:00", "2026-10-10 12:00"),
    ],
)
def test_workdays_are_those_of_offices_in_china(now: str, goes: str) -> None:
    assert Timing(quiet="22:00-08:00", workdays="china").may_go_at(at(now)) == at(goes)


@pytest.mark.parametrize("workdays", ["china", "mon-fri"])
def test_a_digest_on_weekends_alone_is_refused_where_only_workdays_are_told(workdays: str) -> None:
    with pytest.raises(ValidationError, match="'0 8 \\* \\* sat,sun' is due on weekends alone"):
        Timing.model_validate({"digest": "0 8 * * sat,sun", "workdays": workdays})
    assert Timing(digest="0 8 * * sat,sun").digest
    for digest in ("0 8 * * fri,sat", "0 8 1 1 *", "0 8 29 2 *", "*/5 * * * *"):
        assert Timing.model_validate({"digest": digest, "workdays": workdays}).digest


def test_monday_to_friday_know_no_holidays() -> None:
    assert Timing(workdays="mon-fri").may_go_at(at("2026-10-05 12:00")) == at("2026-10-05 12:00")
    assert Timing(workdays="mon-fri").may_go_at(at("2026-10-10 12:00")) == at("2026-10-12 00:00")


@pytest.mark.parametrize(
    ("written", "goes"),
    [
        ("2026-11-24 07:59", "2026-11-24 08:00"),
        ("2026-11-24 08:00", "2026-11-25 08:00"),  # what is written as a digest goes is for the next one
        ("2026-11-27 09:00", "2026-11-30 08:00"),
        ("2026-10-01 09:00", "2026-10-08 08:00"),
        ("2026-10-09 09:00", "2026-10-10 08:00"),
    ],
)
def test_a_digest_comes_at_its_time_on_a_workday(written: str, goes: str) -> None:
    timing = Timing(digest="0 8 * * *", workdays="china")
    assert timing.ready_at(at(written), at(written)) == at(goes)


def test_a_digest_that_was_missed_goes_as_soon_as_somebody_sends() -> None:
    timing = Timing(digest="0 8 * * *")
    assert timing.ready_at(at("2026-11-20 09:00"), at("2026-11-24 11:11")) == at("2026-11-24 11:11")


def test_a_digest_that_was_missed_still_keeps_quiet_hours() -> None:
    timing = Timing(digest="0 8 * * *", quiet="18:00-07:00")
    assert timing.ready_at(at("2026-11-20 09:00"), at("2026-11-24 20:00")) == at("2026-11-25 07:00")


@pytest.mark.parametrize(
    ("written", "goes"),
    [
        ("2026-03-27 12:00", "2026-03-28 07:00+00:00"),  # winter time
        ("2026-03-28 12:00", "2026-03-29 06:00+00:00"),  # the day on which summer time begins
        ("2026-10-24 12:00", "2026-10-25 07:00+00:00"),  # the day on which it ends
    ],
)
def test_a_digest_in_berlin_comes_at_eight_by_the_clock_there(written: str, goes: str) -> None:
    timing = Timing(digest="0 8 * * *", zone=BERLIN)
    assert timing.ready_at(at(written, BERLIN), at(written, BERLIN)) == datetime.fromisoformat(goes)


def test_quiet_hours_end_also_where_the_clock_leaps_over_their_end() -> None:
    timing = Timing(quiet="22:00-02:30", zone=BERLIN)
    assert timing.may_go_at(at("2026-03-29 01:30", BERLIN)) == at("2026-03-29 03:30", BERLIN)


def test_quiet_hours_end_the_second_time_where_the_clock_shows_them_twice() -> None:
    timing = Timing(quiet="22:00-02:30", zone=BERLIN)
    again = at("2026-10-25 02:10", BERLIN, fold=1)
    assert timing.may_go_at(again) == at("2026-10-25 02:30", BERLIN, fold=1)


@given(
    st.integers(0, 4 * 366 * 24 * 60).map(
        lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.tuples(st.times(), st.times()).map(lambda pair: tuple(f"{one:%H:%M}" for one in pair)),
    st.sampled_from([SHANGHAI, BERLIN, "America/St_Johns"]),
    st.sampled_from([None, "china", "mon-fri"]),
)
def test_what_is_delayed_may_go_at_the_moment_to_which_it_was_delayed(
    now: datetime, hours: tuple[str, str], zone: str, workdays: str | None
) -> None:
    quiet = "-".join(hours) if hours[0] != hours[1] else ""
    timing = Timing.model_validate({"quiet": quiet, "zone": zone, "workdays": workdays})
    goes = timing.may_go_at(now)
    assert goes >= now
    assert timing.may_go_at(goes) == goes


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"digest": "0 8 * *"}, "five fields"),
        ({"digest": "0 8 * * 1-5"}, "days as names"),
        ({"digest": "0 25 * * *"}, "no crontab"),
        ({"digest": "0 8 30 2 *"}, "never due"),
        ({"quiet": "22-8"}, "22:00-08:00"),
        ({"quiet": "08:00-08:00"}, "whole day"),
        ({"zone": "Asia/Peking"}, "no time zone"),
        ({"zone": "/etc/passwd"}, "no time zone"),
        ({"workdays": "germany"}, "workdays"),
        ({"empty_digest": True}, "needs a digest"),
    ],
)
def test_times_that_can_not_be_kept_are_refused(keys: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Timing.model_validate(keys)
