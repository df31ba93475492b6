"""Counting what is stored: items by month, source, court, kind of right, outcome; the sums they name, by month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from sqlalchemy import ColumnElement, Engine, Select, func, select

from pipeline.store.tables import FactRow, Item

UNKNOWN = "unknown"
"""The month of items whose date of publication could not be read."""
_FACTS = {"court": FactRow.court, "ip_type": FactRow.key, "outcome": FactRow.key}
BY = ("month", "source", *_FACTS, "amount")
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
    month = _month(engine.dialect.name)
    number = func.count(func.distinct(Item.id))
    if by == "amount":
        return _count_amounts(engine, conditions, month)
    if by == "month":
        grouped: Select[str | None, int] = select(month, number).where(*conditions).group_by(month)
    elif by == "source":
        grouped = select(Item.source_key, number).where(*conditions).group_by(Item.source_key)
    else:
        grouped = _by_fact(by, conditions, number)
    with engine.connect().execution_options(read_only=True) as connection:
        groups = [Group(label or UNKNOWN, items) for label, items in connection.execute(grouped)]
    if by == "month":
        return list(_in_order(groups))
    return sorted(groups, key=lambda group: (-group.items, group.label))


def _month(dialect: str) -> ColumnElement[str | None]:
    if dialect == "sqlite":
        return func.strftime("%Y-%m", Item.published_on)
    return func.to_char(Item.published_on, "YYYY-MM")


def _by_fact(
    by: str, conditions: Sequence[ColumnElement[bool]], number: ColumnElement[int]
) -> Select[str | None, int]:
    column = _FACTS[by]
    kind = FactRow.kind.in_(("court", "case_number")) if by == "court" else FactRow.kind == by
    return (
        select(column, number)
        .select_from(Item)
        .join(FactRow, FactRow.item_id == Item.id)
        .where(kind, column.is_not(None), *conditions)
        .group_by(column)
    )


def _count_amounts(
    engine: Engine, conditions: Sequence[ColumnElement[bool]], month: ColumnElement[str | None]
) -> list[Group]:
    largest = (
        select(month.label("month"), func.max(FactRow.amount).label("amount"))
        .select_from(Item)
        .join(FactRow, FactRow.item_id == Item.id)
        .where(FactRow.kind == "amount", FactRow.key == _CURRENCY, *conditions)
        .group_by(Item.id, month)
    )
    sums: dict[str, list[Decimal]] = {}
    with engine.connect().execution_options(read_only=True, yield_per=1000) as connection:
        for label, amount in connection.execute(largest):
            if amount is not None:
                sums.setdefault(label or UNKNOWN, []).append(amount)
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
