"""The verdict over all dates that one notice prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.dates.line import parse_dates, parse_twelve_hour, parse_unix, parse_unix_day
from pipeline.dates.value import SHANGHAI, DateValue, labelled, refused

if TYPE_CHECKING:
    from crawlers.notice import PrintedDate

# Government sites came with the web: nothing was published on a page before.
_EARLIEST = date(1990, 1, 1)
# A law may be old, a hearing or a law's first day may lie ahead: only a page's own dates have both bounds.
_NEVER_OLD = ("published", "modified")
_MAY_LIE_AHEAD = ("effective", "hearing")
CONTRADICTED = "another date of the page says otherwise"
_FINENESS = {"day": 0, "minute": 1, "second": 2}


@dataclass(frozen=True, slots=True)
class Dating:
    """What the printed dates of one notice amount to for one meaning.

    `best` is the date to use and `place` where it stood; None where no candidate was read. `candidates` are
    all that was printed, in rank order, of every meaning and with those refused. `disagreement`: two read
    candidates of the asked meaning name different days, or a reader found one contradicted, which a person should see.
    """

    best: DateValue | None
    place: str | None
    candidates: tuple[tuple[str, DateValue], ...]
    disagreement: bool


def choose(printed: Sequence[PrintedDate], fetched_at: datetime, meaning: str = "published") -> Dating:
    """Choose the date of `meaning` among `printed`, which stand in the reader's order of trust.

    The first that was read wins. A later one that names the same day replaces it where it says more: a
    finer clock, or the year that the first had to infer. Published and modified dates before 1990, and dates
    after the day that follows `fetched_at` (but for effective and hearing dates), are refused. A label in
    the raw text overrides the meaning that the reader gave. Raises ValueError for a naive `fetched_at`.
    """
    candidates = tuple(
        (entry.place, _judge(labelled(value, value.meaning or entry.meaning), fetched_at))
        for entry in printed
        for value in _parse(entry, fetched_at)
    )
    return settle(candidates, meaning)


def settle(candidates: Sequence[tuple[str, DateValue]], meaning: str = "published") -> Dating:
    """Choose among candidates that were read before, by the rule of `choose`."""
    candidates = tuple(candidates)
    read = [(place, value) for place, value in candidates if value.day and value.meaning == meaning]
    contradicted = any(value.reason == CONTRADICTED and value.meaning == meaning for _, value in candidates)
    if not read:
        return Dating(None, None, candidates, contradicted)
    place, best = read[0]
    for other_place, other in read[1:]:
        if _same_day(best, other) and _says_more(other, best):
            place, best = other_place, other
    disagreement = contradicted or any(not _same_day(best, other) for _, other in read)
    return Dating(best, place, candidates, disagreement)


def _parse(entry: PrintedDate, fetched_at: datetime) -> tuple[DateValue, ...]:
    if entry.form == "unix":
        return (parse_unix(entry.raw),)
    if entry.form == "unix-day":
        return (parse_unix_day(entry.raw),)
    if entry.form == "contradicted":
        return (refused(entry.raw, CONTRADICTED, entry.meaning),)
    if entry.form == "twelve-hour":
        return (parse_twelve_hour(entry.raw),)
    return parse_dates(entry.raw, base=fetched_at)


def read_own_date(raw: str, base: datetime | None) -> tuple[DateValue, tuple[DateValue, ...]]:
    """The date that a line of a page prints of the page itself, and all that it prints.

    Bounds as in `choose`, a date without a label being the page's own; without `base`, the future is not known.
    Of several dates the published one is taken, or the only one without a label. Raises ValueError for a naive `base`.
    """
    values = tuple(
        replace(_judge(labelled(value, value.meaning or "published"), base), meaning=value.meaning)
        for value in parse_dates(raw, base=base)
    )
    if len(values) == 1:
        return replace(values[0], raw=raw), values
    own = [value for value in values if value.meaning == "published"] or [
        value for value in values if value.meaning is None
    ]
    return replace(own[0], raw=raw) if len(own) == 1 else refused(raw, "several dates"), values


def _judge(value: DateValue, fetched_at: datetime | None) -> DateValue:
    day = _day_in_china(value)
    if day is None:
        return value
    if day < _EARLIEST and value.meaning in _NEVER_OLD:
        return refused(value.raw, "too old for a page's own date", value.meaning)
    if value.meaning in _MAY_LIE_AHEAD or fetched_at is None:
        return value
    latest = fetched_at.astimezone(SHANGHAI) + timedelta(days=1)
    ahead = value.value > latest if isinstance(value.value, datetime) else day > latest.date()
    return refused(value.raw, "in the future", value.meaning) if ahead else value


def _day_in_china(value: DateValue) -> date | None:
    return value.value.astimezone(SHANGHAI).date() if isinstance(value.value, datetime) else value.value


def _same_day(first: DateValue, other: DateValue) -> bool:
    """Whether both name one day; where one printed no year, whether month and day agree."""
    days = _day_in_china(first), _day_in_china(other)
    if days[0] is None or days[1] is None:
        return False
    if "month-day" in (first.method, other.method):
        return (days[0].month, days[0].day) == (days[1].month, days[1].day)
    return days[0] == days[1]


def _says_more(other: DateValue, best: DateValue) -> bool:
    if best.inferred != other.inferred:
        return best.inferred
    return _FINENESS[other.precision or "day"] > _FINENESS[best.precision or "day"]
