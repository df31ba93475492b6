"""Alerts that nobody acknowledged in time go to somebody else, once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, or_, select, update
from sqlalchemy.orm import aliased

from pipeline.alerts.resend import find_alert
from pipeline.alerts.rules import Rule
from pipeline.store.outbox_rows import HELD
from pipeline.store.tables import Delivery
from pipeline.store.write import insert_ignoring


def time_escalation(
    connection: Connection, message_id: str, rules: Mapping[str, Rule], now: datetime
) -> None:
    """Note until when the alerts of a message that is about to be sent are to be acknowledged: from the first attempt
    on, so that a recipient who can't be reached is none who keeps silent."""
    mine = or_(Delivery.id == message_id, Delivery.message_id == message_id)
    names = set(connection.scalars(select(Delivery.rule).where(mine).distinct()))
    for name in sorted(names):
        rule = rules.get(name)
        if rule is None or rule.escalate is None:
            continue
        connection.execute(
            update(Delivery)
            .where(
                mine, Delivery.rule == name, Delivery.item_id.is_not(None), Delivery.escalates.is_(None),
                Delivery.escalate_at.is_(None), Delivery.acknowledged_at.is_(None),
            )
            .values(escalate_at=now + timedelta(minutes=rule.escalate.after))
        )  # fmt: skip


def escalate(connection: Connection, rules: Mapping[str, Rule], now: datetime) -> None:
    """Put out the alerts to second recipients that are due, each once for a rule, item and event."""
    other = aliased(Delivery)
    acknowledged = (
        select(other.id)
        .where(
            other.rule == Delivery.rule, other.item_id == Delivery.item_id, other.event == Delivery.event,
            other.acknowledged_at.is_not(None),
        )
        .exists()
    )  # fmt: skip
    late = connection.execute(
        select(
            Delivery.id,
            Delivery.rule,
            Delivery.item_id,
            Delivery.event,
            Delivery.text,
            acknowledged.label("acknowledged"),
        )
        .where(Delivery.escalate_at <= now)
        .order_by(Delivery.escalate_at, Delivery.id)
        .with_for_update(skip_locked=True)
    ).all()
    for row in late:
        rule = rules.get(row.rule)
        if rule is not None and rule.escalate is not None and not row.acknowledged:
            second = {
                "id": uuid.uuid4().hex, "rule": row.rule, "item_id": row.item_id, "story_id": None, "text": row.text,
                "event": row.event, "channel": rule.escalate.channel, "recipient": rule.escalate.to, "state": "due",
                "attempts": 0, "created_at": now, "next_at": now, "sent_at": None, "detail": None,
                "escalates": row.id,
            }  # fmt: skip
            insert_ignoring(connection, Delivery, [second])
        connection.execute(update(Delivery).where(Delivery.id == row.id).values(escalate_at=None))


def acknowledge(engine: Engine, given: str, now: datetime) -> int:
    """Note that somebody has seen an alert, or all alerts of a message; how many these are. Raises NoSuchAlert.

    What was escalated of it, and has not been sent yet, is held back.
    """
    with engine.begin() as connection:
        alert = find_alert(connection, given)
        mine = or_(Delivery.id == alert, Delivery.message_id == alert, Delivery.escalates == alert)
        rows = connection.execute(
            select(Delivery.id, Delivery.rule, Delivery.item_id, Delivery.event).where(mine)
        ).all()
        connection.execute(
            update(Delivery)
            .where(mine)
            .values(acknowledged_at=func.coalesce(Delivery.acknowledged_at, now), escalate_at=None)
        )
        for row in rows:
            if row.item_id is None:
                continue
            same = (
                Delivery.rule == row.rule, Delivery.item_id == row.item_id, Delivery.event == row.event,
            )  # fmt: skip
            connection.execute(update(Delivery).where(*same).values(escalate_at=None))
            connection.execute(
                update(Delivery)
                .where(*same, Delivery.escalates.is_not(None), Delivery.state == "due")
                .values(state=HELD, detail="acknowledged meanwhile")
            )
    return sum(row.item_id is not None for row in rows)
