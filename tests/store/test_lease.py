"""Leases: one holder at a time, and a fence that lets nobody else write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, insert, select, update

from pipeline.store.lease import Held, Lease, LeaseLost, acquire, fence, release, renew
from pipeline.store.session import open_engine
from pipeline.store.tables import LeaseRow, Run
from pipeline.store.write import write_records
from tests.notices import make_record

HOST = "www.court.gov.cn"
OTHER = "www.spp.gov.cn"


def taken(engine: Engine, host: str = HOST, holder: str = "first") -> Lease:
    lease = acquire(engine, host, holder)
    assert isinstance(lease, Lease)
    return lease


def let_expire(engine: Engine, host: str = HOST) -> None:
    """As if nobody had renewed the lease for its whole length."""
    with engine.begin() as connection:
        ended = LeaseRow.expires_at
        now = connection.scalar(select(ended).where(LeaseRow.host == host))
        assert now is not None
        connection.execute(
            update(LeaseRow).where(LeaseRow.host == host).values(expires_at=now - timedelta(days=1))
        )


def count_runs(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Run)) or 0


@pytest.fixture
def fenced(store: Engine, database_url: str) -> Iterator[tuple[Engine, Lease]]:
    """Another engine on the same store, which writes only while its lease holds."""
    engine = open_engine(database_url)
    lease = taken(store)
    fence(engine, [lease])
    yield engine, lease
    engine.dispose()


def test_a_host_has_one_holder_at_a_time(engine: Engine) -> None:
    first = taken(engine)
    refused = acquire(engine, HOST, "second")
    assert isinstance(refused, Held)
    assert refused.holder == "first"
    assert isinstance(acquire(engine, OTHER, "second"), Lease)
    release(engine, [first])
    second = taken(engine, holder="second")
    assert second.epoch > first.epoch


def test_not_even_the_same_process_takes_a_lease_twice(engine: Engine) -> None:
    taken(engine)
    assert isinstance(acquire(engine, HOST, "first"), Held)


def test_a_lease_that_ended_is_free_for_the_next(engine: Engine) -> None:
    first = taken(engine)
    let_expire(engine)
    assert taken(engine, holder="second").epoch == first.epoch + 1


def test_a_renewed_lease_holds_longer(engine: Engine) -> None:
    first = taken(engine)
    before = acquire(engine, HOST, "second")
    renew(engine, [first], timedelta(days=1))
    after = acquire(engine, HOST, "second")
    assert isinstance(before, Held)
    assert isinstance(after, Held)
    assert after.expires_at - before.expires_at > timedelta(hours=23)


@pytest.mark.parametrize("taken_over", [True, False])
def test_a_lease_that_ended_is_not_renewed(engine: Engine, taken_over: bool) -> None:
    first = taken(engine)
    let_expire(engine)
    if taken_over:
        taken(engine, holder="second")
    with pytest.raises(LeaseLost, match=HOST):
        renew(engine, [first])


def test_giving_back_a_lost_lease_takes_nothing_from_its_new_holder(engine: Engine) -> None:
    first = taken(engine)
    let_expire(engine)
    taken(engine, holder="second")
    release(engine, [first])
    assert isinstance(acquire(engine, HOST, "third"), Held)


def test_one_lost_lease_of_several_is_noticed(engine: Engine) -> None:
    both = [taken(engine), taken(engine, OTHER)]
    let_expire(engine, OTHER)
    with pytest.raises(LeaseLost, match=OTHER):
        renew(engine, both)


def test_a_fenced_engine_writes_while_its_lease_holds(fenced: tuple[Engine, Lease]) -> None:
    engine, _ = fenced
    assert [written.outcome for written in write_records(engine, [make_record(1)])] == ["new"]


@pytest.mark.parametrize("taken_over", [True, False])
def test_a_fenced_engine_refuses_every_write_when_its_lease_has_ended(
    store: Engine, fenced: tuple[Engine, Lease], taken_over: bool
) -> None:
    engine, _ = fenced
    let_expire(store)
    if taken_over:
        taken(store, holder="second")
    with pytest.raises(LeaseLost, match="may write no more"):
        write_records(engine, [make_record(1)])
    before = count_runs(store)
    with pytest.raises(LeaseLost), engine.begin() as connection:
        connection.execute(insert(Run).values({}))
    assert count_runs(store) == before


def test_a_refused_write_leaves_nothing_locked(store: Engine, fenced: tuple[Engine, Lease]) -> None:
    engine, _ = fenced
    let_expire(store)
    with pytest.raises(LeaseLost):
        write_records(engine, [make_record(1)])
    assert [written.outcome for written in write_records(store, [make_record(1)])] == ["new"]


def test_reading_needs_no_lease(store: Engine, fenced: tuple[Engine, Lease]) -> None:
    engine, _ = fenced
    let_expire(store)
    with engine.connect().execution_options(read_only=True) as connection:
        assert connection.scalar(select(func.count()).select_from(Run)) == 1
