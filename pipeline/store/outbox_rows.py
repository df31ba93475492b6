"""The outbox rows of what has happened to items: who is told of what, decided in the transaction that stores it.

A story is told as `new` once to each rule and recipient, by whichever of its reports came first and matched. The same
alert about a later report is written too, and held back: should the report turn out to be of another story, it is due.
To rules that ask for it, a later report is told as `joined`. Alerts that were sent stay, whatever becomes of the story.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from pipeline.record import Record
from pipeline.sentence import Excerpt
from pipeline.store.alert_tables import Attempt, RuleStart
from pipeline.store.sketches import chunks
from pipeline.store.story_tables import StoryMember
from pipeline.store.tables import Delivery, Item, Run

NEW, JOINED = "new", "joined"
VERSION = "version "
"""The event of an edit, followed by the version's number."""
HELD = "held"
"""The state of an alert that isn't sent because another report of its story was told."""
BUNDLED = "bundled"
"""The state of an alert that goes in another row's message, until that is sent."""
UNTRIED: tuple[ColumnElement[bool], ...] = (
    Delivery.state == "due",
    Delivery.attempts == 0,
    Delivery.parts_sent == 0,
    ~select(Attempt.id).where(Attempt.delivery_id == Delivery.id).exists(),
)
"""What holds for an alert that is due and can't have reached anybody."""


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that wants to tell a recipient of a record. `matched` is the sentence by which it matched, for people;
    `earlier` asks for what was stored before the rule was configured too."""

    rule: str
    channel: str
    recipient: str
    matched: Excerpt = field(default=Excerpt(""), compare=False)
    earlier: bool = field(default=False, compare=False)


Matcher = Callable[[Record, str], Iterable[Match]]


def match_nothing(_record: Record, _event: str) -> Iterable[Match]:
    """The matcher of an installation without rules."""
    return ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What has happened to a stored item: it is `new`, or has a `version N`."""

    record: Record
    item_id: int
    event: str


def find_deliveries(
    connection: Connection, occurrences: Sequence[Occurrence], match: Matcher
) -> Iterator[list[dict[str, Any]]]:
    """The outbox rows for each occurrence, in their order; not written yet. The items are in their stories already.

    What is new may join a story that had other reports before: then rules are also asked about `joined`, and the row
    of who was told of another report as new is held back. Two new reports of one story count in order. A rule tells
    nothing of an item that was stored before it was first configured, unless it asks for earlier ones.
    """
    early = _find_early(connection, {one.item_id for one in occurrences})

    def find(one: Occurrence, event: str) -> list[Match]:
        matches = match(one.record, event)
        return [found for found in matches if found.earlier or (found.rule, one.item_id) not in early]

    stories = _read_stories(connection, [one.item_id for one in occurrences if one.event == NEW])
    coming = {one.item_id for one in occurrences if one.event == NEW}
    for one in occurrences:
        if one.event != NEW:
            yield [_row(found, one, None) for found in find(one, one.event)]
            continue
        story = stories[one.item_id]
        coming.discard(one.item_id)
        wanted = find(one, NEW)
        fresh = {found for found in wanted if found not in story.told}
        rows = [_row(found, one, story.id if found in fresh else None) for found in wanted]
        if story.members - coming - {one.item_id}:
            own = {found for found, item_ids in story.told.items() if one.item_id in item_ids}
            later = [found for found in find(one, JOINED) if found not in own | fresh]
            rows += [_row(found, Occurrence(one.record, one.item_id, JOINED), None) for found in later]
        for found in fresh:
            story.told[found] = {one.item_id}
        yield rows


def _find_early(connection: Connection, item_ids: Collection[int]) -> set[tuple[str, int]]:
    """The pairs of a rule and an item that was stored by a run from before the rule was first configured."""
    early: set[tuple[str, int]] = set()
    for chunk in chunks(item_ids):
        query = (
            select(RuleStart.rule, Item.id)
            .join_from(Item, Run, Run.id == Item.run_id)
            .join(RuleStart, RuleStart.started_at > Run.started_at)
            .where(Item.id.in_(chunk))
        )
        early.update((row.rule, row.id) for row in connection.execute(query))
    return early


@dataclass(slots=True)
class _Told:
    """A story, its items, and by which of them it was told as new to whom."""

    id: int
    members: set[int]
    told: dict[Match, set[int]]


def _read_stories(connection: Connection, item_ids: Sequence[int]) -> dict[int, _Told]:
    """The stories of these items, by item."""
    own: dict[int, int] = {}
    for chunk in chunks(item_ids):
        placed = select(StoryMember.item_id, StoryMember.story_id).where(StoryMember.item_id.in_(chunk))
        own.update((row.item_id, row.story_id) for row in connection.execute(placed))
    stories = {story_id: _Told(story_id, set(), {}) for story_id in own.values()}
    for chunk in chunks(stories):
        query = (
            select(
                StoryMember.story_id, StoryMember.item_id, Delivery.rule, Delivery.channel, Delivery.recipient
            )
            .join(
                Delivery,
                (Delivery.item_id == StoryMember.item_id)
                & (Delivery.event == NEW)
                & Delivery.escalates.is_(None),
                isouter=True,
            )
            .where(StoryMember.story_id.in_(chunk))
        )
        for row in connection.execute(query):
            story = stories[row.story_id]
            story.members.add(row.item_id)
            if row.rule is not None:
                found = Match(row.rule, row.channel, row.recipient)
                story.told.setdefault(found, set()).add(row.item_id)
    return {item_id: stories[story_id] for item_id, story_id in own.items()}


def _row(found: Match, occurrence: Occurrence, story_id: int | None) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": uuid.uuid4().hex,
        "rule": found.rule,
        "item_id": occurrence.item_id,
        "story_id": story_id,
        "text": {"matched": asdict(found.matched)} if found.matched.text else None,
        "event": occurrence.event,
        "channel": found.channel,
        "recipient": found.recipient,
        "state": HELD if occurrence.event == NEW and story_id is None else "due",
        "attempts": 0,
        "created_at": now,
        "next_at": now,
        "sent_at": None,
        "detail": None,
    }
