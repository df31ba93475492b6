"""The search index of each database behind one small interface: the condition that finds items.

SQLite: FTS5 over `search_document` (external content, so that a deletion names exactly what was indexed) with
the `ascii` tokenizer, which splits at ASCII separators only and so keeps every token as `tokenize` made it.
PostgreSQL: a GIN index over the distinct tokens, and a comparison of the sequence for phrases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Text, and_, bindparam, cast, literal, literal_column, or_, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import column, func, table

from pipeline.store.tables import Item, SearchDocument
from pipeline.store.tokens import Phrase, tokenize


def document_of(title: str, publisher: str, body: str, attachments: Iterable[str]) -> str:
    """The search document of an item with these texts."""
    return " ".join(tokenize("\n".join((title, publisher, body, *attachments))))


def match_items(dialect: str, groups: Sequence[Sequence[Phrase]]) -> ColumnElement[bool] | None:
    """The condition on `item.id` for documents that hold a phrase of each group; None when there is no group."""
    if not groups:
        return None
    if dialect == "sqlite":
        query = " AND ".join(f"({' OR '.join(map(_write_phrase, phrases))})" for phrases in groups)
        index = table("item_search", column("rowid"), column("item_search"))
        matched = text("item_search MATCH :match").bindparams(bindparam("match", query, unique=True))
        return Item.id.in_(select(index.c.rowid).where(matched))
    conditions = [or_(*map(_holds, phrases)) for phrases in groups]
    return Item.id.in_(select(SearchDocument.item_id).where(*conditions))


def _write_phrase(phrase: Phrase) -> str:
    return '"' + " ".join(phrase.tokens) + '"' + ("*" if phrase.prefix else "")


def _holds(phrase: Phrase) -> ColumnElement[bool]:
    whole = phrase.tokens[:-1] if phrase.prefix else phrase.tokens
    conditions: list[ColumnElement[bool]] = []
    if whole:
        distinct = cast(sorted(set(whole)), postgresql.ARRAY(Text))
        conditions.append(
            func.string_to_array(SearchDocument.sequence, literal_column("' '")).bool_op("@>")(distinct)
        )
    if len(phrase.tokens) > 1 or phrase.prefix:
        sequence = literal(" ") + SearchDocument.sequence + literal(" ")
        sought = " " + " ".join(phrase.tokens) + ("" if phrase.prefix else " ")
        conditions.append(func.strpos(sequence, sought) > 0)
    return and_(*conditions)
