"""Find stored items by words, source, date and facts, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, case, select

from pipeline.expression import Query
from pipeline.expression.conditions import All, Condition, FromSources, HasFact, PublishedOn
from pipeline.expression.places import asked_for
from pipeline.legal.fact_key import read_out
from pipeline.sentence import Excerpt, Place
from pipeline.store.standing import METHOD
from pipeline.store.tables import FactRow, Item
from pipeline.store.withdrawals import describe_standing, is_withdrawn, standing_withdrawals
from query.conditions import match_condition
from query.errors import QueryError as QueryError
from query.fact_filters import FactFilter, read_filter
from query.highlights import highlight
from query.newest import Wanted, newest_ids
from query.orders import ORDERS, by_relevance, by_story, count_stories
from query.stories import also_reported


@dataclass(frozen=True, slots=True)
class Hit:
    """A found item. `title_places` are where the title says what was asked for, `excerpt` is the sentence of the text
    that does, else its beginning. `published_at` is UTC and None where only the day is known; `published_on` is None
    where no date could be read. `facts` are raw texts by kind, but the reading itself where a person corrected it.
    `also` are the other reports of its story (`query.stories.also_reported`). `withdrawal`: since when the item's
    page is gone (`gone_at`, UTC), and its `kind`; None while it is there. `place` is where it stands in the order of
    `search_items`, which goes on behind it."""

    place: tuple[int, int]
    uid: str
    title: str
    title_places: tuple[Place, ...]
    url: str
    publisher: str
    source_key: str
    published_on: date | None
    published_at: datetime | None
    first_seen_at: datetime
    version_number: int
    excerpt: Excerpt
    facts: dict[str, list[str]]
    also: list[dict[str, Any]]
    withdrawal: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Found:
    """The first hits, and how many there are in all: `total`, or more than that where `more` says so. Both are None
    where that wasn't asked."""

    total: int | None
    more: bool | None
    hits: list[Hit]


MOST_TOTAL = 1000
"""Hits are counted up to here: who finds more than a thousand asks again and doesn't read the number."""


# Put together once: it costs more than asking.
_ITEMS = select(
    Item.id, Item.uid, Item.title, Item.url, Item.publisher, Item.source_key, Item.published_on, Item.published_at,
    Item.first_seen_at, Item.version_number, Item.body, Item.sort_key,
).where(Item.id.in_(bindparam("items", expanding=True)))  # fmt: skip
# What was read is taken apart for those only of which it is shown: an item has dozens of facts.
_FACTS = (
    select(FactRow.item_id, FactRow.kind, FactRow.raw, case((FactRow.method == METHOD, FactRow.value)))
    .where(FactRow.item_id.in_(bindparam("items", expanding=True)))
    .order_by(FactRow.field.desc(), FactRow.start)
)
_ASKED_FACTS = select(
    FactRow.item_id, FactRow.kind, FactRow.raw, FactRow.value, FactRow.method, FactRow.field, FactRow.start,
    FactRow.end,
).where(
    FactRow.item_id.in_(bindparam("items", expanding=True)), FactRow.kind.in_(bindparam("kinds", expanding=True))
)  # fmt: skip


def search_items(
    engine: Engine,
    query: Query | None = None,
    *,
    sources: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    run_ids: Sequence[int] | None = None,
    withdrawn: bool = False,
    facts: FactFilter | None = None,
    order: str = "newest",
    after: tuple[int, int] | None = None,
    limit: int = 20,
    counted: bool = True,
) -> Found:
    """Items that meet the query and every filter, in one of the `ORDERS`; all items without a query.

    The hits begin behind the place `after`, that of a hit of the same search; `total` counts from the start, to
    `MOST_TOTAL` or to what is shown, in the order `story` all the stories. Other arguments and errors are those of
    `find_conditions`; an unknown order is a QueryError too.
    """
    if order not in ORDERS:
        raise QueryError(f"{order!r} is no order; there are {', '.join(ORDERS)}.")
    condition = _read_condition(query, sources, since, until, facts)
    others = tuple(_other_conditions(run_ids, withdrawn))
    wanted = Wanted(condition, others, few=bool(others))
    with engine.connect().execution_options(read_only=True) as connection:
        # Where no order gives a place, the item's own key and number are it.
        places: dict[int, tuple[int, int] | None]
        if order == "story":
            conditions = [*_conditions(engine.dialect.name, condition), *others]
            places = {**by_story(connection, conditions, after=after, limit=limit)}
            total, more = (count_stories(connection, conditions), False) if counted else (None, None)
        else:
            most = max(MOST_TOTAL, limit)
            found = newest_ids(connection, wanted, most + 1) if counted else []
            if order == "relevance":
                asked = query.condition if query else None
                places = {**by_relevance(connection, wanted, asked, after=after, limit=limit)}
            elif counted and after is None:
                places = dict.fromkeys(found[:limit])
            else:
                places = dict.fromkeys(newest_ids(connection, wanted, limit, after))
            total, more = (min(len(found), most), len(found) > most) if counted else (None, None)
        sought = All((*([query.condition] if query else []), *(read_filter(facts) if facts else [])))
        items = {"items": list(places)}
        by_id = {row.id: row for row in connection.execute(_ITEMS, items)}
        rows = [by_id[item_id] for item_id in places]
        shown = _read_facts(connection, items)
        stated = _read_asked_facts(connection, items, sought)
        also = also_reported(connection, places)
        gone = standing_withdrawals(connection, places)
    hits = []
    for row in rows:
        in_title, excerpt = highlight(sought, row, stated.get(row.id, ()))
        hits.append(
            Hit(
                place=places[row.id] or (row.sort_key, row.id),
                uid=row.uid,
                title=row.title,
                title_places=in_title,
                url=row.url,
                publisher=row.publisher,
                source_key=row.source_key,
                published_on=row.published_on,
                published_at=row.published_at,
                first_seen_at=row.first_seen_at,
                version_number=row.version_number,
                excerpt=excerpt,
                facts=shown.get(row.id, {}),
                also=also.get(row.id, []),
                withdrawal=gone.get(row.id),
            )
        )
    return Found(total, more, hits)


