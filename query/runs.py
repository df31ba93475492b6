"""Runs of sources, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, func, select

from pipeline.store.tables import Run


def list_runs(
    engine: Engine,
    sources: Sequence[str] = (),
    *,
    states: Sequence[str] = (),
    before: int | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """The newest runs, of these sources and in these states where any are given; `before` leaves out what isn't
    older than the run of this id. Times in ISO form, UTC."""
    query = select(*Run.__table__.columns).order_by(Run.id.desc()).limit(limit)
    if sources:
        query = query.where(Run.source_key.in_(sources))
    if states:
        query = query.where(Run.state.in_(states))
    if before is not None:
        query = query.where(Run.id < before)
    return _read(engine, query)


def last_runs(engine: Engine) -> dict[str, dict[str, Any]]:
    """The newest run of each source that has one, by its key."""
    newest = select(func.max(Run.id)).group_by(Run.source_key)
    runs = _read(engine, select(*Run.__table__.columns).where(Run.id.in_(newest)))
    return {run["source"]: run for run in runs}


def _read(engine: Engine, query: Any) -> list[dict[str, Any]]:
    with engine.connect().execution_options(read_only=True) as connection:
        return [
            {
                "id": row.id,
                "source": row.source_key,
                "state": row.state,
                "reason": row.reason,
                "baseline": row.baseline,
                "counts": row.counts,
                **{
                    name: at.isoformat(timespec="seconds") if (at := getattr(row, name)) else None
                    for name in ("started_at", "finished_at", "list_read_at")
                },
            }
            for row in connection.execute(query)
        ]
