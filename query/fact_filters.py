"""Conditions on the facts of an item: case numbers, courts, sums, kinds of right, statutes, parties, documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.expression.conditions import Condition, FactTest, HasFact, OneOf
from pipeline.expression.fields import FIELDS, read_currency
from pipeline.legal.fact_key import read_amount, squash
from pipeline.normalize import make_storable
from query.errors import QueryError

CURRENCY = "CNY"


@dataclass(frozen=True, slots=True)
class FactFilter:
    """What an item's facts must say. Of several values of one sort one is enough; every sort must be met.

    Case numbers, courts, statutes and documents are given in any written form; `parties` are parts of names.
    `amount_min` and `amount_max` are inclusive and hold for one sum in `currency` (ISO 4217).
    """

    case_numbers: Sequence[str] = ()
    courts: Sequence[str] = ()
    ip_types: Sequence[str] = ()
    statutes: Sequence[str] = ()
    parties: Sequence[str] = ()
    documents: Sequence[str] = ()
    kinds: Sequence[str] = ()
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None
    currency: str = CURRENCY


def read_filter(wanted: FactFilter) -> list[Condition]:
    """The conditions, one for each sort of fact asked for. Raises QueryError for what can't be read."""
    groups = (
        ("case", wanted.case_numbers),
        ("court", wanted.courts),
        ("ip", wanted.ip_types),
        ("kind", wanted.kinds),
        ("statute", wanted.statutes),
        ("party", wanted.parties),
        ("doc", wanted.documents),
    )
    for value in (wanted.currency, *(value for _, values in groups for value in values)):
        if make_storable(value) != value:
            raise QueryError(f"{value!r} holds what is no character; was it written in UTF-8?")
    try:
        conditions: list[Condition] = [
            OneOf(tuple(FIELDS[field].read(value, ":") for value in values))
            for field, values in groups
            if values
        ]
    except ValueError as error:
        raise QueryError(str(error)) from None
    return conditions + _read_amounts(wanted)


def _read_amounts(wanted: FactFilter) -> list[Condition]:
    least, most = wanted.amount_min, wanted.amount_max
    if least is None and most is None:
        return []
    for bound in (least, most):
        if bound is not None and read_amount(str(bound)) is None:
            raise QueryError(f"{bound} is no sum that a text may name.")
    if least is not None and most is not None and least > most:
        raise QueryError(f"No sum lies between {least} and {most}: they are in the wrong order.")
    try:
        keys = frozenset((squash(read_currency(wanted.currency)),))
    except ValueError as error:
        raise QueryError(str(error)) from None
    return [HasFact((FactTest("amount", keys=keys, least=least, most=most),))]
