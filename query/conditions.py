"""Conditions of an expression as SQL on both databases, with the meaning of `pipeline.expression.evaluate`.

Words go to the search index in as few parts as they can: what is asked for together is one look into it. No condition
is ever NULL, so that NOT of it is its opposite.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, cast, false, func, not_, or_, select, true
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
)
from pipeline.expression.evaluate import CHINESE, ascii_small
from pipeline.store.search_index import match_items
from pipeline.store.tables import FactRow, Item


def match_condition(dialect: str, condition: Condition) -> ColumnElement[bool]:
    """The condition on `item` that holds for exactly the items that meet it; `dialect` is the engine's name."""
    match condition:
        case Words():
            return _match_words(dialect, (condition,))
        case All():
            return _match_all(dialect, condition)
        case OneOf():
            return _match_one(dialect, condition)
        case Negation():
            return not_(match_condition(dialect, condition.part))
        case HasFact():
            return Item.id.in_(select(FactRow.item_id).where(or_(*map(_match_fact, condition.tests))))
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


def _match_words(dialect: str, words: tuple[Words, ...]) -> ColumnElement[bool]:
    found = match_items(dialect, [part.phrases for part in words])
    return true() if found is None else found


def _match_all(dialect: str, condition: All) -> ColumnElement[bool]:
    words = tuple(part for part in condition.parts if isinstance(part, Words))
    others = [match_condition(dialect, part) for part in condition.parts if not isinstance(part, Words)]
    return and_(*((_match_words(dialect, words),) if words else ()), *others)


def _match_one(dialect: str, condition: OneOf) -> ColumnElement[bool]:
    words = [part for part in condition.parts if isinstance(part, Words)]
    others = [match_condition(dialect, part) for part in condition.parts if not isinstance(part, Words)]
    if not words:
        return or_(false(), *others)
    phrases = tuple(dict.fromkeys(phrase for part in words for phrase in part.phrases))
    return or_(_match_words(dialect, (Words(phrases, ()),)), *others)


def _match_fact(test: FactTest) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [FactRow.kind == test.kind]
    if test.keys is not None:
        ends = [FactRow.key.endswith(end, autoescape=True) for end in test.ends]
        conditions.append(or_(FactRow.key.in_(sorted(test.keys)), *ends))
    if test.courts is not None:
        conditions.append(FactRow.court.in_(sorted(test.courts)))
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
