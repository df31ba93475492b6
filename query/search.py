"""Find stored items by words, source, date and facts, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select

from pipeline.legal.fact_key import read_out
from pipeline.normalize import fold
from pipeline.store.search_index import match_items
from pipeline.store.standing import METHOD
from pipeline.store.tables import FactRow, Item
from pipeline.store.tokens import read_phrase
from pipeline.store.withdrawals import is_withdrawn, standing_withdrawals
from query.errors import QueryError as QueryError
from query.fact_filters import FactFilter, match_facts
from query.stories import also_reported

_EXCERPT = 80


@dataclass(frozen=True, slots=True)
class Hit:
    """A found item. `published_at` is UTC and None where only the day is known; `published_on` is None where
    no date could be read. `facts` are raw texts by kind, but the reading itself where a person corrected it.
    `also` are the other reports of its story (`query.stories.also_reported`). `withdrawal`: since when the item's
    page is gone (`gone_at`, UTC), and its `kind`; None while it is there."""

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
    also: list[dict[str, Any]]
    withdrawal: dict[str, Any] | None


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
    withdrawn: bool = False,
    facts: FactFilter | None = None,
    limit: int = 20,
) -> Found:
    """Items that hold every word (a word with spaces is a phrase), newest first.

    `since` and `until` are inclusive days of publication in China; an item without a date is found only when
    neither is given. `run_ids` keeps what these runs stored first, `withdrawn` what is gone from its site. Raises
    QueryError for a word without a letter or digit, for dates in the wrong order and for facts that can't be read.
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
    conditions: list[ColumnElement[bool]] = [Item.same_as.is_(None)]
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
    if withdrawn:
        conditions.append(is_withdrawn())
    if facts is not None:
        conditions += match_facts(facts)
    columns = (
        Item.id, Item.uid, Item.title, Item.url, Item.publisher, Item.source_key, Item.published_on,
        Item.published_at, Item.first_seen_at, Item.version_number, Item.body,
    )  # fmt: skip
    with engine.connect().execution_options(read_only=True) as connection:
        total = connection.scalar(select(func.count()).select_from(Item).where(*conditions)) or 0
        rows = connection.execute(
            select(*columns).where(*conditions).order_by(Item.sort_key.desc(), Item.id.desc()).limit(limit)
        ).all()
        shown: dict[int, dict[str, list[str]]] = {row.id: {} for row in rows}
        for fact in connection.execute(
            select(FactRow.item_id, FactRow.kind, FactRow.raw, FactRow.value, FactRow.method)
            .where(FactRow.item_id.in_(shown))
            .order_by(FactRow.field.desc(), FactRow.start)
        ):
            seen = shown[fact.item_id].setdefault(fact.kind, [])
            read = read_out(fact.kind, fact.value) if fact.method == METHOD else fact.raw
            if read not in seen:
                seen.append(read)
        also = also_reported(connection, shown)
        gone = standing_withdrawals(connection, shown)
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
                facts=shown[row.id],
                also=also.get(row.id, []),
                withdrawal=gone.get(row.id),
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
