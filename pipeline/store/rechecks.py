"""Planned rechecks: when the page of a stored article is asked for again, and what came of it.

Every item has a row in `recheck` from its own transaction on. Whoever sees the page again, by a recheck or by another
list, moves the plan on; a row that was taken comes due again after `CLAIM` when nothing was heard of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Address, Item, Recheck, Snapshot, Version, Withdrawal

PLAN = (timedelta(hours=6), timedelta(days=1), timedelta(days=7), timedelta(days=30))
"""When an article is asked for again, from the moment it was first seen."""

CLAIM = timedelta(hours=1)
"""For so long a row that a crawl has taken is left to it; so long is waited after a server gave no answer, too."""

PATIENCE = timedelta(days=7)
"""For so long after the last planned moment a page that can't be had is still tried."""


ENDINGS = (
    "unchanged", "edited", "gone", "moved", "expired", "unproven",
    "blocked", "changed", "down", "robots", "held", "not recorded", "error",
)  # fmt: skip
"""What may come of a recheck."""


@dataclass(frozen=True, slots=True)
class Due:
    """An item whose page is to be asked for: what is stored of it, and how the server may be asked.

    `entry` is the list entry that its newest version was read with, as stored. `addresses` are all of its keys.
    """

    item_id: int
    url: str
    reader: str
    title: str
    body: str
    entry: Mapping[str, Any] | None
    addresses: frozenset[str]
    first_seen_at: datetime
    due_at: datetime
    etag: str | None
    last_modified: str | None


def next_due(first_seen_at: datetime, now: datetime) -> datetime | None:
    """The first planned moment after now; None when none is left."""
    return next((first_seen_at + step for step in PLAN if first_seen_at + step > now), None)


def recheck_row(
    item_id: int, source_key: str, first_seen_at: datetime, validators: Mapping[str, str | None]
) -> dict[str, Any]:
    """The row of a new item."""
    return {
        "item_id": item_id,
        "source_key": source_key,
        "due_at": next_due(first_seen_at, first_seen_at),
        **validators,
        "checked_at": None,
        "outcome": None,
        "detail": None,
    }


def read_validators(headers: Mapping[str, str]) -> dict[str, str | None]:
    """The validators that an answer came with (headers with lower-case names), as columns."""
    return {"etag": headers.get("etag"), "last_modified": headers.get("last-modified")}


def note_seen(
    connection: Connection,
    item_id: int,
    first_seen_at: datetime,
    now: datetime,
    outcome: str,
    validators: Mapping[str, str | None] | None = None,
) -> None:
    """The page was there at this time: move the plan on, and end a withdrawal. Without validators the old ones stay."""
    connection.execute(
        update(Recheck)
        .where(Recheck.item_id == item_id)
        .values(
            due_at=next_due(first_seen_at, now),
            checked_at=now,
            outcome=outcome,
            detail=None,
            **(validators or {}),
        )
    )
    connection.execute(
        update(Withdrawal)
        .where(Withdrawal.item_id == item_id, Withdrawal.returned_at.is_(None), Withdrawal.gone_at <= now)
        .values(returned_at=now)
    )


def note_unchanged(
    engine: Engine, due: Due, now: datetime, validators: Mapping[str, str | None] | None = None
) -> None:
    """The page was asked for, and says what it said. Raises StoreError."""
    with _writing(engine, due) as connection:
        connection.execute(
            update(Item).where(Item.id == due.item_id, Item.last_seen_at < now).values(last_seen_at=now)
        )
        note_seen(connection, due.item_id, due.first_seen_at, now, "unchanged", validators)


def note_outcome(engine: Engine, due: Due, now: datetime, outcome: str, detail: str) -> None:
    """The page was answered for, and tells nothing more before the next planned moment. Raises StoreError."""
    _settle(
        engine, due, due_at=next_due(due.first_seen_at, now), checked_at=now, outcome=outcome, detail=detail
    )


def postpone(engine: Engine, due: Due, now: datetime, outcome: str, detail: str) -> None:
    """No answer came, or one of a server in trouble: ask again soon, but not for ever. Raises StoreError."""
    over = now >= due.first_seen_at + PLAN[-1] + PATIENCE
    _settle(engine, due, due_at=None if over else now + CLAIM, checked_at=now, outcome=outcome, detail=detail)


def release(engine: Engine, due: Due) -> None:
    """The page was not asked for after all. Raises StoreError."""
    _settle(engine, due, due_at=due.due_at)


def take_due(engine: Engine, source_key: str, now: datetime, most: int) -> list[Due]:
    """Take the items of a source whose pages are due by now, the longest waiting first, at most so many.

    Two crawls never take the same one. Raises StoreError.
    """
    try:
        with engine.begin() as connection:
            rows = connection.execute(
                select(
                    Recheck.item_id, Recheck.due_at, Recheck.etag, Recheck.last_modified,
                    Item.url, Item.reader, Item.title, Item.body, Item.first_seen_at, Item.version_number,
                )
                .join(Item, Item.id == Recheck.item_id)
                .where(Recheck.source_key == source_key, Recheck.due_at <= now)
                .order_by(Recheck.due_at, Recheck.item_id)
                .limit(most)
                .with_for_update(of=Recheck, key_share=True, skip_locked=True)
            ).all()  # fmt: skip
            taken = [row.item_id for row in rows]
            connection.execute(update(Recheck).where(Recheck.item_id.in_(taken)).values(due_at=now + CLAIM))
            addresses = _addresses(connection, taken)
            return [
                Due(
                    item_id=row.item_id,
                    url=row.url,
                    reader=row.reader,
                    title=row.title,
                    body=row.body,
                    entry=_entry(connection, row),
                    addresses=addresses[row.item_id],
                    first_seen_at=row.first_seen_at,
                    due_at=row.due_at,
                    etag=row.etag,
                    last_modified=row.last_modified,
                )
                for row in rows
            ]
    except DBAPIError as error:
        raise StoreError(f"The rechecks of {source_key} could not be taken: {first_line(error)}.") from error


def _addresses(connection: Connection, item_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {item_id: set() for item_id in item_ids}
    query = select(Address.item_id, Address.address).where(Address.item_id.in_(found))
    for row in connection.execute(query):
        found[row.item_id].add(row.address)
    return {item_id: frozenset(addresses) for item_id, addresses in found.items()}


def _entry(connection: Connection, row: Any) -> Mapping[str, Any] | None:
    entry: Mapping[str, Any] | None = connection.scalar(
        select(Snapshot.entry)
        .join(Version, Version.snapshot_sha256 == Snapshot.sha256)
        .where(
            Version.item_id == row.item_id,
            Version.number == row.version_number,
            Snapshot.kind == "article",
        )
        .order_by(Snapshot.url != row.url, Snapshot.id)
        .limit(1)
    )
    return entry


@contextmanager
def _writing(engine: Engine, due: Due) -> Iterator[Connection]:
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise StoreError(f"The recheck of {due.url} could not be noted: {first_line(error)}.") from error


def _settle(engine: Engine, due: Due, **values: Any) -> None:
    with _writing(engine, due) as connection:
        connection.execute(update(Recheck).where(Recheck.item_id == due.item_id).values(values))
