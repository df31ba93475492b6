"""The columns of an export by name: what each holds, and how it is read off a stored item or fact.

Dates are ISO forms and only as exact as they are known: `2026-11-18`, or `2026-11-18T16:42+08:00` (China), with the
precision beside them. Sums stand twice: exact as text, and as a number to calculate with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pipeline.dates import SHANGHAI
from pipeline.legal.fact_key import read_amount, read_out
from pipeline.sentence import sentence_around
from query.export.errors import ExportError

Kind = Literal["text", "list", "number", "integer", "boolean"]
Cell = str | int | float | bool | list[str] | None
JOINT = "; "
"""What stands between the values of a list where a cell can hold only text."""
CURRENCY = "CNY"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Stored:
    """One item as the store holds it: its row, its facts in the order of the text, the hash of the page that it was
    last read from, the uid of the leading report of its story. `withdrawal` is the one that stands (`kind`, `gone_at`),
    `inserted` when a list was given it later and below which entry. `fact` is the fact of a row of facts."""

    item: Any
    facts: Sequence[Any]
    snapshot_sha256: str
    lead: str | None
    withdrawal: Mapping[str, Any] | None = None
    inserted: tuple[datetime, str] | None = None
    fact: Any = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it is called, what sort of cells it has, what it means, and how a cell is read."""

    name: str
    kind: Kind
    about: str
    read: Callable[[Stored], Cell]


def pick_columns(rows: str, names: Iterable[str] | None) -> list[Column]:
    """The named columns in the order given, or the usual ones. Raises ExportError for a name that there isn't."""
    known = COLUMNS[rows]
    wanted = list(dict.fromkeys(names)) if names is not None else list(USUAL[rows])
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        said = f"No column of {rows} is called {unknown[0]!r}" if unknown else "No column is named"
        raise ExportError(f"{said}; there are {', '.join(known)}.")
    return [known[name] for name in wanted]


def _field(name: str) -> Callable[[Stored], Cell]:
    return lambda stored: getattr(stored.item, name)


def _moment(name: str) -> Callable[[Stored], Cell]:
    return lambda stored: _write_time(getattr(stored.item, name))


def _write_time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _published(stored: Stored) -> str | None:
    return write_moment(stored.item.published_at, stored.item.published_on, stored.item.published_precision)


def write_moment(at: datetime | None, on: Any, precision: str | None) -> str | None:
    """A date of publication in ISO form, as exact as it is known; None where it is unknown."""
    if at is None:
        return on.isoformat() if on else None
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds" if precision == "second" else "minutes")


def _readings(*kinds: str) -> Callable[[Stored], Cell]:
    def read(stored: Stored) -> list[str]:
        found = [read_out(fact.kind, fact.value) or fact.raw for fact in stored.facts if fact.kind in kinds]
        return list(dict.fromkeys(found))

    return read


def _dated(meaning: str, part: str) -> Callable[[Stored], Cell]:
    def read(stored: Stored) -> list[str]:
        dates = [
            fact.value for fact in stored.facts if fact.kind == "date" and fact.value["meaning"] == meaning
        ]
        by_date = {str(value["date"]): str(value["precision"]) for value in dates}
        return list(by_date) if part == "date" else list(by_date.values())

    return read


def _largest(stored: Stored) -> Decimal | None:
    """The largest sum in yuan that the item names; sums of other currencies don't compare with it."""
    sums = [
        amount
        for fact in stored.facts
        if fact.kind == "amount" and fact.value.get("currency") == CURRENCY
        and (amount := read_amount(fact.value.get("amount"))) is not None
    ]  # fmt: skip
    return max(sums, default=None)


def write_amount(amount: Decimal | None) -> str | None:
    """A sum exactly, without an exponent."""
    return None if amount is None else format(amount, "f")


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _of_fact(key: str, kind: str) -> Callable[[Stored], Cell]:
    def read(stored: Stored) -> str | None:
        value = stored.fact.value.get(key) if stored.fact.kind == kind else None
        return None if value is None else str(value)

    return read


def _fact_amount(stored: Stored) -> Decimal | None:
    return read_amount(stored.fact.value.get("amount")) if stored.fact.kind == "amount" else None


def _sentence(stored: Stored) -> str | None:
    fact = stored.fact
    return sentence_around(getattr(stored.item, fact.field), fact.start, fact.end)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


