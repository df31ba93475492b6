"""The ledger of alerts, as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select, and_, func, or_, select

from pipeline.alerts.resend import find_alert
from pipeline.store.alert_tables import Attempt, GoneRecipient
from pipeline.store.tables import Delivery, Item


def list_deliveries(
    engine: Engine,
    *,
    rules: Sequence[str] = (),
    states: Sequence[str] = (),
    after: str | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """The newest rows of the outbox with the title of their item, or their own; times in ISO form, UTC.

    Only those of these rules and in these states where any are given, and only what comes behind the row with the
    id `after`; nothing when there is no such row.
    """
    query = _deliveries().order_by(Delivery.created_at.desc(), Delivery.id).limit(limit)
    if rules:
        query = query.where(Delivery.rule.in_(rules))
    if states:
        query = query.where(Delivery.state.in_(states))
    if after is not None:
        created_at = select(Delivery.created_at).where(Delivery.id == after).scalar_subquery()
        query = query.where(
            or_(
                Delivery.created_at < created_at,
                and_(Delivery.created_at == created_at, Delivery.id > after),
            )
        )
    with engine.connect().execution_options(read_only=True) as connection:
        return [_as_json(row) for row in connection.execute(query)]


def describe_delivery(engine: Engine, given: str) -> dict[str, Any]:
    """One row of the outbox with all attempts to send it, oldest first, and the `alerts` that its message carries.

    Raises NoSuchAlert.
    """
    with engine.connect().execution_options(read_only=True) as connection:
        delivery_id = find_alert(connection, given)
        delivery = _as_json(connection.execute(_deliveries().where(Delivery.id == delivery_id)).one())
        attempts = connection.execute(
            select(Attempt.made_at, Attempt.part, Attempt.outcome, Attempt.detail)
            .where(Attempt.delivery_id == delivery_id)
            .order_by(Attempt.id)
        )
        carried = connection.execute(
            _deliveries().where(Delivery.message_id == delivery_id).order_by(Delivery.created_at, Delivery.id)
        )
        return {
            **delivery,
            "attempts_made": [_as_json(row) for row in attempts],
            "alerts": [_as_json(row) for row in carried],
        }


def list_gone_recipients(engine: Engine) -> list[dict[str, Any]]:
    """The recipients that asked for no more messages."""
    query = select(
        GoneRecipient.channel, GoneRecipient.recipient, GoneRecipient.detail, GoneRecipient.noted_at
    )
    with engine.connect().execution_options(read_only=True) as connection:
        return [_as_json(row) for row in connection.execute(query.order_by(GoneRecipient.noted_at))]


def _deliveries() -> Select[*tuple[Any, ...]]:
    return select(
        Delivery.id, Delivery.created_at, Delivery.state, Delivery.rule, Delivery.event,
        func.coalesce(Item.title, Delivery.text["title"].as_string()).label("title"), Item.uid,
        Delivery.channel, Delivery.recipient, Delivery.attempts, Delivery.next_at, Delivery.sent_at,
        Delivery.detail, Delivery.message_id, Delivery.escalates, Delivery.acknowledged_at,
    ).join(Item, Item.id == Delivery.item_id, isouter=True)  # fmt: skip


def _as_json(row: Any) -> dict[str, Any]:
    return {
        key: value.isoformat(timespec="seconds") if key.endswith("_at") and value else value
        for key, value in row._mapping.items()
    }
