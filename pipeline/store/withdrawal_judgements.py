"""A person's word on pages of a source that were gone at once: they are withdrawn, or the site has changed.

Nobody is told of such a withdrawal while it is `open`. `real`: its alerts, which were held back, are due. `dismissed`:
the item is not withdrawn, its alerts stay held, and the proofs stay on record; further looks at the page, while it
stays gone, change nothing. Either can be said once; a page that came back meanwhile needs no word.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, func, select, update

from errors import IprwatchError
from pipeline.store.lookup import find_item
from pipeline.store.outbox_rows import HELD
from pipeline.store.sketches import chunks
from pipeline.store.tables import Delivery, Item, Withdrawal
from pipeline.store.withdrawals import OPEN, REAL, name_event


class JudgementError(IprwatchError):
    """A word on withdrawals that can't be meant. Raised by `judge_withdrawals`; then nothing is written."""


def judge_withdrawals(
    engine: Engine,
    judgement: Literal["real", "dismissed"],
    items: Collection[str],
    source_key: str | None,
    *,
    author: str,
    reason: str,
) -> tuple[int, int]:
    """Judge the open withdrawals of these items (ids or URLs), or all of a source: how many, and alerts made due.

    Raises NoSuchItem; JudgementError without a reason, when both or neither is named, when one of the items, or the
    source, has none that is open.
    """
    if not reason.strip():
        raise JudgementError("A judgement needs a reason: it is recorded and shown.")
    if bool(items) == bool(source_key):
        raise JudgementError("Name items, or a source with --source, whose withdrawals are meant.")
    with engine.begin() as connection:
        open_ones = _find_open(connection, items, source_key)
        now = datetime.now(UTC)
        due = 0
        for withdrawal_id, item_id in open_ones:
            connection.execute(
                update(Withdrawal)
                .where(Withdrawal.id == withdrawal_id)
                .values(
                    judgement=judgement,
                    judged_at=now,
                    judged_by=author.strip() or None,
                    judged_reason=reason.strip(),
                )
            )
            if judgement == REAL:
                due += connection.execute(
                    update(Delivery)
                    .where(
                        Delivery.item_id == item_id,
                        Delivery.event == name_event(connection, withdrawal_id),
                        Delivery.state == HELD,
                    )
                    .values(state="due", detail=None, next_at=now)
                ).rowcount
    return len(open_ones), due


def _find_open(
    connection: Connection, given: Collection[str], source_key: str | None
) -> list[tuple[int, int]]:
    """The open withdrawals meant, each with its item, whose other writers wait until the transaction ends."""
    condition: Any = Item.source_key == source_key
    wanted = {find_item(connection, one): one for one in given}
    found: dict[int, int] = {}
    for chunk in chunks(wanted) if wanted else ([],):
        rows = connection.execute(
            select(Item.id, Withdrawal.id.label("withdrawal_id"))
            .join(Withdrawal, Withdrawal.item_id == Item.id)
            .where(
                Item.id.in_(chunk) if wanted else condition,
                Withdrawal.judgement == OPEN,
                Withdrawal.returned_at.is_(None),
            )
            .order_by(Item.id)
            .with_for_update(key_share=True)
        )
        found.update((row.id, row.withdrawal_id) for row in rows)
    if missing := [shown for item_id, shown in wanted.items() if item_id not in found]:
        raise JudgementError(
            f"Nothing waits for a word on {missing[0]}; `iprwatch withdrawals list --open` shows what does."
        )
    if not found:
        raise JudgementError(f"Nothing of {source_key} waits for a word.")
    return [(withdrawal_id, item_id) for item_id, withdrawal_id in found.items()]


def count_open(connection: Connection) -> int:
    """How many withdrawals wait for a person's word."""
    query = select(func.count()).select_from(Withdrawal)
    return connection.scalar(query.where(Withdrawal.judgement == OPEN, Withdrawal.returned_at.is_(None))) or 0
