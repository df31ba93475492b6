"""Stories, kept up in the transaction that writes their items: one event is one story, however many report it.

Whenever an item is new or changed, what it has in common with others is found anew, and all that hangs together
with it is divided again by `pipeline.dedupe.partition`. So the stories of a store follow from what is in it, never
from the order in which it came. On PostgreSQL one lock lets writers do this one after the other, each seeing what
the one before has committed; SQLite has no two writers at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, case, delete, func, insert, or_, select, update

from pipeline.dedupe import Text
from pipeline.dedupe.authority import find_authority, lead_order
from pipeline.dedupe.likeness import Likeness, find_likeness
from pipeline.dedupe.links import find_link
from pipeline.dedupe.partition import partition
from pipeline.store.outbox_rows import HELD, NEW, UNTRIED
from pipeline.store.sketches import Candidates, chunks, find_candidates, read_sketches, store_sketches
from pipeline.store.standing import read_facts
from pipeline.store.story_graph import Region, read_region
from pipeline.store.story_tables import Story, StoryKeyRow, StoryLink, StoryMember
from pipeline.store.tables import Delivery, Item

_LOCK = 7201527
_BATCH = 500
_SAME_KEY = {
    "document_number": "the same document",
    "case_number": "the same case, at the same stage",
    "parties": "the same parties, sum and instance",
    "patent": "the same patent, procedure and stage",
}


def place_items(connection: Connection, likenesses: Mapping[int, Likeness]) -> None:
    """Put new or changed items, whose rows are written, into the stories that they belong to by now."""
    if not likenesses:
        return
    wait_for_turn(connection)
    candidates = store_sketches(connection, {item_id: found.sketch for item_id, found in likenesses.items()})
    _store_keys(connection, likenesses)
    doubtful = _store_links(connection, likenesses, candidates)
    divide(connection, {*likenesses} | doubtful)


def place_stored(connection: Connection, item_ids: Iterable[int]) -> None:
    """The same for items as they stand in the store: after a correction."""
    likenesses = {}
    for chunk in chunks(item_ids):
        for row in connection.execute(select(Item.id, Item.title, Item.body).where(Item.id.in_(chunk))).all():
            facts = read_facts(connection, row.id)
            likenesses[row.id] = find_likeness(row.title, row.body, facts["title"], facts["body"])
    place_items(connection, likenesses)


def place_unplaced(connection: Connection) -> None:
    """The same for items that are in no story yet: those of a database from before stories, once it is migrated."""
    unplaced = (
        select(Item.id)
        .join(StoryMember, StoryMember.item_id == Item.id, isouter=True)
        .where(StoryMember.item_id.is_(None))
        .order_by(Item.id)
        .limit(_BATCH)
    )
    while item_ids := connection.scalars(unplaced).all():
        place_stored(connection, item_ids)


def divide(connection: Connection, item_ids: Collection[int]) -> None:
    """Divide again what hangs together with these items, and write down what has changed."""
    wait_for_turn(connection)
    region = read_region(connection, item_ids)
    groups = partition(region.members, region.same, region.apart, region.by_hand)
    told = _tell_apart(region, groups)
    kept = _keep_stories(region, groups)
    now = datetime.now(UTC)
    leads = {group: min(group, key=lambda item_id: _order(region.rows[item_id])) for group in groups}
    fresh = [
        {"lead_id": leads[group], "lead_reason": _why(region.rows[leads[group]]), "created_at": now}
        for group in groups
        if group not in kept
    ]
    if fresh:
        made = connection.execute(insert(Story).returning(Story.id, Story.lead_id), fresh)
        by_lead = {row.lead_id: row.id for row in made}
        kept |= {group: by_lead[leads[group]] for group in groups if group not in kept}
    for group, story_id in kept.items():
        if any(item_id in region.placed for item_id in group):
            lead = leads[group]
            connection.execute(
                update(Story)
                .where(Story.id == story_id, Story.lead_id != lead)
                .values(lead_id=lead, lead_reason=_why(region.rows[lead]))
            )
    changed = _write_members(connection, region, kept, told, now)
    _point_deliveries(connection, changed & {*kept.values()})
    if stale := changed - {*kept.values()}:
        connection.execute(delete(Story).where(Story.id.in_(stale)))


def wait_for_turn(connection: Connection) -> None:
    """Hold all other writers of stories off until the transaction ends; those who wait then see what it wrote."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _store_keys(connection: Connection, likenesses: Mapping[int, Likeness]) -> None:
    rows = {
        (item_id, key.kind): {"item_id": item_id, "kind": key.kind, "key": key.key, "number": key.number}
        for item_id, found in likenesses.items()
        for key in found.keys
    }
    for chunk in chunks(likenesses):
        for row in connection.execute(
            select(StoryKeyRow.item_id, StoryKeyRow.kind, StoryKeyRow.key).where(
                StoryKeyRow.item_id.in_(chunk)
            )
        ).all():
            known = rows.get((row.item_id, row.kind))
            if known is not None and known["key"] == row.key:
                del rows[row.item_id, row.kind]
            else:
                connection.execute(
                    delete(StoryKeyRow).where(
                        StoryKeyRow.item_id == row.item_id, StoryKeyRow.kind == row.kind
                    )
                )
    if rows:
        connection.execute(insert(StoryKeyRow), list(rows.values()))


