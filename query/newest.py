"""The newest items that meet a condition, without looking at all that do.

The index gives documents in the order of their dates. What it doesn't know is looked up for a few of them at a time,
until enough are found: quick where most are meant. Where few of them are, conditions are looked up as sets instead,
which takes about as long whatever they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, any_, bindparam, select
from sqlalchemy.dialects import postgresql

from pipeline.expression.conditions import All, Condition, PublishedOn
from pipeline.store.dating import sort_key
from pipeline.store.documents import FIRST_PLACE, ID_BITS, LAST_PLACE, item_at, place_of
from pipeline.store.search_index import (
    document_test,
    indexed_places,
    is_indexed,
    is_settled,
    opens_words,
    read_forwards,
)
from pipeline.store.tables import Item, SearchDocument
from query.conditions import match_condition, read_document
from query.sought import divide_condition

_WALKED = 400
"""So many of the newest documents are read before an index is asked that gathers all matches before it answers, and so
many again while that promises to be enough."""
_LOOKED_AT = 4000
"""So many documents are looked at one by one before conditions are looked up as sets."""
_FIRST_LOOK, _LOOK = 30, 500
_STRETCH, _STRETCH_GROWS = 2000, 8
"""Newest documents that SQLite's index is asked about first, and how much longer each further stretch of time is."""
_DAY = 86_400 << ID_BITS
_FIRST_PAGE, _PAGE_GROWS = 1500, 16
_TRIED = 16
"""PostgreSQL's matches are taken in pages, each of which is a new look into its index that finds them all; the first
has at least so many for each item that is asked for, where not every match is meant."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# Put together once: it costs more than asking.
_WITHIN = select(SearchDocument.place).where(
    SearchDocument.place >= bindparam("above"), SearchDocument.place < bindparam("below")
)
_NEWEST = _WITHIN.order_by(SearchDocument.place.desc()).offset(bindparam("skipped")).limit(bindparam("most"))
_DOCUMENTS = select(SearchDocument.item_id, SearchDocument.sequence).where(
    SearchDocument.item_id.in_(bindparam("numbers", expanding=True))
)
_AMONG = {
    "sqlite": Item.id.in_(bindparam("numbers", expanding=True)),
    # One parameter: to write out five hundred takes as long as the server needs for them.
    "postgresql": Item.id == any_(bindparam("numbers", type_=postgresql.ARRAY(BigInteger))),
}
_OLDEST = _WITHIN.order_by(SearchDocument.place).limit(1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for: a condition, and others on `item` that only SQL can say.

    `few`: the others leave so few items that they are best looked up first.
    """

    condition: Condition
    others: tuple[ColumnElement[bool], ...] = ()
    few: bool = False


def newest_ids(
    connection: Connection, wanted: Wanted, limit: int, after: tuple[int, int] | None = None
) -> list[int]:
    """Numbers of the newest items that meet it, at most `limit`, behind the place `after` (sort key and number)."""
    above, below = _bounds(wanted.condition)
    if after is not None:
        below = min(place_of(*after), below) if below is not None else place_of(*after)
    return list(islice(_Search(connection, wanted, above).ids(limit, below), limit))


