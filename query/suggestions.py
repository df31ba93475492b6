"""What was perhaps meant by words that find nothing: the nearest known court, public body, term or party.

Traditional characters, abbreviations and synonyms are no reason to find nothing; slips of the hand are.
"""

from __future__ import annotations

import difflib
from typing import Any

from sqlalchemy import Engine, or_, select

from pipeline.expression import Query
from pipeline.expression.widening import is_known, known_words, simplify
from pipeline.legal import find_courts
from pipeline.legal.fact_key import squash
from pipeline.store.tables import FactRow

_MOST = 3
_LEAST_LIKE = 0.6
_PARTIES = 2000  # names that are looked at


def suggest_words(engine: Engine, query: Query) -> list[dict[str, Any]]:
    """For each word of the query that is neither a known one nor a court, what is written alike: `word`, `near`."""
    suggested = []
    known = {squash(word): word for word in reversed(known_words())}
    for one in query.widened:
        if not one.forms or is_known(one.text) or find_courts(one.text):
            continue
        asked = squash(simplify(one.text))
        parties = _read_parties(engine, asked)
        near = difflib.get_close_matches(asked, {**parties, **known}, n=_MOST, cutoff=_LEAST_LIKE)
        shown = [{**parties, **known}[name] for name in near if name != asked]
        if shown:
            suggested.append({"word": one.text, "near": shown})
    return suggested


def _read_parties(engine: Engine, asked: str) -> dict[str, str]:
    """Names of stored parties that share two characters beside each other with a word, as printed."""
    pairs = sorted({asked[place : place + 2] for place in range(len(asked) - 1)})[:20]
    if not pairs:
        return {}
    query = (
        select(FactRow.key, FactRow.raw)
        .where(FactRow.kind == "party", or_(*(FactRow.key.contains(pair, autoescape=True) for pair in pairs)))
        .limit(_PARTIES)
    )
    with engine.connect().execution_options(read_only=True) as connection:
        return {row.key: row.raw for row in connection.execute(query)}
