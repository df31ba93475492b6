"""Leases while a crawl lives: taken, waited for, renewed, lost, given back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from crawlers.lease_holder import is_dead, name_holder, show_holder
from crawlers.lease_keeper import LeaseKeeper
from pipeline.store.lease import Held, Lease, acquire, renew
from pipeline.store.tables import LeaseRow

HOST = "www.court.gov.cn"
ELSEWHERE = "process 7 on another machine [x 1]"


def dead_process() -> str:
    """The name of a process that has ended."""
    done = subprocess.run(
        [sys.executable, "-c", "from crawlers.lease_holder import name_holder as n; print(n(), end='')"],
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    return done.stdout


def no_wait(_seconds: float) -> None:
    raise AssertionError("nothing was to be waited for")


def expire(engine: Engine) -> None:
    with engine.begin() as connection:
        row = connection.execute(select(LeaseRow.host, LeaseRow.expires_at)).one()
        connection.execute(update(LeaseRow).values(expires_at=row.expires_at - timedelta(days=1)))


def renewing(engine: Engine, lease: Lease) -> Callable[[float], None]:
    return lambda _seconds: renew(engine, [lease], timedelta(hours=1))


def test_what_is_free_is_taken_at_once_and_given_back_at_the_end(engine: Engine) -> None:
    with LeaseKeeper(engine) as keeper:
        assert keeper.take([HOST, HOST, "www.spp.gov.cn"], wait=no_wait) == {}
        assert [lease.host for lease in keeper.leases] == [HOST, "www.spp.gov.cn"]
        assert isinstance(acquire(engine, HOST, "other"), Held)
    assert isinstance(acquire(engine, HOST, "other"), Lease)


def test_a_host_is_left_to_a_holder_that_lives(engine: Engine) -> None:
    other = acquire(engine, HOST, ELSEWHERE)
    assert isinstance(other, Lease)
    told: list[Held] = []
    with LeaseKeeper(engine) as keeper:
        busy = keeper.take([HOST], wait=renewing(engine, other), tell=told.append)
        assert keeper.leases == []
    assert busy[HOST].holder == ELSEWHERE
    assert [held.host for held in told] == [HOST]


def test_the_lease_of_a_silent_holder_is_waited_for(engine: Engine) -> None:
    acquire(engine, HOST, ELSEWHERE)
    with LeaseKeeper(engine) as keeper:
        assert keeper.take([HOST], wait=lambda _seconds: expire(engine)) == {}
        assert [lease.epoch for lease in keeper.leases] == [2]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells when a process started")
def test_a_process_that_was_killed_on_this_machine_is_not_waited_for(engine: Engine) -> None:
    acquire(engine, HOST, dead_process())
    with LeaseKeeper(engine) as keeper:
        assert keeper.take([HOST], wait=no_wait) == {}


def test_a_living_process_and_one_elsewhere_are_not_taken_for_dead() -> None:
    assert not is_dead(name_holder())
    assert not is_dead(ELSEWHERE)
    assert not is_dead("process 7 on a machine without /proc")


def test_people_are_shown_number_and_machine() -> None:
    assert show_holder(ELSEWHERE) == "process 7 on another machine"
    assert "[" not in show_holder(name_holder())


def test_a_lost_lease_is_noticed_when_it_is_renewed(engine: Engine) -> None:
    with LeaseKeeper(engine) as keeper:
        keeper.take([HOST])
        assert keeper.renew()
        expire(engine)
        assert not keeper.renew()
