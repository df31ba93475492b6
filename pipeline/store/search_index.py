"""The search index of each database behind one small interface: the condition that finds items.

SQLite: FTS5 over `search_document` (external content, so that a deletion names exactly what was indexed) with
the `ascii` tokenizer, which splits at ASCII separators only and so keeps every token as `tokenize` made it.
PostgreSQL: a GIN index over the distinct tokens, and a comparison of the sequence for phrases.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Text, cast, literal, literal_column, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import column, func, table

from pipeline.store.tables import Item, SearchDocument
from pipeline.store.tokens import Phrase


def match_items(dialect: str, phrases: Sequence[Phrase]) -> ColumnElement[bool] | None:
    """The condition on `item.id` for documents that hold all phrases; None when there are none."""
    if not phrases:
        return None
    if dialect == "sqlite":
        query = " AND ".join(
            '"' + " ".join(phrase.tokens) + '"' + ("*" if phrase.prefix else "") for phrase in phrases
        )
        index = table("item_search", column("rowid"), column("item_search"))
        return Item.id.in_(
            select(index.c.rowid).where(text("item_search MATCH :match").bindparams(match=query))
        )
    whole = [
        token for phrase in phrases for token in (phrase.tokens[:-1] if phrase.prefix else phrase.tokens)
    ]
    conditions: list[ColumnElement[bool]] = []
    if whole:
        distinct = cast(sorted(set(whole)), postgresql.ARRAY(Text))
        conditions.append(
            func.string_to_array(SearchDocument.sequence, literal_column("' '")).bool_op("@>")(distinct)
        )
    for phrase in phrases:
        if len(phrase.tokens) == 1 and not phrase.prefix:
            continue
        sequence = literal(" ") + SearchDocument.sequence + literal(" ")
        sought = " " + " ".join(phrase.tokens) + ("" if phrase.prefix else " ")
        conditions.append(func.strpos(sequence, sought) > 0)
    return Item.id.in_(select(SearchDocument.item_id).where(*conditions))
