"""Leases: who may crawl a host now, and the fence that refuses the writes of those who no longer may.

A lease alone is not enough: a process that was stopped and continued doesn't know that another one has taken its
place. So each lease has an epoch that grows with every holder, and every write transaction of a crawl checks its
epochs inside the transaction. All times are those of the database's own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, event, func, select, text, update
from sqlalchemy.exc import DBAPIError

from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import LeaseRow
from pipeline.store.write import insert_ignoring

LENGTH = timedelta(seconds=90)
"""How long a lease holds when nobody renews it: so long a host stays closed after its crawl was killed."""
_IDLE = "60s"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class LeaseLost(StoreError):
    """A crawl may no longer write: its lease ended, and another process may hold the host by now.

    Raised by the fence at the start of each write transaction; nothing of it is written.
    """


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to crawl a host, until it ends or is given back. `epoch` tells this holder from all before."""

    host: str
    epoch: int
    holder: str


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else's lease: who holds it, and until when (UTC) unless it is renewed."""

    host: str
    holder: str
    expires_at: datetime


def acquire(
    engine: Engine,
    host: str,
    holder: str,
    length: timedelta = LENGTH,
    *,
    is_dead: Callable[[str], bool] = lambda _: False,
) -> Lease | Held:
    """Take the lease of a host if nobody holds it; else say who does. Raises StoreError.

    `is_dead` tells holders that are known to have ended: what they hold is free at once.
    """
    try:
        with engine.begin() as connection:
            free = {"host": host, "epoch": 0, "holder": "", "expires_at": _NEVER}
            insert_ignoring(connection, LeaseRow, [free])
            row = connection.execute(
                select(LeaseRow.epoch, LeaseRow.holder, LeaseRow.expires_at)
                .where(LeaseRow.host == host)
                .with_for_update()
            ).one()
            # The clock is asked when the row is ours: waiting for it may have taken long.
            now = read_clock(connection)
            if row.expires_at > now and not is_dead(row.holder):
                return Held(host, row.holder, row.expires_at)
            taken = {"epoch": row.epoch + 1, "holder": holder, "expires_at": now + length}
            connection.execute(update(LeaseRow).where(LeaseRow.host == host).values(taken))
    except DBAPIError as error:
        raise StoreError(f"The lease of {host} could not be taken: {first_line(error)}.") from error
    return Lease(host, row.epoch + 1, holder)


def find_holder(engine: Engine, host: str) -> Held | None:
    """Who holds the lease of a host now; None when it is free."""
    query = select(LeaseRow.host, LeaseRow.holder, LeaseRow.expires_at).where(LeaseRow.host == host)
    with engine.connect().execution_options(read_only=True) as connection:
        row = connection.execute(query).first()
        return Held(*row) if row is not None and row.expires_at > read_clock(connection) else None


def renew(engine: Engine, leases: Iterable[Lease], length: timedelta = LENGTH) -> None:
    """Let leases hold for another `length` from now. Raises LeaseLost when one has ended, and StoreError."""
    wanted = list(leases)
    try:
        with engine.begin() as connection:
            now = check(connection, wanted, lock=True)
            _end_at(connection, wanted, now + length)
    except DBAPIError as error:
        raise StoreError(f"The leases could not be renewed: {first_line(error)}.") from error


def release(engine: Engine, leases: Iterable[Lease]) -> None:
    """Give leases back, so that the next holder need not wait; those that were lost are left alone."""
    try:
        with engine.begin() as connection:
            _end_at(connection, leases, _NEVER)
    except DBAPIError as error:
        raise StoreError(f"The leases could not be given back: {first_line(error)}.") from error


def fence(engine: Engine, leases: Iterable[Lease]) -> None:
    """From now on every write transaction of this engine checks these leases before it does anything else.

    On PostgreSQL the rows stay locked until its end, so nobody can take a host over while it is being written for;
    a process that is stopped in between is cut off by the server. On SQLite there is one writer at a time.
    """
    held = tuple(leases)

    def check_first(connection: Connection) -> None:
        if connection.get_execution_options().get("read_only", False):
            return
        check(connection, held)
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.set_config("idle_in_transaction_session_timeout", _IDLE, True)))

    event.listen(engine, "begin", check_first)


def check(connection: Connection, leases: Iterable[Lease], *, lock: bool = False) -> datetime:
    """Raise LeaseLost unless all these leases hold; returns the database's time. `lock` keeps others from even
    checking the rows until the end of the transaction, as one needs who changes them."""
    held = {lease.host: lease for lease in leases}
    query = select(LeaseRow.host, LeaseRow.epoch, LeaseRow.holder, LeaseRow.expires_at)
    rows = connection.execute(
        query.where(LeaseRow.host.in_(held)).order_by(LeaseRow.host).with_for_update(read=not lock)
    ).all()
    now = read_clock(connection)
    standing = {row.host for row in rows if row.epoch == held[row.host].epoch and row.expires_at > now}
    for host in held:
        if host not in standing:
            raise LeaseLost(
                f"{host}: this crawl was held up for so long that its lease ended; it may write no more, "
                "and the next crawl completes it."
            )
    return now


def read_clock(connection: Connection) -> datetime:
    """The time by the database's clock (UTC), which all processes of an installation share."""
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.scalar(text("SELECT clock_timestamp()"))
        return moment.astimezone(UTC)
    written = connection.scalar(text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')"))
    return datetime.fromisoformat(str(written)).replace(tzinfo=UTC)


def _end_at(connection: Connection, leases: Iterable[Lease], moment: datetime) -> None:
    for lease in sorted(leases, key=lambda lease: lease.host):
        connection.execute(
            update(LeaseRow)
            .where(LeaseRow.host == lease.host, LeaseRow.epoch == lease.epoch)
            .values(expires_at=moment)
        )
