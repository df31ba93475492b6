"""The ledger of alerts, as people read it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, func, select

from pipeline.store.tables import Delivery, Item


def list_deliveries(engine: Engine, *, limit: int) -> list[dict[str, Any]]:
    """The newest rows of the outbox with the title of their item, or their own; times in ISO form, UTC."""
    query = (
        select(
            Delivery.id, Delivery.created_at, Delivery.state, Delivery.rule, Delivery.event,
            func.coalesce(Item.title, Delivery.text["title"].as_string()).label("title"), Item.uid,
            Delivery.channel, Delivery.recipient, Delivery.attempts, Delivery.next_at, Delivery.sent_at,
            Delivery.detail,
        )
        .join(Item, Item.id == Delivery.item_id, isouter=True)
        .order_by(Delivery.created_at.desc(), Delivery.id)
        .limit(limit)
    )  # fmt: skip
    with engine.connect().execution_options(read_only=True) as connection:
        return [
            {
                key: value.isoformat(timespec="seconds") if key.endswith("_at") and value else value
                for key, value in row._mapping.items()
            }
            for row in connection.execute(query)
        ]
