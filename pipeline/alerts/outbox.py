"""The outbox: claims what is due, sends it, and writes down what came back.

A row is claimed for a limited time before it is sent. A process that dies in between leaves it claimed; after
that time it is due again, and the second copy carries the same id.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, or_, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.alerts.channels import Channel, Message, Receipt
from pipeline.store.session import StoreError, first_line
from pipeline.store.tables import Delivery, FactRow, Item

CLAIM = timedelta(minutes=10)
FIRST_RETRY = timedelta(seconds=60)
LONGEST_RETRY = timedelta(hours=6)
GIVE_UP = timedelta(days=3)
_SUMMARY_LENGTH = 200
_SHOWN_FACTS = ("case_number", "document_number", "amount")


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt: which delivery, to whom, about what, and the receipt."""

    message: Message
    channel: str
    recipient: str
    receipt: Receipt


@dataclass(slots=True)
class Report:
    """What a round of deliveries did. `waiting` rows will be tried again, `failed` ones won't."""

    sent: list[Sent] = field(default_factory=list)
    waiting: list[Sent] = field(default_factory=list)
    failed: list[Sent] = field(default_factory=list)


def deliver(engine: Engine, channels: Mapping[str, Channel], *, batch: int = 50) -> Report:
    """Send every alert that is due now, oldest first, each row claimed before and settled after its sending.

    Raises StoreError when the ledger can't be read or written; an alert that a channel refuses is no error
    here but a row with the reason.
    """
    report = Report()
    tried: set[str] = set()
    try:
        while claimed := _claim(engine, batch, tried):
            for delivery_id, message, channel_name, recipient, attempts in claimed:
                tried.add(delivery_id)
                channel = channels.get(channel_name)
                if channel is None:
                    receipt = Receipt(
                        ok=False,
                        retry=True,
                        detail=f"no channel is called {channel_name!r}",
                        retry_after=None,
                    )
                else:
                    receipt = channel.send(message, recipient)
                state = _settle(engine, delivery_id, receipt, attempts + 1, message.created_at)
                {"sent": report.sent, "due": report.waiting, "failed": report.failed}[state].append(
                    Sent(message, channel_name, recipient, receipt)
                )
    except DBAPIError as error:
        raise StoreError(f"The alerts could not be read or settled: {first_line(error)}.") from error
    return report


def _claim(engine: Engine, batch: int, tried: set[str]) -> list[tuple[str, Message, str, str, int]]:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        due = (
            select(Delivery.id)
            .where(or_(Delivery.state == "due", Delivery.state == "sending"), Delivery.next_at <= now)
            .where(Delivery.id.not_in(tried))
            .order_by(Delivery.next_at, Delivery.created_at)
            .limit(batch)
            .with_for_update(skip_locked=True)
        )
        ids = list(connection.scalars(due))
        if not ids:
            return []
        connection.execute(
            update(Delivery).where(Delivery.id.in_(ids)).values(state="sending", next_at=now + CLAIM)
        )
        rows = connection.execute(
            select(Delivery, Item)
            .join(Item, Item.id == Delivery.item_id)
            .where(Delivery.id.in_(ids))
            .order_by(Delivery.created_at, Item.sort_key.desc())
            .with_only_columns(
                Delivery.id, Delivery.rule, Delivery.event, Delivery.channel, Delivery.recipient,
                Delivery.attempts, Delivery.created_at, Delivery.item_id,
                Item.title, Item.url, Item.publisher, Item.published_on, Item.body,
            )
        ).all()  # fmt: skip
        facts: dict[int, dict[str, None]] = {}
        for row in connection.execute(
            select(FactRow.item_id, FactRow.raw)
            .where(FactRow.item_id.in_({row.item_id for row in rows}), FactRow.kind.in_(_SHOWN_FACTS))
            .order_by(FactRow.item_id, FactRow.field.desc(), FactRow.start)
        ):
            facts.setdefault(row.item_id, {})[row.raw] = None
    return [
        (
            row.id,
            Message(
                id=row.id,
                rule=row.rule,
                event=row.event,
                title=row.title,
                url=row.url,
                publisher=row.publisher,
                published=row.published_on.isoformat() if row.published_on else None,
                summary=row.body[:_SUMMARY_LENGTH],
                created_at=row.created_at,
                facts=tuple(facts.get(row.item_id, {})),
            ),
            row.channel,
            row.recipient,
            row.attempts,
        )
        for row in rows
    ]


def _settle(engine: Engine, delivery_id: str, receipt: Receipt, attempts: int, created_at: datetime) -> str:
    now = datetime.now(UTC)
    values: dict[str, object] = {"attempts": attempts, "detail": receipt.detail}
    if receipt.ok:
        state = "sent"
        values["sent_at"] = now
    elif receipt.retry and now - created_at < GIVE_UP:
        state = "due"
        values["next_at"] = now + _pause(attempts, receipt.retry_after)
    else:
        state = "failed"
    with engine.begin() as connection:
        connection.execute(update(Delivery).where(Delivery.id == delivery_id).values(state=state, **values))
    return state


def _pause(attempts: int, retry_after: float | None) -> timedelta:
    pause = min(FIRST_RETRY * 2 ** min(attempts - 1, 12), LONGEST_RETRY)
    spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
    return max(pause * spread, timedelta(seconds=retry_after or 0))
