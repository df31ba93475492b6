"""What rules would have matched: each is held against the stored items of the last days, as a crawl would hold it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from pipeline.alerts.rules import Rule, Rules
from pipeline.dates import SHANGHAI
from pipeline.expression.subject import Subject
from pipeline.legal import Fact
from pipeline.store.dating import sort_key
from pipeline.store.outbox_rows import NEW
from pipeline.store.story_tables import StoryMember
from pipeline.store.tables import Delivery, FactRow, Item

_BATCH = 500
NOISY = 50
"""Events a week from which on a rule is called noisy: more than a person reads."""


@dataclass(frozen=True, slots=True)
class Example:
    """A matched item: `matched` is the sentence that matched, the match between marks; empty where the rule asks for no
    words, or they stand in an attachment alone."""

    uid: str
    title: str
    publisher: str
    published_on: date | None
    matched: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would have matched: items, the events (stories) that they report, and events by the Monday of each
    week, newest first. An item counts in the week of its publication in China, else of when it was first seen."""

    items: int
    events: int
    weeks: tuple[tuple[date, int], ...]
    examples: tuple[Example, ...]

    def events_a_week(self, days: int) -> float:
        """How many events it would have told in a week of these days."""
        return self.events * 7 / days

    def verdict(self, days: int) -> str:
        """`silent` for a rule that matched nothing, `noisy` for one that matches more than a person reads, else
        empty."""
        if not self.items:
            return "silent"
        return "noisy" if self.events_a_week(days) > NOISY else ""


@dataclass(slots=True)
class _Counted:
    items: int
    stories: dict[int, date]
    examples: list[Example]


def try_rules(
    engine: Engine, rules: Sequence[Rule], *, now: datetime, days: int, examples: int = 0
) -> tuple[int, list[Trial]]:
    """Hold rules against the items published in the last `days` before `now`; how many those are, and a trial a rule.

    A rule is asked as about something new, whatever its events are. `now` is zone-aware.
    """
    asked = [
        rule.model_copy(update={"events": (NEW,), "name": str(place)}) for place, rule in enumerate(rules)
    ]
    together = Rules(asked)
    counted = [_Counted(0, {}, []) for _ in rules]
    held = 0
    with engine.connect().execution_options(read_only=True) as connection:
        for row, subject, story_id in _read_items(connection, now - timedelta(days=days)):
            held += 1
            for rule in together.find(subject, NEW):
                own = counted[int(rule.name)]
                own.items += 1
                day = row.published_on or row.first_seen_at.astimezone(SHANGHAI).date()
                own.stories[story_id] = min(day, own.stories.get(story_id, day))
                if len(own.examples) < examples:
                    own.examples.append(
                        Example(
                            row.uid,
                            row.title,
                            row.publisher,
                            row.published_on,
                            rule.show_match(subject).marked,
                        )
                    )
    return held, [_finish(own) for own in counted]


def _finish(own: _Counted) -> Trial:
    weeks: dict[date, int] = {}
    for day in own.stories.values():
        monday = day - timedelta(days=day.weekday())
        weeks[monday] = weeks.get(monday, 0) + 1
    return Trial(own.items, len(own.stories), tuple(sorted(weeks.items(), reverse=True)), tuple(own.examples))


def count_told(engine: Engine) -> dict[str, tuple[int, datetime]]:
    """How many items each rule has told of, ever, and when last."""
    query = select(
        Delivery.rule,
        func.count(Delivery.item_id.distinct()).label("items"),
        func.max(Delivery.sent_at).label("last"),
    ).where(Delivery.sent_at.is_not(None), Delivery.item_id.is_not(None))
    with engine.connect().execution_options(read_only=True) as connection:
        return {row.rule: (row.items, row.last) for row in connection.execute(query.group_by(Delivery.rule))}


def _read_items(connection: Connection, since: datetime) -> Iterator[tuple[Any, Subject, int]]:
    """Each item since then, newest first, with its story."""
    newer = select(Item.id).where(Item.sort_key >= sort_key(since, since))
    ids = list(connection.scalars(newer.order_by(Item.sort_key.desc(), Item.id.desc())))
    for chunk in (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)):
        rows = {row.id: row for row in connection.execute(select(*_COLUMNS).where(Item.id.in_(chunk)))}
        placed = select(StoryMember.item_id, StoryMember.story_id).where(StoryMember.item_id.in_(chunk))
        stories = {row.item_id: row.story_id for row in connection.execute(placed)}
        facts: dict[int, dict[str, list[Fact]]] = {item_id: {"title": [], "body": []} for item_id in chunk}
        told = select(*_FACTS).where(FactRow.item_id.in_(chunk)).order_by(FactRow.start, FactRow.id)
        for row in connection.execute(told):
            facts[row.item_id][row.field].append(
                Fact(row.kind, row.raw, row.value, row.start, row.end, row.method)
            )
        for item_id in chunk:
            row = rows[item_id]
            subject = Subject(
                title=row.title,
                body=row.body,
                publishers=(row.publisher, row.publisher_zh, row.publisher_en),
                attachment_texts=tuple(file["text"] for file in row.attachments if file.get("text")),
                title_facts=tuple(facts[item_id]["title"]),
                body_facts=tuple(facts[item_id]["body"]),
                source_key=row.source_key,
                topics=tuple(row.topics),
                published_on=row.published_on,
            )
            yield row, subject, stories[item_id]


_COLUMNS = (
    Item.id, Item.uid, Item.title, Item.body, Item.publisher, Item.publisher_zh, Item.publisher_en, Item.attachments,
    Item.source_key, Item.topics, Item.published_on, Item.first_seen_at,
)  # fmt: skip
_FACTS = (
    FactRow.item_id, FactRow.field, FactRow.kind, FactRow.raw, FactRow.value, FactRow.start, FactRow.end,
    FactRow.method,
)  # fmt: skip
