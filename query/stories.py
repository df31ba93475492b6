"""Stories as people read them: who reports an event, which report leads, and why two items are in one story."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from pipeline.store.lookup import find_item
from pipeline.store.sketches import chunks
from pipeline.store.story_tables import Story, StoryDecision, StoryLink, StoryMember
from pipeline.store.tables import Item
from pipeline.store.withdrawals import describe_standing, standing_withdrawals

_SHORT_REASONS = {
    "document_number": "same document",
    "case_number": "same case",
    "parties": "same parties and sum",
    "patent": "same patent and procedure",
    "same_text": "same text",
    "by_hand": "joined by hand",
}
_REPORT = (
    Item.id, Item.uid, Item.title, Item.url, Item.publisher, Item.source_key, Item.published_on,
    StoryMember.story_id, StoryMember.since, StoryMember.reasons, Story.lead_id, Story.lead_reason,
)  # fmt: skip
_OTHER = aliased(StoryMember)
_NOT_ALONE = select(StoryMember.item_id, StoryMember.story_id).where(
    select(_OTHER.item_id)
    .where(_OTHER.story_id == StoryMember.story_id, _OTHER.item_id != StoryMember.item_id)
    .exists(),
    StoryMember.item_id.in_(bindparam("items", expanding=True)),
)
_MEMBERS = (
    select(*_REPORT)
    .join(StoryMember, StoryMember.item_id == Item.id)
    .join(Story, Story.id == StoryMember.story_id)
    .where(StoryMember.story_id.in_(bindparam("stories", expanding=True)))
    .order_by(Item.id != Story.lead_id, Item.sort_key, Item.id)
)


def list_stories(engine: Engine, *, single: bool = False, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """How many stories with several reports there are (or, with `single`, stories at all), and the newest of them.

    Each has its reports, the leading one first, with the reasons why they are in it.
    """
    size = func.count(StoryMember.item_id)
    counted = select(StoryMember.story_id).group_by(StoryMember.story_id)
    if not single:
        counted = counted.having(size > 1)
    chosen = counted.subquery()
    newest = (
        select(Story.id)
        .join(chosen, chosen.c.story_id == Story.id)
        .join(Item, Item.id == Story.lead_id)
        .order_by(Item.sort_key.desc(), Story.id.desc())
        .limit(limit)
    )
    with engine.connect().execution_options(read_only=True) as connection:
        total = connection.scalar(select(func.count()).select_from(chosen)) or 0
        story_ids = list(connection.scalars(newest))
        reports = _read_reports(connection, story_ids)
    return total, [_describe(story_id, reports[story_id]) for story_id in story_ids]


def page_stories(
    engine: Engine, *, single: bool = False, before: int | None = None, limit: int
) -> list[dict[str, Any]]:
    """Stories as `list_stories` tells them, but in an order that new reports don't change: the one that began last
    comes first. `before` leaves out what didn't begin before the story of this number."""
    chosen = select(StoryMember.story_id).group_by(StoryMember.story_id)
    if not single:
        chosen = chosen.having(func.count(StoryMember.item_id) > 1)
    if before is not None:
        chosen = chosen.where(StoryMember.story_id < before)
    with engine.connect().execution_options(read_only=True) as connection:
        story_ids = list(connection.scalars(chosen.order_by(StoryMember.story_id.desc()).limit(limit)))
        reports = _read_reports(connection, story_ids)
    return [_describe(story_id, reports[story_id]) for story_id in story_ids]


def describe_story(engine: Engine, given: str) -> dict[str, Any]:
    """The story of an item (its id, the beginning of it, or its URL), with what is near and not in it.

    `carried_by` are longer texts that hold a report, `apart` items that read alike and are kept apart, each with the
    reason; `decisions` are people's words on its items. Raises NoSuchItem.
    """
    with engine.connect().execution_options(read_only=True) as connection:
        item_id = find_item(connection, given)
        story_id = connection.scalar(select(StoryMember.story_id).where(StoryMember.item_id == item_id))
        assert story_id is not None
        reports = _read_reports(connection, [story_id])[story_id]
        item_ids = [report["item_id"] for report in reports]
        near = _read_near(connection, item_ids)
        decisions = _read_decisions(connection, item_ids)
    return {
        **_describe(story_id, reports),
        "carried_by": [_without_kind(link) for link in near if link["kind"] == "carries"],
        "apart": [_without_kind(link) for link in near if link["kind"] == "apart"],
        "decisions": decisions,
    }


