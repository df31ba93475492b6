"""Conditions on the facts of an item: case numbers, courts, sums, kinds of right, statutes, parties, documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, or_, select

from pipeline.legal.asked import (
    AskedError,
    read_asked_case,
    read_asked_court,
    read_asked_document,
    read_asked_statute,
)
from pipeline.legal.fact_key import read_amount, squash
from pipeline.legal.ip_types import IP_TYPES
from pipeline.legal.notice_kinds import NOTICE_KINDS
from pipeline.store.tables import FactRow, Item
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


def match_facts(wanted: FactFilter) -> list[ColumnElement[bool]]:
    """The conditions on `item.id`, one for each sort of fact asked for. Raises QueryError for what can't be read."""
    try:
        groups = [
            [_is_case(text) for text in wanted.case_numbers],
            [_is_court(text) for text in wanted.courts],
            _is_one_of("ip_type", wanted.ip_types, IP_TYPES),
            _is_one_of("notice_kind", wanted.kinds, NOTICE_KINDS),
            [_is_statute(text) for text in wanted.statutes],
            [_is_party(text) for text in wanted.parties],
            [_is_document(text) for text in wanted.documents],
            _is_amount(wanted),
        ]
    except AskedError as error:
        raise QueryError(str(error)) from None
    return [Item.id.in_(select(FactRow.item_id).where(or_(*group))) for group in groups if group]


def _has_key(kind: str, keys: Iterable[str]) -> ColumnElement[bool]:
    return and_(FactRow.kind == kind, FactRow.key.in_(sorted(keys)))


def _is_case(text: str) -> ColumnElement[bool]:
    asked = read_asked_case(text)
    found = _has_key("case_number", asked.keys)
    if not asked.pinyin:
        return found
    spelled = FactRow.value["pinyin"].as_string().in_(sorted(asked.pinyin))
    return or_(found, and_(FactRow.kind == "case_number", spelled))


def _is_court(text: str) -> ColumnElement[bool]:
    asked = read_asked_court(text)
    return or_(FactRow.court.in_(sorted(asked.names)), _has_key("court", asked.chambers))


def _is_one_of(kind: str, wanted: Sequence[str], known: Sequence[str]) -> list[ColumnElement[bool]]:
    for value in wanted:
        if value not in known:
            raise QueryError(f"{value!r} is no {kind.replace('_', ' ')}; there are {', '.join(known)}.")
    return [_has_key(kind, wanted)] if wanted else []


def _is_statute(text: str) -> ColumnElement[bool]:
    conditions = []
    for title, article in sorted(read_asked_statute(text).titles, key=str):
        condition = _has_key("statute", [title])
        if article is not None:
            condition = and_(condition, FactRow.value["article"].as_integer() == article)
        conditions.append(condition)
    return or_(*conditions)


def _is_party(text: str) -> ColumnElement[bool]:
    name = squash(text)
    if not name:
        raise QueryError("A party needs a name, or a part of one.")
    return and_(FactRow.kind == "party", FactRow.key.contains(name, autoescape=True))


def _is_document(text: str) -> ColumnElement[bool]:
    keys = read_asked_document(text)
    if not all(keys):
        raise QueryError("A document needs its number, such as 法释〔2021〕4号.")
    # A number without its issuer (公告第675号) may be that of any issuer.
    ends = [
        FactRow.key.endswith(key, autoescape=True) for key in sorted(keys) if key.startswith(("公告", "通告"))
    ]
    return and_(FactRow.kind == "document_number", or_(FactRow.key.in_(sorted(keys)), *ends))


def _is_amount(wanted: FactFilter) -> list[ColumnElement[bool]]:
    least, most = wanted.amount_min, wanted.amount_max
    if least is None and most is None:
        return []
    for bound in (least, most):
        if bound is not None and read_amount(str(bound)) is None:
            raise QueryError(f"{bound} is no sum that a text may name.")
    if least is not None and most is not None and least > most:
        raise QueryError(f"No sum lies between {least} and {most}: they are in the wrong order.")
    conditions = [_has_key("amount", [squash(wanted.currency)])]
    if least is not None:
        conditions.append(FactRow.amount >= least)
    if most is not None:
        conditions.append(FactRow.amount <= most)
    return [and_(*conditions)]
