"""Searches with their filters as one expression of the query language, which can be kept and made a rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pipeline.expression import ExpressionError, Query, read_query
from pipeline.expression.lexemes import plain_form
from query.errors import QueryError
from query.fact_filters import FactFilter


def write_expression(
    query: Query | None = None,
    *,
    sources: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    facts: FactFilter | None = None,
    withdrawn: bool = False,
) -> str:
    """The expression that finds what a search with these filters finds (`query.search.find_conditions`).

    Raises QueryError where no expression says it, and where nothing was asked for.
    """
    if withdrawn:
        raise QueryError(
            "That only withdrawn items are meant can't be saved; leave --withdrawn out, and add it when the search is "
            "run."
        )
    facts = facts or FactFilter()
    groups = (
        ("source", sources), ("case", facts.case_numbers), ("court", facts.courts), ("ip", facts.ip_types),
        ("kind", facts.kinds), ("statute", facts.statutes), ("party", facts.parties), ("doc", facts.documents),
    )  # fmt: skip
    parts = [f"({query.text})"] if query else []
    for field, values in groups:
        if values:
            one_of = " OR ".join(f"{field}:{_quote(value)}" for value in values)
            parts.append(f"({one_of})" if len(values) > 1 else one_of)
    if facts.amount_min is not None or facts.amount_max is not None:
        # One range and not two comparisons: it is one sum that must lie between both.
        ends = (
            f"{facts.currency} {end:f}" if end is not None else ""
            for end in (facts.amount_min, facts.amount_max)
        )
        parts.append(f"amount:{_quote('..'.join(ends))}")
    parts += [f"date>={since}"] if since else []
    parts += [f"date<={until}"] if until else []
    if not parts:
        raise QueryError("Nothing is asked for that could be saved; give words or filters.")
    return _checked(query.text if query and len(parts) == 1 else " ".join(parts))


def join_expressions(*expressions: str) -> str:
    """The expression that finds what all of these find."""
    return (
        " ".join(f"({expression})" for expression in expressions) if len(expressions) > 1 else expressions[0]
    )


def _quote(value: str) -> str:
    if '"' in plain_form(value):
        raise QueryError(f"{value!r} has a quotation mark, and can't be saved so; ask for a part without it.")
    return f'"{value}"'


def _checked(expression: str) -> str:
    try:
        read_query(expression)
    except ExpressionError as error:
        raise QueryError(f"The search can't be saved: {error.reason}") from None
    return expression
