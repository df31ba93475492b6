"""How facts are compared and shown: one key for every way of writing the same thing.

Search, rules and corrections compare keys, never printed words: （2022）粤0192民初2187号 and
[2022]粤0192民初2187号 have one key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from pipeline.legal.fact import Value
from pipeline.legal.folding import fold

LONGEST_KEY = 300
MOST_MONEY = Decimal(10**26)
_ISO_DAY = len("2026-11-18")
_SPACES = re.compile(r"\s+")
_CASE = (
    "normalized year court_code type_code type instance serial suffix pinyin court_zh court_en court_level "
    "court_region court_method chamber_zh chamber_en"
)
# What the value of each kind holds, in the order of the finders' docstrings.
VALUE_KEYS: dict[str, tuple[str, ...]] = {
    kind: tuple(keys.split())
    for kind, keys in {
        "case_number": _CASE,
        "document_number": "normalized issuer year serial type",
        "court": "name_zh name_en level region court_code chamber_zh chamber_en court_method",
        "agency": "name_zh name_en level region type",
        "amount": "amount currency qualifier role converted converted_currency is_conversion",
        "patent": "normalized office number_type right year check_valid",
        "trademark": "number mark classes international",
        "copyright_registration": "normalized year type",
        "plant_variety": "normalized year",
        "party": "name role type",
        "statute": "title_zh title_en article sub_article paragraph item",
        "ip_type": "ip_type",
        "procedure": "procedure",
        "instance": "instance",
        "outcome": "outcome",
        "notice_kind": "notice_kind",
        "statistic": "number unit what change change_unit change_basis at_least",
        "date": "date precision meaning",
    }.items()
}
# The part of the value by which a fact is found; a later one where the text leaves the first open.
MAIN_KEYS: dict[str, tuple[str, ...]] = {
    **{kind: keys[:1] for kind, keys in VALUE_KEYS.items()},
    "case_number": ("normalized", "pinyin"),
    "court": ("chamber_zh", "name_zh"),
    "statistic": ("what", "number", "change"),
}
_COURT_KEYS = {"court": "name_zh", "case_number": "court_zh"}


@dataclass(frozen=True, slots=True)
class FactKey:
    """What the store indexes of a fact.

    `key` is its main value, squashed; of an amount the currency, of a date the ISO day. `court` is the squashed
    Chinese name of the court that a court's name or a case number stands for. `amount` is exact; None where the
    fact is no amount, and where the sum is negative or has more than 26 digits before the point.
    """

    key: str | None
    court: str | None
    amount: Decimal | None


@lru_cache(maxsize=4096)
def squash(text: str) -> str:
    """One spelling for many: widths, brackets, traditional characters, case and spaces don't count."""
    return _SPACES.sub("", fold(unicodedata.normalize("NFKC", text))).casefold()[:LONGEST_KEY]


def fact_key(kind: str, value: Mapping[str, Value]) -> FactKey:
    """The keys of a fact of this kind and value. Total: what a value lacks is None."""
    main = value.get("currency") if kind == "amount" else main_value(kind, value)
    if kind == "date" and isinstance(main, str):
        main = main[:_ISO_DAY]
    court = value.get(_COURT_KEYS[kind]) if kind in _COURT_KEYS else None
    return FactKey(
        key=squash(str(main)) if main is not None else None,
        court=squash(str(court)) if court is not None else None,
        amount=read_amount(value.get("amount")) if kind == "amount" else None,
    )


def main_value(kind: str, value: Mapping[str, Value]) -> Value:
    """The part of a value that says what the fact is; None where every such part is left open."""
    return next((value[key] for key in MAIN_KEYS.get(kind, ()) if value.get(key) is not None), None)


def read_amount(written: Value) -> Decimal | None:
    """An amount's decimal string as an exact number; None for what an index of money can't hold."""
    try:
        amount = Decimal(str(written))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < MOST_MONEY else None


def read_out(kind: str, value: Mapping[str, Value]) -> str:
    """A fact's value as one line of text: the number, the name, the sum with its currency, the article."""
    main = main_value(kind, value)
    if kind == "amount":
        return " ".join(str(value[key]) for key in ("amount", "currency") if value.get(key) is not None)
    if kind == "statistic":
        return " ".join(str(value[key]) for key in ("what", "number", "unit") if value.get(key) is not None)
    if kind == "statute" and value.get("article") is not None:
        sub = f"之{value['sub_article']}" if value.get("sub_article") is not None else ""
        return f"{main}第{value['article']}条{sub}"
    return "" if main is None else str(main)
