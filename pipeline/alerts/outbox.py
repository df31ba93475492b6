"""The outbox: claims what is due, sends it, and writes down what came back.

Each row is claimed for a limited time just before it is sent. A process that dies in between leaves it claimed;
after that time it is due again, and the second copy carries the same id.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Engine, or_, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.alerts.channels import Channel, Message, Receipt
from pipeline.alerts.message import flatten
from pipeline.dedupe.changes import find_changes, summarise_changes
from pipeline.dedupe.compare import Text
from pipeline.legal.fact_key import read_out
from pipeline.store.outbox_rows import JOINED, VERSION
from pipeline.store.session import StoreError, first_line
from pipeline.store.standing import METHOD
from pipeline.store.story_tables import Story, StoryMember
from pipeline.store.tables import Delivery, FactRow, Item, Version

CLAIM = timedelta(minutes=10)
FIRST_RETRY = timedelta(seconds=60)
LONGEST_RETRY = timedelta(hours=6)
GIVE_UP = timedelta(days=3)
# A row that has waited for days because nothing ran isn't given up for one bad moment of a server.
FEWEST_ATTEMPTS = 5
_SUMMARY_LENGTH = 200
_MOST_FACTS = 12
# The kinds of facts that an alert shows, in this order, with the words before them.
_LABELS = {
    "case_number": "case number",
    "document_number": "document number",
    "court": "court",
    "amount": "amount",
    "patent": "patent",
    "trademark": "trademark",
    "party": "party",
    "ip_type": "kind of right",
    "outcome": "outcome",
}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt: which delivery, to whom, about what, and the receipt."""

    message: Message
    channel: str
    recipient: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A row that is ours to send until `until`, which also tells our claim from a later one."""

    message: Message
    channel: str
    recipient: str
    attempts: int
    until: datetime


@dataclass(slots=True)
class Report:
    """What a round of deliveries did. `waiting` rows will be tried again, `failed` ones won't."""

    sent: list[Sent] = field(default_factory=list)
    waiting: list[Sent] = field(default_factory=list)
    failed: list[Sent] = field(default_factory=list)


def deliver(engine: Engine, channels: Mapping[str, Channel]) -> Report:
    """Send every alert that is due now, oldest first, each row claimed before and settled after its sending.

    Raises StoreError when the ledger can't be read or written; an alert that a channel refuses, or that it
    fails on, is no error here but a row with the reason.
    """
    report = Report()
    # What becomes due while this round goes on is for the next one, so a row is tried once a round.
    started = datetime.now(UTC)
    try:
        while claimed := _claim(engine, started):
            receipt = _send(channels.get(claimed.channel), claimed)
            state = _settle(engine, claimed, receipt)
            {"sent": report.sent, "due": report.waiting, "failed": report.failed}[state].append(
                Sent(claimed.message, claimed.channel, claimed.recipient, receipt)
            )
    except DBAPIError as error:
        raise StoreError(f"The alerts could not be read or settled: {first_line(error)}.") from error
    return report


def _send(channel: Channel | None, claimed: _Claimed) -> Receipt:
    if channel is None:
        return Receipt(ok=False, retry=True, detail=f"no channel is called {claimed.channel!r}")
    try:
        return channel.send(claimed.message, claimed.recipient)
    except Exception as error:  # a defect of one channel must not hold up all other alerts
        log.error("alert %s: channel %r failed", claimed.message.id, claimed.channel, exc_info=True)
        return Receipt(ok=False, retry=True, detail=f"the channel failed: {type(error).__name__}: {error}")