class _Search:
    def __init__(self, connection: Connection, wanted: Wanted, above: int | None) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name
        self._wanted = wanted
        self._above = above
        self._sought, self._rest = divide_condition(wanted.condition)

    def ids(self, limit: int, below: int | None) -> Iterator[int]:
        sought, dialect = self._sought, self._dialect
        narrowed = sought is not None and is_indexed(dialect, sought)
        if self._wanted.few:
            yield from self._look_up(below, limit)
            return
        if sought is None or not narrowed or dialect == "postgresql" or opens_words(sought):
            most, walked, found = _WALKED if narrowed else _LOOKED_AT, 0, 0
            while True:
                places = self._newest(below, most)
                for number in self._meeting(_cut(places), read=sought is not None):
                    found += 1
                    yield number
                if len(places) < most:
                    return
                below, walked = places[-1], walked + most
                if not narrowed or walked + most > _LOOKED_AT or found * _LOOKED_AT < limit * walked:
                    break
        if sought is not None and narrowed:
            seen = 0
            for places in self._indexed(below, limit):
                yield from self._meeting(_cut(places), read=not is_settled(dialect, sought))
                seen, below = seen + len(places), places[-1]
                if self._rest and seen >= _LOOKED_AT:
                    break
            else:
                return
        yield from self._look_up(below, limit)

    def _within(self, below: int | None) -> dict[str, int]:
        return {
            "above": FIRST_PLACE if self._above is None else self._above,
            "below": LAST_PLACE if below is None else below,
        }

    def _newest(self, below: int | None, most: int, *, skipped: int = 0) -> Sequence[int]:
        """Places of documents, whatever is sought, the newest first."""
        bounds = self._within(below)
        return self._connection.scalars(_NEWEST, {**bounds, "most": most, "skipped": skipped}).all()

    def _indexed(self, below: int | None, limit: int) -> Iterator[Sequence[int]]:
        """Places that the index has for what is sought, the newest first, some at a time."""
        assert self._sought is not None
        if self._dialect == "sqlite":
            yield from self._read_forwards(below)
            return
        is_exact = is_settled(self._dialect, self._sought) and not self._rest
        size = max(_FIRST_PAGE, limit * (1 if is_exact else _TRIED))
        while True:
            self._connection.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL jit = off")
            places = self._connection.scalars(self._places(below, self._above).limit(size)).all()
            self._connection.exec_driver_sql("SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL jit TO DEFAULT")
            if places:
                yield places
            if len(places) < size:
                return
            below, size = places[-1], size * _PAGE_GROWS

    def _read_forwards(self, below: int | None) -> Iterator[Sequence[int]]:
        """The same by one stretch of the order after the other, the newest stretch first, each longer than the last.

        FTS5 is never asked for the newest first: read backwards, the long list of a frequent word loses documents
        (seen with SQLite 3.40 among 300,000: 711 of 270,026). Read forwards, it has them all.
        """
        assert self._sought is not None
        within = self._within(below)
        begin = next(iter(self._newest(below, 1, skipped=_STRETCH - 1)), None)
        oldest: int | None = None
        length = 0
        while True:
            is_last = begin is None or (oldest is not None and begin <= oldest)
            above = self._above if is_last else begin
            places = read_forwards(self._connection, self._sought, above, below)[::-1]
            yield from (places[start : start + _LOOK] for start in range(0, len(places), _LOOK))
            if begin is None or is_last:
                return
            if oldest is None:  # the first stretch is mostly enough
                (last,) = self._newest(below, 1)
                oldest = self._connection.scalars(_OLDEST, within).one()
                length = max(last - begin, _DAY)
            below, length = begin, length * _STRETCH_GROWS
            begin -= length

    def _places(self, below: int | None, above: int | None) -> Select[int]:
        assert self._sought is not None
        return indexed_places(self._dialect, self._sought, above, below)

    def _meeting(self, looks: Iterator[Sequence[int]], *, read: bool) -> Iterator[int]:
        """Of the items at these places, those that are meant; `read` to hold their documents against what is sought."""
        conditions = [*self._wanted.others]
        conditions += [match_condition(self._dialect, part, one_by_one=True) for part in self._rest]
        if read and self._sought is not None and self._dialect == "postgresql":
            # Its server is quicker at it than at sending the documents.
            conditions.append(read_document(self._dialect, self._sought))
            read = False
        query = None
        if conditions:
            query = select(Item.id).where(_AMONG[self._dialect], *conditions)
        meets = document_test(self._sought) if read and self._sought is not None else None
        for places in looks:
            # The index holds no items but those that may be found.
            numbers = [item_at(place) for place in places]
            if query is not None:
                meant = set(self._connection.scalars(query, {"numbers": numbers}))
                numbers = [number for number in numbers if number in meant]
            if meets is not None:
                documents = self._connection.execute(_DOCUMENTS, {"numbers": numbers}).all()
                held = {number for number, sequence in documents if meets(f" {sequence} ")}
                numbers = [number for number in numbers if number in held]
            yield from numbers

    def _look_up(self, below: int | None, limit: int) -> Iterator[int]:
        """All of it at once, in the way that depends least on how many items meet which part."""
        dialect, sought = self._dialect, self._sought
        query = select(Item.id).where(*self._wanted.others).limit(limit)
        if sought is None or not is_indexed(dialect, sought):
            place = SearchDocument.place
            within = self._within(below)
            query = query.join(SearchDocument, SearchDocument.item_id == Item.id).where(
                place >= within["above"],
                place < within["below"],
                match_condition(dialect, self._wanted.condition),
            )
            yield from self._connection.scalars(query.order_by(place.desc()))
            return
        places = (
            self._places(below, self._above).cte("places").prefix_with("MATERIALIZED", dialect="postgresql")
        )
        number = places.c.place.bool_op("&")((1 << ID_BITS) - 1)
        query = query.join(places, Item.id == number)
        query = query.where(*(match_condition(dialect, part) for part in self._rest))
        if not is_settled(dialect, sought):
            query = query.where(read_document(dialect, sought))
        yield from self._connection.scalars(query.order_by(places.c.place.desc()))


def _cut(places: Sequence[int]) -> Iterator[Sequence[int]]:
    """A few first: mostly they are enough."""
    start, size = 0, _FIRST_LOOK
    while start < len(places):
        yield places[start : start + size]
        start, size = start + size, _LOOK


def _bounds(condition: Condition) -> tuple[int | None, int | None]:
    """The places that days of publication leave: from the first on, before the second."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    days = [part for part in parts if isinstance(part, PublishedOn)]
    firsts = [part.first for part in days if part.first]
    lasts = [part.last for part in days if part.last and part.last < date.max]
    above = place_of(sort_key(max(firsts), _NEVER), 0) if firsts else None
    below = place_of(sort_key(min(lasts) + timedelta(days=1), _NEVER), 0) if lasts else None
    return above, below
