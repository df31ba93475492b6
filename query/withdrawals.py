"""Withdrawals as people read them: whose page is gone, since when, with what proof, and who was told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select

from pipeline.store.sketches import chunks
from pipeline.store.tables import Delivery, Item, Withdrawal
from pipeline.store.withdrawals import OPEN

_SHOWN = (
    Withdrawal.kind, Withdrawal.detail, Withdrawal.seen_until, Withdrawal.gone_at, Withdrawal.confirmed_at,
    Withdrawal.control_url, Withdrawal.returned_at, Withdrawal.judgement, Withdrawal.judged_at, Withdrawal.judged_by,
    Withdrawal.judged_reason,
)  # fmt: skip


def list_withdrawals(
    engine: Engine, *, source_key: str | None = None, only_open: bool = False, limit: int
) -> tuple[int, list[dict[str, Any]]]:
    """How many confirmed withdrawals there are, also those that ended, and the newest of them, as JSON can hold them.

    `only_open`: those that wait for a person's word. `alerts` counts the item's alerts of withdrawals by state.
    """
    conditions: list[ColumnElement[bool]] = [Withdrawal.confirmed_at.is_not(None)]
    if source_key is not None:
        conditions.append(Item.source_key == source_key)
    if only_open:
        conditions += [Withdrawal.judgement == OPEN, Withdrawal.returned_at.is_(None)]
    base = select(Item.id, Item.uid, Item.title, Item.url, Item.source_key.label("source"), *_SHOWN).join(
        Withdrawal, Withdrawal.item_id == Item.id
    )
    with engine.connect().execution_options(read_only=True) as connection:
        total = connection.scalar(
            select(func.count())
            .select_from(Withdrawal)
            .join(Item, Item.id == Withdrawal.item_id)
            .where(*conditions)
        )
        rows = connection.execute(
            base.where(*conditions)
            .order_by(Withdrawal.confirmed_at.desc(), Withdrawal.id.desc())
            .limit(limit)
        ).all()
        alerts: dict[int, dict[str, int]] = {}
        for chunk in chunks({row.id for row in rows}):
            counted = (
                select(Delivery.item_id, Delivery.state, func.count().label("number"))
                .where(Delivery.item_id.in_(chunk), Delivery.event.startswith("withdrawn"))
                .group_by(Delivery.item_id, Delivery.state)
            )
            for one in connection.execute(counted):
                alerts.setdefault(one.item_id, {})[one.state] = one.number
    return total or 0, [
        {
            **{
                key: value.isoformat(timespec="seconds")
                if key.endswith(("_at", "_until")) and value
                else value
                for key, value in row._mapping.items()
                if key != "id"
            },
            "alerts": alerts.get(row.id, {}),
        }
        for row in rows
    ]
