"""Find stored items by words, source and date, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Engine, func, select

from errors import IprwatchError
from pipeline.normalize import fold
from pipeline.store.search_index import match_items
from pipeline.store.tables import FactRow, Item
from pipeline.store.tokens import read_phrase

_EXCERPT = 80


class QueryError(IprwatchError):
    """A search that can't mean anything. Raised by `search_items`; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A found item. `published_at` is UTC and None where only the day is known; `published_on` is None where
    no date could be read. `facts` are raw texts by kind."""

    uid: str
    title: str
    url: str
    publisher: str
    source_key: str
    published_on: date | None
    published_at: datetime | None
    first_seen_at: datetime
    version_number: int
    excerpt: str
    facts: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """The newest hits, and how many there are in all."""

    total: int
    hits: list[Hit]


def search_items(
    engine: Engine,
    words: Sequence[str],
    *,
    sources: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    run_ids: Sequence[int] | None = None,
    limit: int = 20,
) -> Found:
    """Items that hold every word (a word with spaces is a phrase), newest first.

    `since` and `until` are inclusive days of publication in China; an item without a date is found only when
    neither is given. `run_ids` keeps what these runs stored first. Raises QueryError for a word without a
    letter or digit and for dates in the wrong order.
    """
    phrases = []
    for word in words:
        phrase = read_phrase(word)
        if phrase is None:
            raise QueryError(f"The word {word!r} has no letter or digit to search for.")
        phrases.append(phrase)
    if since and until and since > until:
        raise QueryError(
            f"Nothing can be published from {since} until {until}: the dates are in the wrong order."
        )
    conditions: list[ColumnElement[bool]] = []
    matched = match_items(engine.dialect.name, phrases)
    if matched is not None:
        conditions.append(matched)
    if sources:
        conditions.append(Item.source_key.in_(sources))
    if since:
        conditions.append(Item.published_on >= since)
    if until:
        conditions.append(Item.published_on <= until)
    if run_ids is not None:
        conditions.append(Item.run_id.in_(run_ids))
    columns = (
        Item.id, Item.uid, Item.title, Item.url, Item.publisher, Item.source_key, Item.published_on,
        Item.published_at, Item.first_seen_at, Item.version_number, Item.body,
    )  # fmt: skip
    with engine.connect().execution_options(read_only=True) as connection:
        total = connection.scalar(select(func.count()).select_from(Item).where(*conditions)) or 0
        rows = connection.execute(
            select(*columns).where(*conditions).order_by(Item.sort_key.desc(), Item.id.desc()).limit(limit)
        ).all()
        facts: dict[int, dict[str, list[str]]] = {row.id: {} for row in rows}
        for fact in connection.execute(
            select(FactRow.item_id, FactRow.kind, FactRow.raw)
            .where(FactRow.item_id.in_(facts))
            .order_by(FactRow.field.desc(), FactRow.start)
        ):
            seen = facts[fact.item_id].setdefault(fact.kind, [])
            if fact.raw not in seen:
                seen.append(fact.raw)
    return Found(
        total,
        [
            Hit(
                uid=row.uid,
                title=row.title,
                url=row.url,
                publisher=row.publisher,
                source_key=row.source_key,
                published_on=row.published_on,
                published_at=row.published_at,
                first_seen_at=row.first_seen_at,
                version_number=row.version_number,
                excerpt=_excerpt(row.body, words),
                facts=facts[row.id],
            )
            for row in rows
        ],
    )


def _excerpt(body: str, words: Sequence[str]) -> str:
    text = " ".join(body.split())
    folded = fold(text)
    # Folding may change lengths; then the place is near enough for an excerpt.
    places = [place for word in words if (place := folded.find(fold(word))) >= 0]
    start = max(0, min(places) - _EXCERPT // 4) if places else 0
    piece = text[start : start + _EXCERPT]
    return ("…" if start else "") + piece + ("…" if start + _EXCERPT < len(text) else "")
