"""Gaps in the numbered series of a source (公告第612号, then 第614号), from the titles that its lists have shown.

A number is missing where a later one was published since the source is watched, and at least `FEWEST` of the `REACH`
numbers before that one are known: so a column that shows only some of a series has no gaps. Each is noted once, and
ends when a title with it is shown or stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.legal.document_numbers import find_document_numbers
from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Item, Listed, MissingNumber
from pipeline.store.write import insert_ignoring

REACH = 10
FEWEST = 3
_NEWEST = 300
"""Titles of a source that are looked at; older ones tell nothing of what is published now."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """What a look at a source's series found: the documents that are missing by now, and those that have arrived."""

    missing: tuple[str, ...]
    arrived: tuple[str, ...]


def note_missing_numbers(engine: Engine, source_key: str, now: datetime) -> Gaps:
    """Note which numbers of a source's series are missing, and which that were are no longer. Raises StoreError."""
    try:
        with engine.begin() as connection:
            return _note(connection, source_key, now)
    except DBAPIError as error:
        raise StoreError(
            f"Missing numbers of {source_key} could not be noted: {first_line(error)}."
        ) from error


def _note(connection: Connection, source_key: str, now: datetime) -> Gaps:
    known, fresh = _read_numbers(connection, source_key)
    noted: Any = connection.execute(
        select(MissingNumber.series, MissingNumber.number, MissingNumber.arrived_at).where(
            MissingNumber.source_key == source_key
        )
    ).all()
    found = {
        (series, number)
        for series, later in fresh
        if sum((series, before) in known for before in range(later - REACH, later)) >= FEWEST
        for number in range(_last_before(known, series, later) + 1, later)
    } - {(row.series, row.number) for row in noted}
    insert_ignoring(
        connection,
        MissingNumber,
        [
            {
                "source_key": source_key,
                "series": series,
                "number": number,
                "noted_at": now,
                "arrived_at": None,
            }
            for series, number in sorted(found)
        ],
    )
    arrived = [
        (row.series, row.number)
        for row in noted
        if row.arrived_at is None and (row.series, row.number) in known
    ]
    for series, number in arrived:
        connection.execute(
            update(MissingNumber)
            .where(
                MissingNumber.source_key == source_key,
                MissingNumber.series == series,
                MissingNumber.number == number,
            )
            .values(arrived_at=now)
        )
    return Gaps(_shown(found), _shown(arrived))


def _read_numbers(
    connection: Connection, source_key: str
) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    """All numbers of the source's titles, and those of entries that came since it is watched; each with its series."""
    known: set[tuple[str, int]] = set()
    fresh: set[tuple[str, int]] = set()
    listed = (
        select(Listed.title, Listed.baseline)
        .where(Listed.source_key == source_key, Listed.title.contains("号"))
        .order_by(Listed.first_seen_at.desc())
        .limit(_NEWEST)
    )
    for row in connection.execute(listed):
        numbers = set(_find_numbers(row.title))
        known |= numbers
        fresh |= set() if row.baseline else numbers
    # The title of a list may be cut.
    stored = (
        select(Item.title)
        .where(Item.source_key == source_key, Item.title.contains("号"))
        .order_by(Item.id.desc())
        .limit(_NEWEST)
    )
    for title in connection.scalars(stored):
        known.update(_find_numbers(title))
    return known, fresh


def _find_numbers(title: str) -> Iterator[tuple[str, int]]:
    for fact in find_document_numbers(title):
        serial, name = fact.value.get("serial"), fact.value.get("normalized")
        if fact.value.get("year") is None and isinstance(serial, int) and isinstance(name, str):
            yield name.replace(f"第{serial}号", "第N号"), serial


def _last_before(known: set[tuple[str, int]], series: str, later: int) -> int:
    return max(number for name, number in known if name == series and number < later)


def _shown(numbers: Any) -> tuple[str, ...]:
    return tuple(series.replace("第N号", f"第{number}号") for series, number in sorted(numbers))