def also_reported(connection: Connection, item_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """The other reports of each item's story, the leading one first; items whose story has no other are left out.

    Each has `uid`, `title`, `url`, `publisher`, `source`, `published_on`, `leads` and `why` (a list of a few words).
    """
    own: dict[int, int] = {}
    for chunk in chunks(item_ids):
        own.update((row.item_id, row.story_id) for row in connection.execute(_NOT_ALONE, {"items": chunk}))
    reports = _read_reports(connection, set(own.values()))
    found = {}
    for item_id, story_id in own.items():
        if others := [report for report in reports[story_id] if report["item_id"] != item_id]:
            found[item_id] = [_brief(report) for report in others]
    return found


def _brief(report: dict[str, Any]) -> dict[str, Any]:
    names = ("uid", "title", "url", "publisher", "source", "published_on", "leads", "withdrawn")
    kinds = dict.fromkeys(reason["kind"] for reason in report["reasons"])
    return {name: report[name] for name in names} | {"why": [_SHORT_REASONS[kind] for kind in kinds]}


def _describe(story_id: int, reports: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "story": story_id,
        "title": reports[0]["title"],
        "lead": reports[0]["uid"],
        "lead_reason": reports[0]["lead_reason"],
        "reports": [
            {key: value for key, value in report.items() if key not in ("item_id", "lead_reason")}
            for report in reports
        ],
    }


def _read_reports(connection: Connection, story_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {story_id: [] for story_id in story_ids}
    for chunk in chunks(story_ids):
        rows = connection.execute(_MEMBERS, {"stories": chunk}).all()
        withdrawn = standing_withdrawals(connection, [row.id for row in rows])
        for row in rows:
            found[row.story_id].append(
                {
                    "item_id": row.id,
                    "uid": row.uid,
                    "title": row.title,
                    "url": row.url,
                    "publisher": row.publisher,
                    "source": row.source_key,
                    "published_on": row.published_on.isoformat() if row.published_on else None,
                    "leads": row.id == row.lead_id,
                    "since": row.since.isoformat(timespec="seconds"),
                    "reasons": row.reasons,
                    "lead_reason": row.lead_reason,
                    "withdrawn": describe_standing(withdrawn.get(row.id)),
                }
            )
    return found


def _read_near(connection: Connection, item_ids: Collection[int]) -> list[dict[str, Any]]:
    one, other = aliased(Item), aliased(Item)
    found = []
    for chunk in chunks(item_ids):
        query = (
            select(
                StoryLink.kind, StoryLink.item_id, StoryLink.carrier_id, StoryLink.reason,
                one.uid.label("one_uid"), one.title.label("one_title"), one.publisher.label("one_publisher"),
                other.uid.label("other_uid"), other.title.label("other_title"),
                other.publisher.label("other_publisher"), StoryLink.other_id,
            )
            .join(one, one.id == StoryLink.item_id)
            .join(other, other.id == StoryLink.other_id)
            .where(
                StoryLink.kind != "same", or_(StoryLink.item_id.in_(chunk), StoryLink.other_id.in_(chunk))
            )
            .order_by(StoryLink.item_id, StoryLink.other_id)
        )  # fmt: skip
        for row in connection.execute(query):
            mine, far = ("one", "other") if row.item_id in item_ids else ("other", "one")
            if {row.item_id, row.other_id} <= {*item_ids}:
                continue
            far_id = row.other_id if far == "other" else row.item_id
            if row.kind == "carries" and row.carrier_id != far_id:
                continue
            found.append(
                {
                    "kind": row.kind,
                    "uid": getattr(row, f"{far}_uid"),
                    "title": getattr(row, f"{far}_title"),
                    "publisher": getattr(row, f"{far}_publisher"),
                    "of": getattr(row, f"{mine}_uid"),
                    "reason": row.reason,
                }
            )
    return found


def _without_kind(link: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in link.items() if key != "kind"}


def _read_decisions(connection: Connection, item_ids: Collection[int]) -> list[dict[str, Any]]:
    one, other = aliased(Item), aliased(Item)
    query = (
        select(
            StoryDecision.id, StoryDecision.action, one.uid.label("item"), other.uid.label("other"),
            StoryDecision.author, StoryDecision.reason, StoryDecision.made_at, StoryDecision.undone_at,
        )
        .join(one, one.id == StoryDecision.item_id)
        .join(other, other.id == StoryDecision.other_id, isouter=True)
        .where(or_(StoryDecision.item_id.in_(item_ids), StoryDecision.other_id.in_(item_ids)))
        .order_by(StoryDecision.id)
    )  # fmt: skip
    return [
        {
            key: value.isoformat(timespec="seconds") if key.endswith("_at") and value else value
            for key, value in row._mapping.items()
        }
        for row in connection.execute(query)
    ]
