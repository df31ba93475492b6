"""A published date as columns of an item and as JSON: written, read back, and ordered by."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pipeline.dates import SHANGHAI, DateValue


def describe_date(value: DateValue) -> dict[str, Any]:
    """A date value as JSON: `value` in ISO form or null, with everything that says where it came from."""
    shown = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return shown | {"value": value.value.isoformat() if value.value is not None else None}


def read_candidates(described: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, DateValue], ...]:
    """The candidates (place, value) of an item's `dates`, as `describe_date` wrote them."""
    return tuple((str(candidate["place"]), _read_date(candidate)) for candidate in described)


def _read_date(described: Mapping[str, Any]) -> DateValue:
    values = {field.name: described[field.name] for field in dataclasses.fields(DateValue)}
    return DateValue(**{**values, "value": read_moment(described["value"], described["precision"])})


def read_moment(written: str | None, precision: str | None) -> date | datetime | None:
    """A day or an instant from its ISO form; None for None."""
    if written is None:
        return None
    return date.fromisoformat(written) if precision == "day" else datetime.fromisoformat(written)


def published_columns(best: DateValue | None, place: str | None) -> dict[str, Any]:
    """The columns of an item that say when it was published; all None where that is unknown."""
    value = best.value if best else None
    instant = value if isinstance(value, datetime) else None
    return {
        "published_on": instant.astimezone(SHANGHAI).date() if instant else value,
        "published_at": instant,
        "published_precision": best.precision if best else None,
        "published_raw": best.raw if best else None,
        "published_method": best.method if best else None,
        "published_place": place,
        "published_inferred": best.inferred if best else False,
    }


def sort_key(value: date | datetime | None, first_seen_at: datetime) -> int:
    """Where an item stands in time: microseconds since 1970 in UTC, whole seconds. A day counts from its start in
    China, an unknown date as the time first seen."""
    if value is None:
        moment = first_seen_at
    elif isinstance(value, datetime):
        moment = value
    else:
        moment = datetime.combine(value, time(), SHANGHAI)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * 1_000_000
