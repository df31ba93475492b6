"""How the hosts that were ever asked stand, as people read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, select

from pipeline.store.host_tables import Host
from pipeline.store.hosts import DatabaseNow


def list_hosts(engine: Engine, *, breaker_failures: int) -> list[dict[str, Any]]:
    """Every host with its state, the failing ones first; `next_at` is the earliest next request, in ISO form, UTC.

    States: `well`; `failing` (its last request failed); `left alone` (so many in a row failed that its circuit is
    open); `on trial` (the pause is over, and the next request tells).
    """
    query = select(
        Host.host, Host.next_at, (Host.next_at - DatabaseNow()).label("wait"), Host.failures, Host.reason
    ).order_by(Host.failures.desc(), Host.host)
    with engine.connect().execution_options(read_only=True) as connection:
        return [
            {
                "host": row.host,
                "state": _state(row.failures, row.wait, breaker_failures),
                "failures": row.failures,
                "reason": row.reason,
                "next_at": datetime.fromtimestamp(row.next_at, UTC).isoformat(timespec="seconds"),
                "wait": max(0, round(row.wait)),
            }
            for row in connection.execute(query)
        ]


def _state(failures: int, wait: float, breaker_failures: int) -> str:
    if failures < breaker_failures:
        return "failing" if failures else "well"
    return "left alone" if wait > 0 else "on trial"
