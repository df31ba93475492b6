"""The orders of a search beside the newest first: by relevance, and one row a story.

Relevance is BM25 over the words of the query, those of the title weighing more, computed from the search documents: the
same on both databases, whatever their indexes can rank.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from pipeline.expression.conditions import Condition, Words
from pipeline.expression.places import asked_for
from pipeline.expression.subject import patterns_of
from pipeline.store.sketches import chunks
from pipeline.store.story_tables import Story, StoryMember
from pipeline.store.tables import Item, SearchDocument
from pipeline.store.tokens import write_tokens
from query.newest import Wanted, newest_ids

ORDERS = ("newest", "relevance", "story")
MOST_RANKED = 2_000
"""Of more found items than these the newest so many are ranked by relevance; older ones follow, the newest first."""
_TITLE = 5  # how often in the text a word would have to stand to count as much as once in the title
_SATURATION, _LENGTH = 1.2, 0.75  # BM25's k1 and b, as most search engines set them
_CHUNK = 200

Place = tuple[int, int]
_NEWEST_FIRST = (Item.sort_key.desc(), Item.id.desc())


def by_relevance(
    connection: Connection, wanted: Wanted, condition: Condition | None, *, after: Place | None, limit: int
) -> dict[int, Place]:
    """The ids of the wanted items, those first in which the words of the `condition` stand oftenest, among the alike
    the newest; a place is a rank. Items that come in between two questions shift the ranks of others."""
    asked = asked_for(condition) if condition else ()
    leaves = [patterns_of(words.phrases) for words in asked if isinstance(words, Words)]
    start = after[0] if after else 0
    newest = newest_ids(connection, wanted, max(MOST_RANKED, start + limit))
    ranked, older = newest[:MOST_RANKED], newest[MOST_RANKED:]
    scores = _score(connection, ranked, leaves) if leaves else {}
    ranked.sort(key=lambda item_id: -scores.get(item_id, 0.0))
    chosen = [*ranked, *older][start : start + limit]
    return {item_id: (start + number, 0) for number, item_id in enumerate(chosen, start=1)}


@dataclass(frozen=True, slots=True)
class _Counts:
    """How often each of the asked words stands in an item, and how many tokens the item has."""

    found: list[float]
    length: int


def _score(connection: Connection, ids: Sequence[int], leaves: Sequence[tuple[str, ...]]) -> dict[int, float]:
    counted: dict[int, _Counts] = {}
    for chunk in chunks(ids):
        documents = (
            select(Item.id, Item.title, SearchDocument.sequence)
            .join(SearchDocument, SearchDocument.item_id == Item.id)
            .where(Item.id.in_(chunk))
        )
        for row in connection.execute(documents):
            text, title = f" {row.sequence} ", f" {write_tokens(row.title)} "
            counted[row.id] = _Counts(
                [
                    sum(text.count(pattern) + (_TITLE - 1) * title.count(pattern) for pattern in patterns)
                    for patterns in leaves
                ],
                text.count(" "),
            )
    if not counted:
        return {}
    usual = sum(one.length for one in counted.values()) / len(counted)
    weights = []
    for place in range(len(leaves)):
        having = sum(one.found[place] > 0 for one in counted.values())
        # Among items that were found by it, a word that only some have says more than one that all have.
        weights.append(math.log(1 + (len(counted) - having + 0.5) / (having + 0.5)))
    return {
        item_id: sum(
            weight * often * (_SATURATION + 1)
            / (often + _SATURATION * (1 - _LENGTH + _LENGTH * one.length / usual))
            for weight, often in zip(weights, one.found, strict=True)
        )
        for item_id, one in counted.items()
    }  # fmt: skip


def by_story(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: Place | None,
    limit: int,
) -> dict[int, Place]:
    """The ids of one report of each story of which a report meets the conditions: the leading one where it does, else
    the newest. The place of a story is that of its newest report that does, and stories stand in this order."""
    chosen: dict[int, Place] = {}
    for members in _stories(connection, conditions, after):
        leading = next((row for row in members if row.id == row.lead_id), members[0])
        chosen[leading.id] = (members[0].sort_key, members[0].id)
        if len(chosen) == limit:
            break
    return chosen


def _stories(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], after: Place | None
) -> Iterator[list[Any]]:
    """The reports that meet the conditions, story by story, each story's newest first."""
    reports = (
        select(Item.id, Item.sort_key, StoryMember.story_id, Story.lead_id)
        .join(StoryMember, StoryMember.item_id == Item.id)
        .join(Story, Story.id == StoryMember.story_id)
        .where(*conditions)
        .order_by(*_NEWEST_FIRST)
    )
    while True:
        behind = [] if after is None else [tuple_(Item.sort_key, Item.id) < after]
        rows = connection.execute(reports.where(*behind).limit(_CHUNK)).all()
        members: dict[int, list[Any]] = {row.story_id: [] for row in rows}
        # A story whose newest report stands before these rows was told there.
        for row in connection.execute(reports.where(StoryMember.story_id.in_(members))):
            members[row.story_id].append(row)
        yield from (members[row.story_id] for row in rows if row.id == members[row.story_id][0].id)
        if len(rows) < _CHUNK:
            return
        after = (rows[-1].sort_key, rows[-1].id)


def count_stories(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> int:
    """How many stories have a report that meets the conditions."""
    counted = (
        select(func.count(StoryMember.story_id.distinct()))
        .join(Item, Item.id == StoryMember.item_id)
        .where(*conditions)
    )
    return connection.scalar(counted) or 0
