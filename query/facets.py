"""How many of the items that a search finds there are of each source, court, kind of right, month and outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, extract, func, select
from sqlalchemy.sql.selectable import Subquery

from pipeline.store.tables import FactRow, Item
from query.errors import QueryError

MOST_COUNTED = 100_000
MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class Facet:
    """The commonest values with the number of items that have each, months from the newest; an item may have several.

    `without` are items that have none; `left_out` is how many values more there are.
    """

    values: list[tuple[str, int]]
    without: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What was counted. Where a search finds more than `MOST_COUNTED` items, `counted` is that number, `complete` is
    False, and the counts are exact for the newest so many."""

    counted: int
    complete: bool
    facets: dict[str, Facet]


def count_facets(
    engine: Engine,
    conditions: Sequence[ColumnElement[bool]],
    names: Sequence[str] = (),
    *,
    most_counted: int | None = MOST_COUNTED,
    most_values: int | None = MOST_VALUES,
) -> Facets:
    """The facets of these names (all when none is given) of the items that meet `query.search.find_conditions`.

    At most so many items are counted and values named; None: all of them. Raises QueryError for a name that is none of
    `FACETS`.
    """
    if unknown := [name for name in names if name not in FACETS]:
        raise QueryError(f"{unknown[0]!r} is no facet; there are {', '.join(FACETS)}.")
    found = select(Item.id).where(*conditions)
    more = chosen = found.subquery()
    if most_counted is not None:
        newest = found.order_by(Item.sort_key.desc(), Item.id.desc())
        chosen, more = (newest.limit(most).subquery() for most in (most_counted, most_counted + 1))
    with engine.connect().execution_options(read_only=True) as connection:
        counted = connection.scalar(select(func.count()).select_from(more)) or 0
        complete = most_counted is None or counted <= most_counted
        if not complete:
            counted -= 1
        return Facets(
            counted,
            complete,
            {
                name: _count(connection, FACETS[name](chosen), counted, most_values, by_value=name == "month")
                for name in names or FACETS
            },
        )


def _count(
    connection: Connection, pairs: Select[Any, Any], counted: int, most: int | None, *, by_value: bool
) -> Facet:
    """Count pairs of an item and a value; those without a value were left out of the pairs."""
    pair = pairs.distinct().subquery()
    item, value = pair.c
    number = func.count().label("number")
    order = (value.desc(),) if by_value else (number.desc(), value)
    rows = connection.execute(select(value, number).group_by(value).order_by(*order)).all()
    having = connection.scalar(select(func.count(item.distinct()))) or 0
    shown = rows[:most]
    return Facet(
        [(_month(named) if by_value else str(named), number) for named, number in shown],
        without=counted - having,
        left_out=len(rows) - len(shown),
    )


def _month(number: Any) -> str:
    year, month = divmod(int(number), 100)
    return f"{year:04d}-{month:02d}"


def _sources(chosen: Subquery) -> Select[Any, Any]:
    return select(Item.id, Item.source_key).join(chosen, chosen.c.id == Item.id)


def _months(chosen: Subquery) -> Select[Any, Any]:
    # Year and month as one number sort as they should and need no form of a date, which databases write differently.
    month = extract("year", Item.published_on) * 100 + extract("month", Item.published_on)
    return (
        select(Item.id, month.label("month"))
        .join(chosen, chosen.c.id == Item.id)
        .where(Item.published_on.is_not(None))
    )


def _courts(chosen: Subquery) -> Select[Any, Any]:
    return (
        select(FactRow.item_id, FactRow.court)
        .join(chosen, chosen.c.id == FactRow.item_id)
        .where(FactRow.court.is_not(None))
    )


def _keys(kind: str) -> Callable[[Subquery], Select[Any, Any]]:
    def of(chosen: Subquery) -> Select[Any, Any]:
        return (
            select(FactRow.item_id, FactRow.key)
            .join(chosen, chosen.c.id == FactRow.item_id)
            .where(FactRow.kind == kind, FactRow.key.is_not(None))
        )

    return of


FACETS: dict[str, Callable[[Subquery], Select[Any, Any]]] = {
    "source": _sources,
    "court": _courts,
    "ip_type": _keys("ip_type"),
    "month": _months,
    "outcome": _keys("outcome"),
}
