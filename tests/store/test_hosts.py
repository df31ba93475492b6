"""The turn at a host, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from pipeline.store.host_tables import Host
from pipeline.store.hosts import (
    ROBOTS_AGE,
    claim_host,
    look_at_host,
    recall_robots,
    release_host,
    remember_robots,
)

PLACE = "www.example.com"
ORIGIN = "https://www.example.com"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_a_host_that_nobody_has_asked_may_be_asked(engine: Engine) -> None:
    assert look_at_host(engine, PLACE).wait == 0
    assert claim_host(engine, PLACE, "one", 60).wait == 0


def test_a_claimed_host_is_busy_for_all_others(engine: Engine) -> None:
    claim_host(engine, PLACE, "one", 60)
    turn = claim_host(engine, PLACE, "two", 60)
    assert turn.busy
    assert 50 < turn.wait <= 60


def test_after_its_release_a_host_rests_for_the_pause_by_the_clock_of_the_database(engine: Engine) -> None:
    claim_host(engine, PLACE, "one", 60)
    release_host(engine, PLACE, "one", 30, failures=0, reason=None)
    turn = claim_host(engine, PLACE, "one", 60)
    assert not turn.busy
    assert 25 < turn.wait <= 30


def test_a_claim_ends_by_itself(engine: Engine) -> None:
    claim_host(engine, PLACE, "dead", 0)
    assert claim_host(engine, PLACE, "two", 60).wait == 0


def test_who_comes_back_after_its_claim_has_run_out_does_not_end_another_claim(engine: Engine) -> None:
    claim_host(engine, PLACE, "stopped", 0)
    claim_host(engine, PLACE, "two", 60)
    release_host(engine, PLACE, "stopped", 1, failures=0, reason=None)
    turn = look_at_host(engine, PLACE)
    assert turn.busy
    assert turn.wait > 50


@pytest.mark.parametrize(("first", "second", "least"), [(100, 10, 90), (10, 100, 90)])
def test_without_a_claim_a_rest_is_only_made_longer(
    engine: Engine, first: float, second: float, least: float
) -> None:
    release_host(engine, PLACE, "one", first, failures=0, reason=None)
    release_host(engine, PLACE, "two", second, failures=0, reason=None)
    assert look_at_host(engine, PLACE).wait > least


def test_failures_and_their_reason_are_seen_by_the_next_who_claims(engine: Engine) -> None:
    claim_host(engine, PLACE, "one", 60)
    release_host(engine, PLACE, "one", 0, failures=4, reason="HTTP 503")
    turn = claim_host(engine, PLACE, "two", 60)
    assert (turn.wait, turn.failures, turn.reason) == (0, 4, "HTTP 503")


def test_hosts_do_not_wait_for_each_other(engine: Engine) -> None:
    claim_host(engine, PLACE, "one", 60)
    assert claim_host(engine, "other.example.com", "two", 60).wait == 0


def test_a_rest_that_is_over_is_no_wait(engine: Engine) -> None:
    release_host(engine, PLACE, "one", 60, failures=0, reason=None)
    with engine.begin() as connection:
        connection.execute(update(Host).values(next_at=Host.next_at - 61))
    assert look_at_host(engine, PLACE).wait == 0


def test_robots_are_remembered_for_a_day(engine: Engine) -> None:
    remember_robots(engine, ORIGIN, 200, "User-agent: *\nDisallow: /", NOW)
    assert recall_robots(engine, ORIGIN, NOW) == (200, "User-agent: *\nDisallow: /")
    assert recall_robots(engine, ORIGIN, NOW + ROBOTS_AGE - timedelta(seconds=1)) is not None
    assert recall_robots(engine, ORIGIN, NOW + ROBOTS_AGE) is None


def test_robots_from_a_clock_that_went_wrong_are_not_believed(engine: Engine) -> None:
    remember_robots(engine, ORIGIN, 200, "", NOW + timedelta(days=400))
    assert recall_robots(engine, ORIGIN, NOW) is None


def test_newer_robots_take_the_place_of_older_ones_and_old_ones_are_dropped(engine: Engine) -> None:
    remember_robots(engine, "https://old.example.com", 200, "old", NOW - timedelta(days=2))
    remember_robots(engine, ORIGIN, 200, "first", NOW)
    remember_robots(engine, ORIGIN, 404, "", NOW + timedelta(hours=1))
    assert recall_robots(engine, ORIGIN, NOW + timedelta(hours=2)) == (404, "")
    assert recall_robots(engine, "https://old.example.com", NOW - timedelta(days=2)) is None
