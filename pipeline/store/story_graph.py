"""What hangs together with given items, by whatever may join items in stories: read from the store, nothing decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Executable,
    bindparam,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from pipeline.dedupe.partition import Member, Pair
from pipeline.dedupe.story_keys import StoryKey
from pipeline.store.sketches import chunks
from pipeline.store.story_tables import StoryDecision, StoryKeyRow, StoryLink, StoryMember
from pipeline.store.tables import Item

_ITEMS: BindParameter[int] = bindparam("items", expanding=True)
_MINE, _THEIRS = aliased(StoryKeyRow), aliased(StoryKeyRow)
_SIDE, _OTHER_SIDE = aliased(StoryMember), aliased(StoryMember)


def _standing(action: str) -> ColumnElement[bool]:
    return (StoryDecision.action == action) & StoryDecision.undone_at.is_(None)


_ALONE = select(StoryDecision.item_id).where(StoryDecision.item_id.in_(_ITEMS), _standing("split"))
_NEIGHBOURS: CompoundSelect[Any] = union_all(
    select(_THEIRS.item_id)
    .join(_MINE, (_MINE.key == _THEIRS.key) & (_MINE.kind == _THEIRS.kind))
    .where(_MINE.item_id.in_(_ITEMS)),
    select(StoryLink.item_id).where(StoryLink.other_id.in_(_ITEMS), StoryLink.kind == "same"),
    select(StoryLink.other_id).where(StoryLink.item_id.in_(_ITEMS), StoryLink.kind == "same"),
    select(StoryDecision.item_id).where(StoryDecision.other_id.in_(_ITEMS), _standing("merge")),
    select(StoryDecision.other_id).where(StoryDecision.item_id.in_(_ITEMS), _standing("merge")),
    select(_OTHER_SIDE.item_id)
    .join(_SIDE, _SIDE.story_id == _OTHER_SIDE.story_id)
    .where(_SIDE.item_id.in_(_ITEMS)),
)
_KEYS = select(StoryKeyRow.item_id, StoryKeyRow.kind, StoryKeyRow.key, StoryKeyRow.number).where(
    StoryKeyRow.item_id.in_(_ITEMS)
)
_LINKS = select(
    StoryLink.item_id, StoryLink.other_id, StoryLink.kind, StoryLink.coverage, StoryLink.reason
).where(or_(StoryLink.item_id.in_(_ITEMS), StoryLink.other_id.in_(_ITEMS)), StoryLink.kind != "carries")
_MERGES = select(
    StoryDecision.item_id, StoryDecision.other_id, StoryDecision.author, StoryDecision.reason
).where(StoryDecision.item_id.in_(_ITEMS), _standing("merge"))
_DESCRIBED = select(
    Item.id, Item.uid, Item.identity, Item.source_key, Item.publisher, Item.published_on, Item.published_at
).where(Item.id.in_(_ITEMS))
_PLACED = select(StoryMember.item_id, StoryMember.story_id, StoryMember.reasons).where(
    StoryMember.item_id.in_(_ITEMS)
)


@dataclass(slots=True)
class Region:
    """All that may be one story with the items asked for, and that may not be: complete stories, before and after.

    `rows` describe the items, `placed` are their memberships so far, `reasons` and `merges` say why two are joined.
    """

    members: dict[int, Member] = field(default_factory=dict)
    same: list[Pair] = field(default_factory=list)
    apart: list[tuple[int, int]] = field(default_factory=list)
    by_hand: list[tuple[int, int]] = field(default_factory=list)
    rows: dict[int, Any] = field(default_factory=dict)
    placed: dict[int, Any] = field(default_factory=dict)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    merges: dict[tuple[int, int], Any] = field(default_factory=dict)


def read_region(connection: Connection, seeds: Iterable[int]) -> Region:
    """Follow keys, equal texts, decisions and present stories from the seeds as far as they lead."""
    item_ids: set[int] = set()
    frontier = set(seeds)
    while frontier:
        item_ids |= frontier
        frontier = {row.item_id for row in _read(connection, _NEIGHBOURS, frontier)} - item_ids
    region = Region()
    region.rows = {row.id: row for row in _read(connection, _DESCRIBED, item_ids)}
    region.placed = {row.item_id: row for row in _read(connection, _PLACED, item_ids)}
    alone = {row.item_id for row in _read(connection, _ALONE, item_ids)}
    keys: dict[int, list[StoryKey]] = {}
    for row in _read(connection, _KEYS, item_ids):
        keys.setdefault(row.item_id, []).append(StoryKey(row.kind, row.key, row.number))
    for row in _read(connection, _LINKS, item_ids):
        pair = (row.item_id, row.other_id)
        if not item_ids.issuperset(pair):
            continue
        if row.kind == "same":
            region.same.append(Pair(*pair, row.coverage))
            region.texts[pair] = row.reason
        else:
            region.apart.append(pair)
    for row in _read(connection, _MERGES, item_ids):
        region.by_hand.append((row.item_id, row.other_id))
        region.merges[row.item_id, row.other_id] = row
    region.members = {
        item_id: Member(
            item_id, row.identity, row.published_on, tuple(keys.get(item_id, ())), item_id in alone
        )
        for item_id, row in region.rows.items()
    }
    return region


def _read(connection: Connection, query: Executable, item_ids: set[int]) -> Iterator[Any]:
    for chunk in chunks(item_ids):
        yield from connection.execute(query, {"items": chunk})
