"""Run rows as others read them: what became of the newest crawl of a source, and when the last one came to an end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from pipeline.store.tables import Run

OK = "ok"
RUNNING = "running"
ENDINGS = (
    "new",
    "edited",
    "known",
    "filtered",
    "gone",
    "blocked",
    "changed",
    "down",
    "robots",
    "held",
    "not recorded",
    "error",
)
"""What can become of an article that was asked for, as runs count it."""
RECHECK_ERROR = "recheck error"
FAULTS = ("blocked", "changed", "down", "robots", "held", "error", RECHECK_ERROR)
"""Those that leave something to be done. A recheck without an answer is planned again; one that was lost is a fault."""

_CLOCKS_DIFFER = timedelta(hours=1)
"""By so much the clocks of machines that share a store may differ."""


@dataclass(frozen=True, slots=True)
class RunState:
    """How a run stands; `state` is `running` while the crawl goes on and after it was killed."""

    run_id: int
    state: str
    reason: str | None
    counts: dict[str, Any]


def newest_runs(engine: Engine, source_keys: Iterable[str]) -> dict[str, RunState]:
    """The newest run of each of these sources that has one."""
    newest = select(func.max(Run.id)).where(Run.source_key.in_(list(source_keys))).group_by(Run.source_key)
    query = select(Run.source_key, Run.id, Run.state, Run.reason, Run.counts).where(Run.id.in_(newest))
    with engine.connect().execution_options(read_only=True) as connection:
        return {row[0]: RunState(*row[1:]) for row in connection.execute(query)}


def last_served(engine: Engine, now: datetime) -> dict[str, datetime]:
    """When the last crawl of each source began that came to an end, whatever became of it (UTC).

    One of the future was noted while a clock was wrong: it would keep its source from being crawled until then.
    """
    query = select(Run.source_key, func.max(Run.started_at)).where(
        Run.finished_at.is_not(None), Run.started_at <= now + _CLOCKS_DIFFER
    )
    with engine.connect().execution_options(read_only=True) as connection:
        return {row[0]: row[1] for row in connection.execute(query.group_by(Run.source_key))}
