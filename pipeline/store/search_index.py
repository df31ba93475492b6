"""The search index of each database behind one small interface: what is sought, as SQL.

SQLite: FTS5 over `search_document` (external content, so that a deletion names exactly what was indexed) with
the `ascii` tokenizer, which splits at ASCII separators only and so keeps every token as `tokenize` made it. Its rows
are numbered by the documents' places, so that it knows their order by itself.
PostgreSQL: a GIN index over the distinct tokens, and a comparison of the sequence for phrases.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    false,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import column, func, table

from pipeline.store.documents import FIRST_PLACE, ID_BITS, LAST_PLACE
from pipeline.store.tables import Item, SearchDocument
from pipeline.store.tokens import Phrase

_LONG = 3
"""Tokens from which on, the open one not counted, FTS5 is asked for a phrase without the open one."""
_MOST_WAYS = 64
"""Looks that one question may ask of PostgreSQL's index."""
_FTS = table("item_search", column("rowid"), column("item_search"))


@dataclass(frozen=True, slots=True)
class AnyPhrase:
    """A document holds one of these phrases; a mark is a phrase of one token. There is at least one."""

    phrases: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """A document meets every part, of which there is at least one, and nothing in `without`."""

    parts: tuple[Sought, ...]
    without: tuple[Sought, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A document meets one of the parts, of which there is at least one."""

    parts: tuple[Sought, ...]


Sought = AnyPhrase | AllOf | AnyOf


def any_mark(marks: Iterable[str]) -> AnyPhrase:
    """One of these marks (`pipeline.store.marks`)."""
    return AnyPhrase(tuple(Phrase((one,), prefix=False) for one in marks))


def opens_words(sought: Sought) -> bool:
    """Whether FTS5 is asked for beginnings of tokens: it then gathers every token that begins so before it answers."""
    if isinstance(sought, AnyPhrase):
        return any(phrase.prefix and not _is_long(phrase) for phrase in sought.phrases)
    without = sought.without if isinstance(sought, AllOf) else ()
    return any(map(opens_words, (*sought.parts, *without)))


def match_items(dialect: str, sought: Sought) -> ColumnElement[bool]:
    """The condition on `item.id` for documents that meet what is sought."""
    if dialect == "sqlite":
        if is_settled(dialect, sought):
            return Item.id.in_(select(_FTS.c.rowid.bool_op("&")((1 << ID_BITS) - 1)).where(_matches(sought)))
        places = SearchDocument.place.in_(select(_FTS.c.rowid).where(_matches(sought)))
        return Item.id.in_(select(SearchDocument.item_id).where(places, holds(dialect, sought)))
    read = [] if is_settled(dialect, sought) else [holds(dialect, sought)]
    return Item.id.in_(select(SearchDocument.item_id).where(_indexed(sought), *read))


def is_settled(dialect: str, sought: Sought) -> bool:
    """Whether the index alone can say what meets it; else what it has is to be held against `holds`."""
    if dialect == "sqlite":
        parts = (sought,) if isinstance(sought, AnyPhrase) else sought.parts
        return all(
            not any(map(_is_long, part.phrases)) if isinstance(part, AnyPhrase) else is_settled(dialect, part)
            for part in parts
        )
    if isinstance(sought, AnyPhrase):
        return all(len(phrase.tokens) == 1 and not phrase.prefix for phrase in sought.phrases)
    without = sought.without if isinstance(sought, AllOf) else ()
    return not without and all(is_settled(dialect, part) for part in sought.parts)


def is_indexed(dialect: str, sought: Sought) -> bool:
    """Whether the index narrows it down at all: PostgreSQL's knows whole tokens only."""
    if dialect == "sqlite":
        return True
    match sought:
        case AnyPhrase():
            return all(map(_whole, sought.phrases))
        case AllOf():
            return any(is_indexed(dialect, part) for part in sought.parts)
        case AnyOf():
            return all(is_indexed(dialect, part) for part in sought.parts)


def holds(dialect: str, sought: Sought) -> ColumnElement[bool]:
    """The condition on `search_document` that the document itself meets it, read without the index."""
    match sought:
        case AnyPhrase():
            return or_(false(), *(_stands(dialect, phrase) for phrase in sought.phrases))
        case AllOf():
            return and_(
                *(holds(dialect, part) for part in sought.parts),
                *(not_(holds(dialect, part)) for part in sought.without),
            )
        case AnyOf():
            return or_(*(holds(dialect, part) for part in sought.parts))


def document_test(sought: Sought) -> Callable[[str], bool]:
    """What `holds` asks the database, to be asked of a document's sequence with a space around it."""
    match sought:
        case AnyPhrase():
            patterns = [phrase.pattern for phrase in sought.phrases]
            return lambda sequence: any(pattern in sequence for pattern in patterns)
        case AllOf():
            parts, without = [*map(document_test, sought.parts)], [*map(document_test, sought.without)]
            return lambda sequence: (
                all(part(sequence) for part in parts) and not any(part(sequence) for part in without)
            )
        case AnyOf():
            parts = [*map(document_test, sought.parts)]
            return lambda sequence: any(part(sequence) for part in parts)


def indexed_places(dialect: str, sought: Sought, above: int | None, below: int | None) -> Select[int]:
    """Places of documents that the index has for it, from `above` on and before `below`: on PostgreSQL the newest
    first, on SQLite the oldest (`query.newest` says why).

    Where `is_settled` says no, they are to be held against `holds`.
    """
    if dialect == "sqlite":
        return _FORWARDS.params(**_sought_between(sought, above, below))
    place: ColumnElement[int] = SearchDocument.__table__.c.place
    bounds = [] if above is None else [place >= above]
    bounds += [] if below is None else [place < below]
    # PostgreSQL is not to go by the order of the column alone: it would read documents one by one until enough of them
    # match, which for rare words are all.
    return select(place.label("place")).where(_indexed(sought), *bounds).order_by((place + 0).desc())


# Put together once: it costs as much as asking.
_FORWARDS = (
    select(_FTS.c.rowid.label("place"))
    .where(
        _FTS.c.item_search.bool_op("MATCH")(bindparam("sought", type_=Text)),
        _FTS.c.rowid >= bindparam("above", type_=BigInteger),
        _FTS.c.rowid < bindparam("below", type_=BigInteger),
    )
    .order_by(_FTS.c.rowid)
)


def read_forwards(
    connection: Connection, sought: Sought, above: int | None, below: int | None
) -> Sequence[int]:
    """What `indexed_places` asks of SQLite, asked at once."""
    return connection.scalars(_FORWARDS, _sought_between(sought, above, below)).all()


def _sought_between(sought: Sought, above: int | None, below: int | None) -> dict[str, Any]:
    return {
        "sought": _write(sought),
        "above": FIRST_PLACE if above is None else above,
        "below": LAST_PLACE if below is None else below,
    }


def _matches(sought: Sought) -> ColumnElement[bool]:
    return _FTS.c.item_search.bool_op("MATCH")(_write(sought))


def _write(sought: Sought, *, shorten: bool = True) -> str:
    """In FTS5's language. Long phrases are shortened, so that more may be found; not in what must be absent."""
    match sought:
        case AnyPhrase():
            return f"({' OR '.join(_write_phrase(phrase, shorten=shorten) for phrase in sought.phrases)})"
        case AllOf():
            found = f"({' AND '.join(_write(part, shorten=shorten) for part in sought.parts)})"
            for part in sought.without:
                found = f"({found} NOT {_write(part, shorten=False)})"
            return found
        case AnyOf():
            return f"({' OR '.join(_write(part, shorten=shorten) for part in sought.parts)})"


def _write_phrase(phrase: Phrase, *, shorten: bool) -> str:
    if shorten and _is_long(phrase):
        return '"' + " ".join(phrase.tokens[:-1]) + '"'
    return '"' + " ".join(phrase.tokens) + '"' + ("*" if phrase.prefix else "")


def _is_long(phrase: Phrase) -> bool:
    """Whether few documents hold it even without its last, open token (the 号 of a case number)."""
    return phrase.prefix and len(phrase.tokens) > _LONG


_TOKENS = func.string_to_array(SearchDocument.sequence, literal_column("' '"))


def _indexed(sought: Sought) -> ColumnElement[bool]:
    """What PostgreSQL's index can say: which tokens there are. What is to be without something is not asked for."""
    match sought:
        case AnyPhrase():
            return or_(false(), *(_has(_whole(phrase)) for phrase in sought.phrases))
        case AllOf():
            # Each way to meet it is one look for all its tokens. PostgreSQL would look for those of one part only,
            # and take every document that has them apart to see whether it has the others.
            if _count_ways(sought) <= _MOST_WAYS:
                return or_(*map(_has, dict.fromkeys(_ways(sought))))
            return and_(*map(_indexed, sought.parts))
        case AnyOf():
            return or_(*map(_indexed, sought.parts))


def _count_ways(sought: Sought) -> int:
    match sought:
        case AnyPhrase():
            return len(sought.phrases)
        case AllOf():
            return prod(map(_count_ways, sought.parts))
        case AnyOf():
            return sum(map(_count_ways, sought.parts))


def _ways(sought: Sought) -> list[frozenset[str]]:
    """Sets of tokens, one of which a document must have."""
    match sought:
        case AnyPhrase():
            return [frozenset(_whole(phrase)) for phrase in sought.phrases]
        case AllOf():
            return [frozenset().union(*way) for way in product(*map(_ways, sought.parts))]
        case AnyOf():
            return [way for part in sought.parts for way in _ways(part)]


def _whole(phrase: Phrase) -> Sequence[str]:
    return phrase.tokens[:-1] if phrase.prefix else phrase.tokens


def _has(tokens: Collection[str]) -> ColumnElement[bool]:
    if not tokens:
        return true()
    return _TOKENS.bool_op("@>")(cast(sorted(set(tokens)), postgresql.ARRAY(Text)))


def _stands(dialect: str, phrase: Phrase) -> ColumnElement[bool]:
    sequence = literal(" ") + SearchDocument.sequence + literal(" ")
    find = func.instr if dialect == "sqlite" else func.strpos
    return find(sequence, phrase.pattern) > 0
