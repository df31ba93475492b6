"""Conditions of an expression as SQL on both databases, with the meaning of `pipeline.expression.evaluate`.

What the search index knows goes there in as few parts as it can (`query.sought`): what is asked for together is one
look into it. No condition is ever NULL, so that NOT of it is its opposite.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    cast,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.expression.conditions import (
    All,
    Condition,
    FactTest,
    FromSources,
    HasFact,
    InLanguage,
    Negation,
    OneOf,
    OnTopics,
    PublishedBy,
    PublishedOn,
    Words,
    named_topics,
)
from pipeline.expression.evaluate import CHINESE, ascii_small
from pipeline.store.search_index import AnyPhrase, Sought, holds, match_items
from pipeline.store.tables import FactRow, Item, SearchDocument
from query.errors import QueryError
from query.sought import divide_condition


def match_condition(dialect: str, condition: Condition, *, one_by_one: bool = False) -> ColumnElement[bool]:
    """The condition on `item` that holds for exactly the items that meet it; `dialect` is the engine's name.

    Words and facts are looked up as sets of items; `one_by_one` for the few items that a statement looks at anyway,
    where what belongs to each is read.
    """
    if not one_by_one:
        sought, rest = divide_condition(condition)
        if sought is not None:
            parts = (
                _match_itself(dialect, part, one_by_one=False)
                if part is condition
                else match_condition(dialect, part)
                for part in rest
            )
            return and_(match_items(dialect, sought), *parts)
    return _match_itself(dialect, condition, one_by_one=one_by_one)


def _match_itself(dialect: str, condition: Condition, *, one_by_one: bool) -> ColumnElement[bool]:
    """The condition without what the index knows of it as a whole."""
    match condition:
        case Words():
            return read_document(dialect, AnyPhrase(condition.phrases))
        case All():
            return and_(
                true(), *(match_condition(dialect, part, one_by_one=one_by_one) for part in condition.parts)
            )
        case OneOf():
            return or_(
                false(), *(match_condition(dialect, part, one_by_one=one_by_one) for part in condition.parts)
            )
        case Negation():
            return not_(match_condition(dialect, condition.part, one_by_one=one_by_one))
        case HasFact():
            met = or_(*(_match_fact(test, one_by_one=one_by_one) for test in condition.tests))
            if one_by_one:
                return _of_each_item(dialect, select(1).where(FactRow.item_id == Item.id, met))
            return Item.id.in_(select(FactRow.item_id).where(met))
        case FromSources():
            return Item.source_key.in_(condition.keys)
        case PublishedBy():
            return or_(
                *(
                    _small(dialect, name).contains(ascii_small(part), autoescape=True)
                    for part in condition.parts
                    for name in (Item.publisher, Item.publisher_zh, Item.publisher_en)
                )
            )
        case InLanguage():
            chinese = (
                Item.title.bool_op("GLOB")(f"*[{CHINESE}]*")
                if dialect == "sqlite"
                else Item.title.bool_op("~")(f"[{CHINESE}]")
            )
            return chinese if condition.language == "zh" else not_(chinese)
        case PublishedOn():
            days: list[ColumnElement[bool]] = [Item.published_on.is_not(None)]
            days += [Item.published_on >= condition.first] if condition.first else []
            days += [Item.published_on <= condition.last] if condition.last else []
            return and_(*days)
        case OnTopics():
            return or_(*(_on_topic(dialect, topic) for topic in condition.topics))


def check_topics(condition: Condition, known: Collection[str]) -> None:
    """Refuse a condition that names a topic which no source has: it would find nothing, and not say why. Raises
    QueryError."""
    if unknown := sorted(named_topics(condition) - {*known}):
        raise QueryError(f"No source has the topic {unknown[0]!r}; there are {', '.join(sorted(known))}.")


def read_document(dialect: str, sought: Sought) -> ColumnElement[bool]:
    """The condition on `item` that its document meets what is sought, read without the index."""
    return _of_each_item(dialect, select(1).where(SearchDocument.item_id == Item.id, holds(dialect, sought)))


def _of_each_item(dialect: str, rows: Select[int]) -> ColumnElement[bool]:
    """That there are such rows, looked up item by item. PostgreSQL would rather join, and read every document of the
    table for a few items, not knowing what reading one costs; an OFFSET forbids that."""
    return (rows.offset(0) if dialect == "postgresql" else rows).correlate(Item).exists()


def _match_fact(test: FactTest, *, one_by_one: bool) -> ColumnElement[bool]:
    kind: SQLColumnExpression[str] = FactRow.kind
    court: SQLColumnExpression[str | None] = FactRow.court
    if one_by_one:
        # An expression has no index: without statistics, SQLite would read all facts of a kind for every item, and not
        # those of the item.
        kind, court = kind + literal_column("''"), court + literal_column("''")
    conditions: list[ColumnElement[bool]] = [kind == test.kind]
    if test.keys is not None:
        ends = [FactRow.key.endswith(end, autoescape=True) for end in test.ends]
        conditions.append(or_(FactRow.key.in_(sorted(test.keys)), *ends))
    if test.courts is not None:
        conditions.append(court.in_(sorted(test.courts)))
    if test.contains is not None:
        conditions.append(FactRow.key.contains(test.contains, autoescape=True))
    for name, value in test.values:
        part = FactRow.value[name]
        conditions.append((part.as_integer() if isinstance(value, int) else part.as_string()) == value)
    if test.least is not None:
        conditions.append(FactRow.amount >= test.least if test.least_counts else FactRow.amount > test.least)
    if test.most is not None:
        conditions.append(FactRow.amount <= test.most if test.most_counts else FactRow.amount < test.most)
    return and_(*conditions)


def _small(dialect: str, name: SQLColumnExpression[str]) -> ColumnElement[str]:
    """ASCII letters in lower case: SQLite's lower() knows no others, PostgreSQL's does unless told."""
    return func.lower(name if dialect == "sqlite" else name.collate("C"))


def _on_topic(dialect: str, topic: str) -> ColumnElement[bool]:
    if dialect == "sqlite":
        each = func.json_each(Item.topics).table_valued("value")
        return select(1).select_from(each).where(each.c.value == topic).exists()
    return cast(Item.topics, JSONB).contains([topic])
