"""Which sources were configured, from one start to the next: so that nobody loses half of them unseen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, insert, select

from errors import IprwatchError
from pipeline.store.tables import SourceSetRow

FEWEST = 0.8
"""The share of the sources of the last start that must still be there."""


class SourcesMissing(IprwatchError):
    """Many sources are gone from the configuration. Raised before anything is crawled that nobody watches: a monitor
    of half of its sources looks well, and hears nothing of the rest. The message names the option that accepts it."""


@dataclass(frozen=True, slots=True)
class SourceSet:
    """The keys of all sources at a start, and when they were noted (UTC)."""

    keys: tuple[str, ...]
    noted_at: datetime


def check_sources(engine: Engine, keys: Iterable[str], *, accept_fewer: bool = False) -> None:
    """Note which sources there are. Raises SourcesMissing when more than a fifth of the last ones is gone."""
    now = sorted(keys)
    before = last_source_set(engine)
    if before is not None and len(now) < FEWEST * len(before.keys) and not accept_fewer:
        gone = [key for key in before.keys if key not in now]
        shown = ", ".join(gone[:3]) + (f" and {len(gone) - 3} more" if len(gone) > 3 else "")
        raise SourcesMissing(
            f"Only {len(now)} sources are configured; at the last start, on {before.noted_at:%Y-%m-%d}, there were "
            f"{len(before.keys)}. Gone: {shown}. If that is meant, start once with --accept-fewer-sources."
        )
    if before is None or list(before.keys) != now:
        note_source_set(engine, now)


def last_source_set(engine: Engine) -> SourceSet | None:
    """The newest set; None before the first start."""
    query = select(SourceSetRow.source_keys, SourceSetRow.noted_at).order_by(SourceSetRow.id.desc()).limit(1)
    with engine.connect().execution_options(read_only=True) as connection:
        row = connection.execute(query).first()
    return None if row is None else SourceSet(tuple(row.source_keys), row.noted_at)


def note_source_set(engine: Engine, keys: Iterable[str]) -> None:
    """Keep a set that differs from the last one."""
    row = {"source_keys": list(keys), "noted_at": datetime.now(UTC)}
    with engine.begin() as connection:
        connection.execute(insert(SourceSetRow).values(row))
