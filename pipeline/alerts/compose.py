"""What an alert says, read from the rows it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from pipeline.alerts.events import tell_event
from pipeline.alerts.message import Entry, Message, Sentence, Told
from pipeline.dates.value import SHANGHAI
from pipeline.legal.fact_key import read_out
from pipeline.store.outbox_rows import JOINED
from pipeline.store.standing import METHOD
from pipeline.store.story_tables import Story, StoryMember
from pipeline.store.tables import Delivery, FactRow, Item, Version

_SUMMARY_LENGTH = 200
_MOST_FACTS = 12
# The kinds of facts that an alert shows, in this order.
_SHOWN = (
    "case_number",
    "document_number",
    "court",
    "amount",
    "patent",
    "trademark",
    "party",
    "ip_type",
    "outcome",
)


def compose(connection: Connection, delivery_id: str) -> Message:
    """The message of an alert."""
    row = connection.execute(
        select(
            Delivery.rule, Delivery.event, Delivery.created_at, Delivery.item_id, Delivery.text,
            Delivery.escalates,
            Item.title, Item.url, Item.publisher, Item.published_on, Item.published_at, Item.published_precision,
            Item.published_inferred, Item.body,
        )
        .join(Item, Item.id == Delivery.item_id, isouter=True)
        .where(Delivery.id == delivery_id)
    ).one()  # fmt: skip
    if row.item_id is None:
        return Message(
            id=delivery_id,
            rule=row.rule,
            event=row.event,
            title=row.text["title"],
            url="",
            publisher="iprwatch",
            # What iprwatch says itself is of the day on which it says so.
            published=row.created_at.astimezone(SHANGHAI).date().isoformat(),
            summary=row.text["summary"],
            created_at=row.created_at,
            lines=tuple(row.text.get("lines", ())),
            entries=_read_entries(row.text),
            notes=row.text.get("notes", {}),
        )
    facts = connection.execute(
        select(FactRow.kind, FactRow.raw, FactRow.value, FactRow.method)
        .where(FactRow.item_id == row.item_id, FactRow.kind.in_(_SHOWN))
        .order_by(FactRow.field.desc(), FactRow.start)
    ).all()
    return Message(
        id=delivery_id,
        rule=row.rule,
        event=row.event,
        title=row.title,
        url=row.url,
        publisher=row.publisher,
        published=_write_date(row),
        summary=row.body[:_SUMMARY_LENGTH],
        created_at=row.created_at,
        facts=(
            *_describe_escalation(connection, row.escalates),
            *_describe_event(connection, row.item_id, row.event),
            *_tell_facts(facts),
        ),
        precision=row.published_precision if row.published_on else None,
        inferred=bool(row.published_on and row.published_inferred),
        sentence=_read_matched(row.text),
        snapshot=connection.scalar(
            select(Version.snapshot_sha256)
            .where(Version.item_id == row.item_id)
            .order_by(Version.number.desc())
            .limit(1)
        ),
    )


def _read_matched(text: Mapping[str, Any] | None) -> Sentence | None:
    """The sentence that was kept when the rule matched, around its first match."""
    if not text or "matched" not in text:
        return None
    shown, (start, end) = text["matched"]["text"], text["matched"]["places"][0]
    return Sentence(shown[:start], shown[start:end], shown[end:])


def _read_entries(text: dict[str, Any]) -> tuple[Entry, ...] | None:
    if "entries" not in text:
        return None
    return tuple(
        Entry(**{**entry, "sentence": Sentence(**entry["sentence"]) if entry["sentence"] else None})
        for entry in text["entries"]
    )


def _describe_escalation(connection: Connection, alert: str | None) -> tuple[Told, ...]:
    """Who has not acknowledged the alert that this one escalates."""
    if alert is None:
        return ()
    first = connection.execute(select(Delivery.channel, Delivery.recipient).where(Delivery.id == alert)).one()
    # A webhook's URL may be a secret.
    to = f" {first.recipient}" if first.recipient and "://" not in first.recipient else ""
    return (Told("unacknowledged", f"{first.channel}{to}, id {alert[:8]}"),)


def _write_date(row: Any) -> str | None:
    if row.published_on is None:
        return None
    if row.published_at is not None and row.published_precision in ("minute", "second"):
        return f"{row.published_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return str(row.published_on.isoformat())


def _describe_event(connection: Connection, item_id: int, event: str) -> tuple[Told, ...]:
    """What an alert says of its event, before the facts: what happened to an item, which story it has joined."""
    if event == JOINED:
        return _describe_story(connection, item_id)
    told = tell_event(connection, item_id, event)
    return (told,) if told else ()


def _describe_story(connection: Connection, item_id: int) -> tuple[Told, ...]:
    """Another report of the story that an item has joined, the leading one if it can be, and why it is in it."""
    own = select(StoryMember.story_id).where(StoryMember.item_id == item_id).scalar_subquery()
    rows = connection.execute(
        select(StoryMember.item_id, StoryMember.reasons, Item.title, Item.publisher)
        .join(Story, Story.id == StoryMember.story_id)
        .join(Item, Item.id == StoryMember.item_id)
        .where(StoryMember.story_id == own)
        .order_by(Story.lead_id != Item.id, Item.sort_key, Item.id)
    ).all()
    others = [
        Told("also_reported", f"{row.publisher}: {row.title}") for row in rows if row.item_id != item_id
    ]
    reasons = [
        Told("joined_because", reason["text"])
        for row in rows
        if row.item_id == item_id
        for reason in row.reasons
    ]
    return (*others[:1], *reasons[:1])


def _tell_facts(facts: Iterable[Any]) -> tuple[Told, ...]:
    ordered = sorted(facts, key=lambda fact: _SHOWN.index(fact.kind))
    told: dict[tuple[str, str, str | None], Told] = {}
    for fact in map(_tell_fact, ordered):
        told.setdefault((fact.kind, fact.text, fact.role), fact)
    return tuple(told.values())[:_MOST_FACTS]


def _tell_fact(fact: Any) -> Told:
    """A fact in the words of the text; one that is read as a key (a kind of right), or was corrected, as it is read."""
    keyed = fact.kind in ("ip_type", "outcome")
    corrected = fact.method == METHOD
    text = read_out(fact.kind, fact.value) if keyed or corrected else fact.raw
    return Told(fact.kind, text, fact.value.get("role"), fact.raw if fact.raw and not corrected else None)