def _store_links(
    connection: Connection, likenesses: Mapping[int, Likeness], candidates: Candidates
) -> set[int]:
    """Compare the items with their candidates. Returns the items beside these whose links have changed."""
    for chunk in chunks(likenesses):
        connection.execute(
            delete(StoryLink).where(or_(StoryLink.item_id.in_(chunk), StoryLink.other_id.in_(chunk)))
        )
    pairs = _pairs(candidates.of)
    doubtful = (candidates.fewer | candidates.more) - {*likenesses}
    if doubtful:
        again = _pairs(find_candidates(connection, read_sketches(connection, doubtful)))
        known = _read_links(connection, doubtful)
        for one, other in known - again:
            connection.execute(delete(StoryLink).where(StoryLink.item_id == one, StoryLink.other_id == other))
        pairs |= {pair for pair in again - known if not candidates.more.isdisjoint(pair)}
    texts = _read_texts(connection, {item_id for pair in pairs for item_id in pair})
    links = []
    for one, other in sorted(pairs):
        link = find_link(texts[one], texts[other])
        if link is not None:
            carrier = None if link.carrier is None else one if link.carrier is texts[one] else other
            links.append(
                {
                    "item_id": one,
                    "other_id": other,
                    "kind": link.kind,
                    "coverage": link.coverage,
                    "carrier_id": carrier,
                    "reason": link.reason,
                }
            )
    if links:
        connection.execute(insert(StoryLink), links)
    return doubtful


def _pairs(candidates: Mapping[int, Collection[int]]) -> set[tuple[int, int]]:
    return {
        (min(item_id, other), max(item_id, other))
        for item_id, others in candidates.items()
        for other in others
    }


def _read_links(connection: Connection, item_ids: Collection[int]) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for chunk in chunks(item_ids):
        query = select(StoryLink.item_id, StoryLink.other_id).where(
            or_(StoryLink.item_id.in_(chunk), StoryLink.other_id.in_(chunk))
        )
        found.update((row.item_id, row.other_id) for row in connection.execute(query))
    return found


def _read_texts(connection: Connection, item_ids: Collection[int]) -> dict[int, Text]:
    texts = {}
    for chunk in chunks(item_ids):
        for row in connection.execute(
            select(Item.id, Item.title, Item.body, Item.identity).where(Item.id.in_(chunk))
        ):
            texts[row.id] = Text(row.title, row.body, row.identity)
    return texts


def _order(row: Any) -> tuple[Any, ...]:
    return lead_order(row.source_key, row.publisher, row.published_on, row.published_at, row.identity)


def _why(row: Any) -> str:
    return find_authority(row.source_key, row.publisher).why


def _keep_stories(region: Region, groups: Sequence[frozenset[int]]) -> dict[frozenset[int], int]:
    """Which group goes on as which present story: each as the oldest of those that it has the most of."""
    wishes = []
    for group in groups:
        held: dict[int, int] = {}
        for item_id in group & region.placed.keys():
            story_id = region.placed[item_id].story_id
            held[story_id] = held.get(story_id, 0) + 1
        wishes += [(-count, story_id, min(group), group) for story_id, count in held.items()]
    kept: dict[frozenset[int], int] = {}
    taken: set[int] = set()
    for _, story_id, _, group in sorted(wishes, key=lambda wish: (wish[1], wish[0], wish[2])):
        if group not in kept and story_id not in taken:
            kept[group] = story_id
            taken.add(story_id)
    return kept