_ITEM = [
    Column("id", "text", "the item's id, which never changes", _field("uid")),
    Column("title", "text", "the title as printed", _field("title")),
    Column("published", "text", "when it was published, as exact as it is known", _published),
    Column(
        "published_precision", "text", "`day`, `minute`, `second`, or `unknown`",
        lambda stored: stored.item.published_precision or UNKNOWN,
    ),
    Column("published_raw", "text", "the date's printed text", _field("published_raw")),
    Column("published_place", "text", "where on the page or list it stood", _field("published_place")),
    Column("published_method", "text", "how it was read; `correction` for a person's word", _field("published_method")),
    Column("published_inferred", "boolean", "whether a part of it was inferred", _field("published_inferred")),
    Column("dates_disagree", "boolean", "whether the page prints different dates", _field("dates_disagree")),
    Column("publisher", "text", "the publisher as printed", _field("publisher")),
    Column("publisher_zh", "text", "the publisher of the source, in Chinese", _field("publisher_zh")),
    Column("publisher_en", "text", "the publisher of the source, in English", _field("publisher_en")),
    Column("author", "text", "the author as printed", _field("author")),
    Column("source", "text", "the key of the source it was found for", _field("source_key")),
    Column("topics", "list", "the source's topics", lambda stored: [str(topic) for topic in stored.item.topics]),
    Column("url", "text", "the address of the page", _field("url")),
    Column(
        "snapshot_sha256", "text", "the SHA-256 of the page's bytes in the archive",
        lambda stored: stored.snapshot_sha256,
    ),
    Column("content_sha256", "text", "the SHA-256 of title and body", _field("content_sha256")),
    Column("version", "integer", "1 until an edit was seen", _field("version_number")),
    Column("first_seen_at", "text", "when the page was fetched first (UTC)", _moment("first_seen_at")),
    Column("last_seen_at", "text", "when the page was fetched last (UTC)", _moment("last_seen_at")),
    Column("story", "text", "the id of the leading report of the same event", lambda stored: stored.lead),
    Column(
        "withdrawn_at", "text", "since when its page is gone (UTC)",
        lambda stored: _write_time(stored.withdrawal["gone_at"]) if stored.withdrawal else None,
    ),
    Column(
        "withdrawn_kind", "text", "why it is gone: `deleted`, `violation`, `account` or `unavailable`",
        lambda stored: stored.withdrawal["kind"] if stored.withdrawal else None,
    ),
    Column(
        "inserted_at", "text", "when it was first seen in a list below entries that had been there before (UTC)",
        lambda stored: _write_time(stored.inserted[0]) if stored.inserted else None,
    ),
    Column(
        "inserted_below", "text", "the newer entry below which it was put in later",
        lambda stored: stored.inserted[1] if stored.inserted else None,
    ),
    Column("source_verdict", "text", "how its source stands now", _field("source_verdict")),
]  # fmt: skip
_FACTS_OF_ITEM = [
    Column("case_numbers", "list", "case numbers, in one spelling", _readings("case_number")),
    Column("document_numbers", "list", "document numbers", _readings("document_number")),
    Column("courts", "list", "courts", _readings("court")),
    Column("agencies", "list", "agencies", _readings("agency")),
    Column("parties", "list", "parties", _readings("party")),
    Column("ip_types", "list", "kinds of right", _readings("ip_type")),
    Column("notice_kinds", "list", "the kind of notice", _readings("notice_kind")),
    Column("outcomes", "list", "outcomes", _readings("outcome")),
    Column("procedures", "list", "procedures", _readings("procedure", "instance")),
    Column("statutes", "list", "laws cited, with the article where one is named", _readings("statute")),
    Column(
        "registrations", "list", "patents, trade marks, copyright registrations, plant varieties, by number",
        _readings("patent", "trademark", "copyright_registration", "plant_variety"),
    ),
    Column("amounts", "list", "every sum, exact, with its currency", _readings("amount")),
    Column("largest_cny", "text", "the largest sum in yuan, exact", lambda stored: write_amount(_largest(stored))),
    Column("largest_cny_number", "number", "the same as a number", lambda stored: _number(_largest(stored))),
    *(
        column
        for meaning in ("issued", "effective", "decided")
        for column in (
            Column(meaning, "list", f"dates that the text calls {meaning}", _dated(meaning, "date")),
            Column(f"{meaning}_precision", "list", "their precision, in the same order", _dated(meaning, "precision")),
        )
    ),
    Column("body", "text", "the text", _field("body")),
]  # fmt: skip
_FACT = [
    Column("kind", "text", "the kind of fact", lambda stored: stored.fact.kind),
    Column("reading", "text", "the value in one line", lambda stored: read_out(stored.fact.kind, stored.fact.value)),
    Column("raw", "text", "the words as printed", lambda stored: stored.fact.raw),
    Column("amount", "text", "the sum, exact", lambda stored: write_amount(_fact_amount(stored))),
    Column("amount_number", "number", "the same as a number", lambda stored: _number(_fact_amount(stored))),
    Column("currency", "text", "its currency, ISO 4217", _of_fact("currency", "amount")),
    Column("role", "text", "of a sum: `claimed`, `awarded`, `fine` …", _of_fact("role", "amount")),
    Column("date", "text", "the date, ISO", _of_fact("date", "date")),
    Column("date_precision", "text", "its precision", _of_fact("precision", "date")),
    Column(
        "date_meaning", "text", "`issued`, `effective`, `decided` …; empty where the words don't say",
        _of_fact("meaning", "date"),
    ),
    Column("field", "text", "`title` or `body`", lambda stored: stored.fact.field),
    Column("start", "integer", "the first character in it", lambda stored: stored.fact.start),
    Column("end", "integer", "the character behind it", lambda stored: stored.fact.end),
    Column(
        "method", "text", "the rule that decided; `correction` for a person's word",
        lambda stored: stored.fact.method,
    ),
    Column("value", "text", "everything known of it (JSON)", lambda stored: _json(stored.fact.value)),
    Column("sentence", "text", "the sentence that says so", _sentence),
]  # fmt: skip

COLUMNS: dict[str, dict[str, Column]] = {
    "items": {column.name: column for column in [*_ITEM, *_FACTS_OF_ITEM]},
    "facts": {column.name: column for column in [*_FACT, *_ITEM]},
}
USUAL: dict[str, tuple[str, ...]] = {
    "items": (
        *"id title published published_precision publisher source url case_numbers document_numbers courts".split(),
        *"parties ip_types notice_kinds outcomes statutes registrations amounts largest_cny".split(),
        *"largest_cny_number issued issued_precision effective effective_precision decided".split(),
        *"decided_precision story version first_seen_at withdrawn_at withdrawn_kind snapshot_sha256".split(),
    ),
    "facts": (
        *"id title kind reading raw amount amount_number currency role date date_precision".split(),
        *"date_meaning field start end method published published_precision source url snapshot_sha256".split(),
    ),
}
NEEDS_BODY = frozenset({"body", "sentence"})