def _claim(engine: Engine, due_by: datetime) -> _Claimed | None:
    until = datetime.now(UTC) + CLAIM
    with engine.begin() as connection:
        delivery_id = connection.scalar(
            select(Delivery.id)
            .where(or_(Delivery.state == "due", Delivery.state == "sending"), Delivery.next_at <= due_by)
            .order_by(Delivery.next_at, Delivery.created_at, Delivery.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if delivery_id is None:
            return None
        connection.execute(
            update(Delivery).where(Delivery.id == delivery_id).values(state="sending", next_at=until)
        )
        row = connection.execute(
            select(
                Delivery.rule, Delivery.event, Delivery.channel, Delivery.recipient,
                Delivery.attempts, Delivery.created_at, Delivery.item_id, Delivery.text,
                Item.title, Item.url, Item.publisher, Item.published_on, Item.body,
            )
            .join(Item, Item.id == Delivery.item_id, isouter=True)
            .where(Delivery.id == delivery_id)
        ).one()  # fmt: skip
        facts = connection.execute(
            select(FactRow.kind, FactRow.raw, FactRow.value, FactRow.method)
            .where(FactRow.item_id == row.item_id, FactRow.kind.in_(_LABELS))
            .order_by(FactRow.field.desc(), FactRow.start)
        ).all()
        about = _describe_event(connection, row.item_id, row.event)
    text = row.text or {}
    message = Message(
        id=delivery_id,
        rule=row.rule,
        event=row.event,
        title=row.title if row.item_id is not None else text["title"],
        url=row.url or "",
        publisher=row.publisher or "iprwatch",
        published=row.published_on.isoformat() if row.published_on else None,
        summary=row.body[:_SUMMARY_LENGTH] if row.item_id is not None else text["summary"],
        created_at=row.created_at,
        facts=(*about, *_label_facts(facts)),
    )
    return _Claimed(message, row.channel, row.recipient, row.attempts, until)


def _describe_event(connection: Connection, item_id: int, event: str) -> tuple[str, ...]:
    """What an alert says of its event, before the facts: what a version changed, which story an item has joined."""
    if event == JOINED:
        return _describe_story(connection, item_id)
    if not event.startswith(VERSION):
        return ()
    number = int(event.removeprefix(VERSION))
    rows = connection.execute(
        select(Version.title, Version.body)
        .where(Version.item_id == item_id, Version.number.in_((number - 1, number)))
        .order_by(Version.number)
    ).all()
    texts = [Text(row.title, row.body, "stored") for row in rows]
    changed = summarise_changes([change for pair in pairwise(texts) for change in find_changes(*pair)])
    return (f"changed: {changed}",) if changed else ()


def _describe_story(connection: Connection, item_id: int) -> tuple[str, ...]:
    """Another report of the story that an item has joined, the leading one if it can be, and why it is in it."""
    own = select(StoryMember.story_id).where(StoryMember.item_id == item_id).scalar_subquery()
    rows = connection.execute(
        select(StoryMember.item_id, StoryMember.reasons, Item.title, Item.publisher)
        .join(Story, Story.id == StoryMember.story_id)
        .join(Item, Item.id == StoryMember.item_id)
        .where(StoryMember.story_id == own)
        .order_by(Story.lead_id != Item.id, Item.sort_key, Item.id)
    ).all()
    others = [f"also reported by {row.publisher}: {row.title}" for row in rows if row.item_id != item_id]
    reasons = [reason["text"] for row in rows if row.item_id == item_id for reason in row.reasons]
    return (*others[:1], *reasons[:1])


def _label_facts(facts: Iterable[Any]) -> tuple[str, ...]:
    ordered = sorted(facts, key=lambda fact: list(_LABELS).index(fact.kind))
    return tuple(dict.fromkeys(_label_fact(fact) for fact in ordered))[:_MOST_FACTS]


def _label_fact(fact: Any) -> str:
    """A line such as `amount (awarded): 35万元`; a corrected fact is told as the person read it."""
    if fact.kind in ("ip_type", "outcome"):
        read = read_out(fact.kind, fact.value).replace("_", " ")
    else:
        read = read_out(fact.kind, fact.value) if fact.method == METHOD else fact.raw
    role = fact.value.get("role")
    return f"{_LABELS[fact.kind]}{' (' + role.replace('_', ' ') + ')' if role else ''}: {read}"


def _settle(engine: Engine, claimed: _Claimed, receipt: Receipt) -> str:
    now = datetime.now(UTC)
    attempts = claimed.attempts + 1
    values: dict[str, object] = {"attempts": attempts, "detail": flatten(receipt.detail)}
    ours = [Delivery.id == claimed.message.id]
    if receipt.ok:
        state = "sent"
        values["sent_at"] = now
    else:
        # Whoever took the row over when our claim had ended may have sent it by now.
        ours += [Delivery.state == "sending", Delivery.next_at == claimed.until]
        young = now - claimed.message.created_at < GIVE_UP
        state = "due" if receipt.retry and (young or attempts < FEWEST_ATTEMPTS) else "failed"
        if state == "due":
            values["next_at"] = now + _pause(attempts, receipt.retry_after)
    with engine.begin() as connection:
        connection.execute(update(Delivery).where(*ours).values(state=state, **values))
    return state


def _pause(attempts: int, retry_after: float | None) -> timedelta:
    pause: timedelta = min(FIRST_RETRY * 2 ** min(attempts - 1, 12), LONGEST_RETRY)
    spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
    return max(pause * spread, min(timedelta(seconds=retry_after or 0), GIVE_UP))