def _tell_apart(region: Region, groups: Sequence[frozenset[int]]) -> dict[int, list[dict[str, Any]]]:
    """The reasons why each item is in its story; none for an item that is the only one."""
    group_of = {item_id: group for group in groups for item_id in group}
    reasons: dict[int, list[dict[str, Any]]] = {item_id: [] for item_id in group_of}

    def add(item_id: int, kind: str, text: str, others: Iterable[int]) -> None:
        uids = sorted(region.rows[other].uid for other in others)
        reasons[item_id].append({"kind": kind, "text": text, "with": uids})

    holders: dict[tuple[frozenset[int], str, str], list[int]] = {}
    for item_id, member in region.members.items():
        for key in member.keys if not member.alone else ():
            holders.setdefault((group_of[item_id], key.kind, key.key), []).append(item_id)
    for (_, kind, shown), sharing in sorted(
        holders.items(), key=lambda row: list(_SAME_KEY).index(row[0][1])
    ):
        for item_id in sharing if len(sharing) > 1 else ():
            add(item_id, kind, f"{_SAME_KEY[kind]}: {shown}", {*sharing} - {item_id})
    closest: dict[int, tuple[float, str, int, str]] = {}
    for pair in region.same:
        if group_of[pair.one] is not group_of[pair.other]:
            continue
        text = region.texts[pair.one, pair.other]
        for item_id, other in ((pair.one, pair.other), (pair.other, pair.one)):
            found = (-pair.coverage, region.rows[other].identity, other, text)
            closest[item_id] = min(closest.get(item_id, found), found)
    for item_id, (_, _, other, text) in closest.items():
        add(item_id, "same_text", f"the same text: {text[0].lower()}{text[1:]}", [other])
    for (one, other), decision in region.merges.items():
        for item_id, partner in ((one, other), (other, one)):
            add(item_id, "by_hand", f"joined by {decision.author or 'hand'}: {decision.reason}", [partner])
    return reasons


def _write_members(
    connection: Connection,
    region: Region,
    kept: Mapping[frozenset[int], int],
    told: Mapping[int, list[dict[str, Any]]],
    now: datetime,
) -> set[int]:
    """Write who is in which story and why; returns the stories that have won or lost a report."""
    changed, fresh = set(), []
    for group, story_id in kept.items():
        for item_id in sorted(group):
            before = region.placed.get(item_id)
            if before is None:
                fresh.append(
                    {"item_id": item_id, "story_id": story_id, "reasons": told[item_id], "since": now}
                )
            elif (before.story_id, before.reasons) != (story_id, told[item_id]):
                values: dict[str, Any] = {"story_id": story_id, "reasons": told[item_id]}
                if before.story_id != story_id:
                    values["since"] = now
                connection.execute(update(StoryMember).where(StoryMember.item_id == item_id).values(values))
            if before is None or before.story_id != story_id:
                changed |= {story_id} if before is None else {story_id, before.story_id}
    if fresh:
        connection.execute(insert(StoryMember), fresh)
    return changed


def _point_deliveries(connection: Connection, story_ids: Collection[int]) -> None:
    """Let each story be told as new once to each rule and recipient: by the first alert about one of its reports.

    An alert that was held back for a report that is in another story by now is due where nothing else told of its
    story; one that nobody has tried to send yet is held back where another tells of its story by now. What was sent, or
    may have been, stays as it was. What was escalated is about an alert, not about a story.
    """
    kept = case((Delivery.state == HELD, 3), (Delivery.state == "failed", 2), (and_(*UNTRIED), 1), else_=0)
    rows: dict[tuple[Any, ...], list[Any]] = {}
    for chunk in chunks(story_ids):
        query = (
            select(
                Delivery.id, Delivery.state, Delivery.story_id, StoryMember.story_id.label("own"),
                Delivery.rule, Delivery.channel, Delivery.recipient,
            )
            .join(StoryMember, StoryMember.item_id == Delivery.item_id)
            .where(StoryMember.story_id.in_(chunk), Delivery.event == NEW, Delivery.escalates.is_(None))
            .order_by(kept, Delivery.created_at, Delivery.id)
        )  # fmt: skip
        for row in connection.execute(query):
            rows.setdefault((row.own, row.rule, row.channel, row.recipient), []).append(row)
    firsts = [told[0] for told in rows.values() if told[0].story_id != told[0].own]
    others = [row.id for told in rows.values() for row in told[1:] if row.story_id is not None]
    for row_id in [*others, *(row.id for row in firsts)]:
        connection.execute(update(Delivery).where(Delivery.id == row_id).values(story_id=None))
    for row in (row for told in rows.values() for row in told[1:] if row.state == "due"):
        connection.execute(
            update(Delivery).where(Delivery.id == row.id, *UNTRIED).values(state=HELD, detail=None)
        )
    for row in firsts:
        due = {"state": "due", "next_at": datetime.now(UTC)} if row.state == HELD else {}
        connection.execute(update(Delivery).where(Delivery.id == row.id).values(story_id=row.own, **due))
