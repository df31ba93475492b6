"""Counting what is stored: items by month, source, court, kind of right, outcome; the sums they name, by month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from sqlalchemy import ColumnElement, Engine, func, select

from pipeline.store.tables import FactRow, Item
from query.facets import FACETS, count_facets

UNKNOWN = "unknown"
"""The month of items whose date of publication could not be read."""
BY = ("month", *(name for name in FACETS if name != "month"), "amount")
_CURRENCY = "cny"


@dataclass(frozen=True, slots=True)
class Group:
    """How many items fall under a label. Of amounts also the median and the largest, over the largest sum in yuan of
    each item: one item that names a sum twice counts once."""

    label: str
    items: int
    median: Decimal | None = None
    largest: Decimal | None = None


def count_items(engine: Engine, conditions: Sequence[ColumnElement[bool]], by: str) -> list[Group]:
    """The items that meet the conditions (`query.search.find_conditions`), grouped by one of `BY`.

    Months are in their order, those without an item between two others with 0, `unknown` last; all else by number,
    the largest first. An item counts once under each court, kind of right and outcome that it names.
    """
    if by == "amount":
        return _count_amounts(engine, conditions)
    facet = count_facets(engine, conditions, [by], most_counted=None, most_values=None).facets[by]
    groups = [Group(label, items) for label, items in facet.values]
    if by != "month":
        return groups
    return list(_in_order([*groups, *([Group(UNKNOWN, facet.without)] if facet.without else [])]))


def _count_amounts(engine: Engine, conditions: Sequence[ColumnElement[bool]]) -> list[Group]:
    largest = (
        select(Item.published_on, func.max(FactRow.amount).label("amount"))
        .select_from(Item)
        .join(FactRow, FactRow.item_id == Item.id)
        .where(FactRow.kind == "amount", FactRow.key == _CURRENCY, *conditions)
        .group_by(Item.id, Item.published_on)
    )
    sums: dict[str, list[Decimal]] = {}
    with engine.connect().execution_options(read_only=True, yield_per=1000) as connection:
        for day, amount in connection.execute(largest):
            if amount is not None:
                sums.setdefault(f"{day:%Y-%m}" if day else UNKNOWN, []).append(amount)
    return list(
        _in_order(
            [Group(label, len(amounts), median(amounts), max(amounts)) for label, amounts in sums.items()]
        )
    )


def _in_order(groups: list[Group]) -> Iterator[Group]:
    known = {group.label: group for group in groups}
    months = sorted(label for label in known if label != UNKNOWN)
    if months:
        first, last = (int(label[:4]) * 12 + int(label[5:]) - 1 for label in (months[0], months[-1]))
        for place in range(first, last + 1):
            label = f"{place // 12:04d}-{place % 12 + 1:02d}"
            yield known.get(label, Group(label, 0))
    if UNKNOWN in known:
        yield known[UNKNOWN]