def _read_facts(connection: Connection, items: dict[str, list[int]]) -> dict[int, dict[str, list[str]]]:
    """What hits show of their facts, by item and kind."""
    shown: dict[int, dict[str, list[str]]] = {}
    for item_id, kind, raw, corrected in connection.execute(_FACTS, items).all():
        seen = shown.setdefault(item_id, {}).setdefault(kind, [])
        read = raw if corrected is None else read_out(kind, corrected)
        if read not in seen:
            seen.append(read)
    return shown


def _read_asked_facts(
    connection: Connection, items: dict[str, list[int]], condition: Condition
) -> dict[int, list[Any]]:
    """Rows of the facts that the condition may ask for, by item."""
    kinds = {test.kind for leaf in asked_for(condition) if isinstance(leaf, HasFact) for test in leaf.tests}
    stated: dict[int, list[Any]] = {}
    if kinds:
        for row in connection.execute(_ASKED_FACTS, {**items, "kinds": sorted(kinds)}):
            stated.setdefault(row.item_id, []).append(row)
    return stated


def find_conditions(
    dialect: str,
    query: Query | None = None,
    *,
    sources: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    run_ids: Sequence[int] | None = None,
    facts: FactFilter | None = None,
    withdrawn: bool = False,
) -> list[ColumnElement[bool]]:
    """What an item must be to be found, as conditions on the table `item`: search, export, counts and feeds share them.

    `since` and `until` are inclusive days of publication in China; an item without a date is found only when
    neither is given. `run_ids` keeps what these runs stored first, `withdrawn` what is gone from its site. Raises
    QueryError for dates in the wrong order and for facts that can't be read.
    """
    condition = _read_condition(query, sources, since, until, facts)
    return _conditions(dialect, condition) + _other_conditions(run_ids, withdrawn)


def _conditions(dialect: str, condition: All) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Item.same_as.is_(None)]
    if condition.parts:
        conditions.append(match_condition(dialect, condition))
    return conditions


def _read_condition(
    query: Query | None,
    sources: Sequence[str],
    since: date | None,
    until: date | None,
    facts: FactFilter | None,
) -> All:
    if since and until and since > until:
        raise QueryError(
            f"Nothing can be published from {since} until {until}: the dates are in the wrong order."
        )
    wanted: list[Condition] = []
    if query:
        # What is asked for beside each other is one list of parts with the filters.
        wanted += query.condition.parts if isinstance(query.condition, All) else (query.condition,)
    if sources:
        wanted.append(FromSources(tuple(sources)))
    if since or until:
        wanted.append(PublishedOn(since, until))
    if facts is not None:
        wanted += read_filter(facts)
    return All(tuple(wanted))


def _other_conditions(run_ids: Sequence[int] | None, withdrawn: bool) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if run_ids is not None:
        conditions.append(Item.run_id.in_(run_ids))
    if withdrawn:
        conditions.append(is_withdrawn())
    return conditions


def describe_hit(hit: Hit) -> dict[str, Any]:
    """A hit as JSON can hold it; times in ISO form, UTC. `highlights` are the places of what was asked for, each the
    first character and the one behind the last."""
    return {
        "uid": hit.uid,
        "title": hit.title,
        "url": hit.url,
        "publisher": hit.publisher,
        "source": hit.source_key,
        "published_on": hit.published_on.isoformat() if hit.published_on else None,
        "published_at": hit.published_at.isoformat() if hit.published_at else None,
        "first_seen_at": hit.first_seen_at.isoformat(),
        "version": hit.version_number,
        "excerpt": hit.excerpt.text,
        "highlights": {
            "title": [list(place) for place in hit.title_places],
            "excerpt": [list(place) for place in hit.excerpt.places],
        },
        "facts": hit.facts,
        "also_reported_by": hit.also,
        "withdrawn": describe_standing(hit.withdrawal),
    }
