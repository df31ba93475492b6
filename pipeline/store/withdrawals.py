"""Vanished pages: an item is withdrawn when its page was seen gone twice, hours apart, on a host that works.

Nothing is ever deleted: item, versions and facts stay, flagged with the kind, the times and the proofs. A page that
comes back ends the withdrawal and leaves its record (`pipeline.store.rechecks.note_seen`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, exists, func, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.store.outbox_rows import HELD
from pipeline.store.rechecks import Due, next_due
from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Delivery, Item, Recheck, Withdrawal
from pipeline.store.write import insert_ignoring

APART = timedelta(hours=6)
"""Between the first look at a page that is gone and the one that confirms it, at least."""

MANY = 5
"""More pages of a source than these, first seen gone within `TOGETHER` and still gone, are a change of the site."""

TOGETHER = timedelta(days=1)

KINDS = {
    "deleted": "deleted by its author",
    "violation": "taken down for a violation",
    "account": "its account is blocked, closed or has moved",
    "unavailable": "not there any more",
}
"""What a withdrawal is, with the words for it."""

OPEN, REAL, DISMISSED = "open", "real", "dismissed"
"""What a withdrawal that is one of many is taken for (`pipeline.store.withdrawal_judgements`)."""

_ONE_OF_MANY = "one of many pages of its source that are gone at once; the operators are told"

Standing = Literal["suspected", "confirmed", "held", "known"]
Deliveries = Callable[[Connection, str], Sequence[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Absence:
    """A page that is gone, as seen at one time: kind, the evidence in words, the SHA-256 of what was served instead,
    and a page of the same host that was read well in the same crawl."""

    kind: str
    detail: str
    sha256: str
    seen_at: datetime
    control_url: str


def note_absence(engine: Engine, due: Due, absence: Absence, deliveries: Deliveries) -> tuple[Standing, int]:
    """Note that an item's page is gone, and how that stands: seen for the first time, confirmed now, or known already.

    `deliveries` gives the outbox rows for the event of a withdrawal that is confirmed now; they are written with it,
    and counted. One that is confirmed as one of many (`MANY`) stands like any other, but its alerts are held back
    until a person says that it is real (`pipeline.store.withdrawal_judgements`). Raises StoreError.
    """
    try:
        with engine.begin() as connection:
            # Locked as every writer of the item does: of two that see the page gone, one confirms.
            last_seen_at = connection.scalar(
                select(Item.last_seen_at).where(Item.id == due.item_id).with_for_update(key_share=True)
            )
            standing, withdrawal_id = _note(connection, due, absence, last_seen_at)
            told = 0
            if standing in ("confirmed", "held"):
                rows = deliveries(connection, name_event(connection, withdrawal_id))
                if standing == "held":
                    rows = [{**row, "state": HELD, "detail": _ONE_OF_MANY} for row in rows]
                insert_ignoring(connection, Delivery, rows)
                told = len(rows) if standing == "confirmed" else 0
            return standing, told
    except DBAPIError as error:
        raise StoreError(f"That {due.url} is gone could not be noted: {first_line(error)}.") from error


_STANDING = (
    Withdrawal.confirmed_at.is_not(None),
    Withdrawal.returned_at.is_(None),
    func.coalesce(Withdrawal.judgement, OPEN) != DISMISSED,
)
_STANDING_OF = select(Withdrawal.item_id, Withdrawal.kind, Withdrawal.detail, Withdrawal.gone_at).where(
    Withdrawal.item_id.in_(bindparam("items", expanding=True)), *_STANDING
)


def is_withdrawn() -> ColumnElement[bool]:
    """The condition on `item`: its page is gone, that is confirmed, and nobody dismissed it."""
    return exists().where(Withdrawal.item_id == Item.id, *_STANDING)


def standing_withdrawals(connection: Connection, item_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Kind, words and time (`gone_at`, UTC) of the withdrawals that stand, by item."""
    return {
        row.item_id: {"kind": row.kind, "detail": row.detail, "gone_at": row.gone_at}
        for row in connection.execute(_STANDING_OF, {"items": list(item_ids)})
    }


def describe_standing(withdrawal: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A withdrawal that stands, as JSON; None of none."""
    return {**withdrawal, "gone_at": withdrawal["gone_at"].isoformat()} if withdrawal else None


def _note(connection: Connection, due: Due, absence: Absence, last_seen_at: Any) -> tuple[Standing, int]:
    insert_ignoring(
        connection,
        Withdrawal,
        [
            {
                "item_id": due.item_id,
                "kind": absence.kind,
                "detail": absence.detail,
                "seen_until": last_seen_at,
                "gone_at": absence.seen_at,
                "snapshot_sha256": absence.sha256,
                "confirmed_at": None,
                "confirmed_sha256": None,
                "control_url": absence.control_url,
                "returned_at": None,
            }
        ],
    )
    opened: Any = connection.execute(
        select(Withdrawal.id, Withdrawal.gone_at, Withdrawal.confirmed_at).where(
            Withdrawal.item_id == due.item_id, Withdrawal.returned_at.is_(None)
        )
    ).one()
    standing: Standing = "known"
    again = next_due(due.first_seen_at, absence.seen_at)
    if opened.confirmed_at is None and absence.seen_at - opened.gone_at >= APART:
        standing = "held" if _is_one_of_many(connection, due.item_id, opened.gone_at) else "confirmed"
        connection.execute(
            update(Withdrawal)
            .where(Withdrawal.id == opened.id)
            .values(
                kind=absence.kind,
                detail=absence.detail,
                confirmed_at=absence.seen_at,
                confirmed_sha256=absence.sha256,
                control_url=absence.control_url,
                judgement=OPEN if standing == "held" else None,
            )
        )
    elif opened.confirmed_at is None:
        standing, again = "suspected", opened.gone_at + APART
    connection.execute(
        update(Recheck)
        .where(Recheck.item_id == due.item_id)
        .values(due_at=again, checked_at=absence.seen_at, outcome="gone", detail=absence.detail)
    )
    return standing, opened.id


def _is_one_of_many(connection: Connection, item_id: int, gone_at: datetime) -> bool:
    own = select(Item.source_key).where(Item.id == item_id).scalar_subquery()
    number = connection.scalar(
        select(func.count())
        .select_from(Withdrawal)
        .join(Item, Item.id == Withdrawal.item_id)
        .where(
            Item.source_key == own,
            Withdrawal.returned_at.is_(None),
            Withdrawal.gone_at.between(gone_at - TOGETHER, gone_at + TOGETHER),
        )
    )
    return (number or 0) > MANY


def name_event(connection: Connection, withdrawal_id: int) -> str:
    """The event of a confirmed withdrawal: `withdrawn`, and `withdrawn 2` … of an item that had come back before."""
    item_id = select(Withdrawal.item_id).where(Withdrawal.id == withdrawal_id).scalar_subquery()
    number = connection.scalar(
        select(func.count())
        .select_from(Withdrawal)
        .where(
            Withdrawal.item_id == item_id,
            Withdrawal.id <= withdrawal_id,
            Withdrawal.confirmed_at.is_not(None),
        )
    )
    return "withdrawn" if number == 1 else f"withdrawn {number}"
