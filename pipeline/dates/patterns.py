"""The anchored patterns: each reads one printed form from a position of a folded line, or doesn't match."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipeline.dates.characters import DIGITS, read_number, read_year
from pipeline.dates.clock import CLOCK, WEEKDAY, clock_of, dated, read_clock, read_weekday
from pipeline.dates.relative import RELATIVE, read_relative
from pipeline.dates.value import SHANGHAI, DateValue, refused

_EARLIEST, _LATEST = 1900, 2099
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_GUARD = r"(?!\s*+[-/.~:]\s?[0-9])(?![0-9A-Za-z年月])"
_WEEKDAY = rf"(?:[\s,]*+\(?(?P<weekday>{WEEKDAY})\)?)?"
# `2024-09-30-17:00:00` (gov.cn metadata), `2026-08-1410:23` (two cells of a page run together).
_JOIN = r"(?:\s*+[,|]?\s*+|T(?=[0-9])|-(?=[0-9]{2}:)|\s*+at\s++)"
_RUN_TOGETHER = r"(?<=[-/.][0-9]{2}[-/.][0-9]{2})(?=[0-9]{2}:)"
_NEEDED = rf"(?:\s++|\s*+[,|(]\s*+|T(?=[0-9])|-(?=[0-9]{{2}}:)|(?=[^\s0-9])|(?<=\))|{_RUN_TOGETHER})"
_AFTER_DIGITS = rf"{_WEEKDAY}(?:{_NEEDED}{CLOCK})?\)?{_GUARD}"
_AFTER_WORDS = rf"{_WEEKDAY}(?:{_JOIN}{CLOCK})?{_GUARD}"

_YEAR = r"(?P<y>[0-9]{4})"
_MONTH_NAME = (
    r"(?P<m>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_ENGLISH_DAY = r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?"
_NUMBER = rf"(?:[{DIGITS}十廿卅]{{1,3}}|[0-9]{{1,2}})"
# Text taken out of a PDF puts a space between any two characters.
_SPACED_NUMBER = rf"(?:[{DIGITS}十廿卅](?: ?[{DIGITS}十廿卅]){{0,2}}|[0-9]{{1,2}})"

Reader = Callable[[re.Match[str], str, datetime | None], DateValue]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A printed form: `expression` is anchored where it is tried, `read` turns its match into a value."""

    expression: re.Pattern[str]
    read: Reader


def _pattern(expression: str, read: Reader) -> Pattern:
    return Pattern(re.compile(expression, re.ASCII | re.IGNORECASE), read)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _real_day(raw: str, year: int | None, month: int | None, day: int | None) -> date | DateValue:
    """The day of these figures, or the refusal of a day that the calendar doesn't have."""
    if year is None or month is None or day is None:
        return refused(raw, "impossible date")
    if not _EARLIEST <= year <= _LATEST:
        return refused(raw, "year out of range")
    return _day(year, month, day) or refused(raw, "impossible date")


def _settle(
    match: re.Match[str], raw: str, year: int | None, month: int | None, day: int | None, method: str
) -> DateValue:
    value = _real_day(raw, year, month, day)
    if isinstance(value, DateValue):
        return value
    weekday = match["weekday"]
    if weekday and read_weekday(weekday) != value.weekday():
        return refused(raw, "weekday contradicts the day")
    return dated(raw, value, read_clock(match), method)


def _read_numeric(match: re.Match[str], raw: str, _base: datetime | None) -> DateValue:
    iso = match["zone"] or match["offset"] or (match["h"] and match.string[match.start("h") - 1] in "Tt")
    return _settle(match, raw, int(match["y"]), int(match["m"]), int(match["d"]), "iso" if iso else "numeric")


def _read_chinese(match: re.Match[str], raw: str, _base: datetime | None) -> DateValue:
    return _settle(match, raw, int(match["y"]), int(match["m"]), int(match["d"]), "chinese")


def _read_short_year(match: re.Match[str], raw: str, base: datetime | None) -> DateValue:
    """Year first, as Chinese pages print it. The century is inferred: 1990 to 2059, not after `base`."""
    if match["sep"] in ("/", "."):
        return refused(raw, "ambiguous order")
    year = int(match["y"])
    if 59 < year < 90:
        return refused(raw, "ambiguous order")
    value = _settle(
        match,
        raw,
        1900 + year if year >= 90 else 2000 + year,
        int(match["m"]),
        int(match["d"]),
        "two-digit-year",
    )
    if value.day and base and value.day > _limit(base):
        return refused(raw, "ambiguous order")
    return _infer(value)


def _read_year_last(match: re.Match[str], raw: str, _base: datetime | None) -> DateValue:
    """`14/08/2026` and `08/14/2026` can be told apart; `05/03/2026` can't."""
    first, second = int(match["a"]), int(match["b"])
    if first != second and first <= 12 and second <= 12:
        return refused(raw, "ambiguous order")
    month, day = (second, first) if first > 12 else (first, second)
    return _settle(match, raw, int(match["y"]), month, day, "year-last")


def _read_compact(match: re.Match[str], raw: str, _base: datetime | None) -> DateValue:
    """Digits alone are a date only where they can be one of the time since 1990; else they are a number."""
    return _plausible(_settle(match, raw, int(match["y"]), int(match["m"]), int(match["d"]), "compact"))


def _read_compact_clock(match: re.Match[str], raw: str, _base: datetime | None) -> DateValue:
    day = _real_day(raw, int(match["y"]), int(match["m"]), int(match["d"]))
    if isinstance(day, DateValue):
        return _plausible(day)
    clock = clock_of(int(match["h"]), int(match["mi"]), int(match["s"]), match["zone"], None)
    return _plausible(dated(raw, day, clock, "compact"))


def _plausible(value: DateValue) -> DateValue:
    return value if value.day and value.day.year >= 1990 else refused(value.raw, "number, not a date")


def _read_numerals(match: re.Match[str], raw: str, _base: datetime | None) -> DateValue:
    return _settle(
        match, raw, read_year(match["y"]), read_number(match["m"]), read_number(match["d"]), "numerals"
    )


def _read_english(match: re.Match[str], raw: str, _base: datetime | None) -> DateValue:
    method = "rfc822" if match["zone"] or match["offset"] else "english"
    return _settle(match, raw, int(match["y"]), _month(match["m"]), int(match["d"]), method)


def _read_short_rfc(match: re.Match[str], raw: str, _base: datetime | None) -> DateValue:
    """`05 Mar 26 10:23:45 +0800` of RFC 822 and `05-Mar-26 02:23:45 GMT` of RFC 850: the zone tells the form."""
    if not (match["zone"] or match["offset"]):
        return refused(raw, "ambiguous order")
    year = int(match["y"])
    year += 1900 if year >= 50 else 2000
    return _infer(_settle(match, raw, year, _month(match["m"]), int(match["d"]), "rfc822"))


def _read_ctime(match: re.Match[str], raw: str, _base: datetime | None) -> DateValue:
    """`Fri Nov 20 10:23:00 CST 2026`, which Java prints: CST is China's there."""
    day = _real_day(raw, int(match["y"]), _month(match["m"]), int(match["d"]))
    if isinstance(day, DateValue):
        return day
    clock = clock_of(int(match["h"]), int(match["mi"]), int(match["s"]), match["zone"], match["offset"])
    return dated(raw, day, clock, "ctime")


def _read_month_day(match: re.Match[str], raw: str, base: datetime | None) -> DateValue:
    month, day = read_number(match["m"]), read_number(match["d"])
    return _nearest(match, raw, month, day, base)


def _read_english_month_day(match: re.Match[str], raw: str, base: datetime | None) -> DateValue:
    return _nearest(match, raw, _month(match["m"]), int(match["d"]), base)


def _nearest(
    match: re.Match[str], raw: str, month: int | None, day: int | None, base: datetime | None
) -> DateValue:
    """The most recent such day that is not after the day after `base`."""
    if month is None or day is None or _day(2000, month, day) is None:
        return refused(raw, "impossible date")
    if base is None:
        return refused(raw, "no year printed")
    limit = _limit(base)
    for year in range(limit.year, limit.year - 9, -1):
        value = _day(year, month, day)
        if value and value <= limit:
            return _infer(_settle(match, raw, year, month, day, "month-day"))
    return refused(raw, "impossible date")


def _limit(base: datetime) -> date:
    return (base.astimezone(SHANGHAI) + timedelta(days=1)).date()


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _infer(value: DateValue) -> DateValue:
    if value.value is None:
        return value
    return DateValue(
        value.raw, value.value, value.precision, value.zone, value.method, None, value.meaning, inferred=True
    )


_NUMERALS = _pattern(
    rf"(?P<y>[{DIGITS}0-9](?:\s?[{DIGITS}0-9]){{3}})\s?年\s?(?P<m>{_SPACED_NUMBER})\s?月\s?(?P<d>{_SPACED_NUMBER})\s?[日号]"
    + _AFTER_WORDS,
    _read_numerals,
)
_MONTH_DAY = _pattern(
    rf"(?P<m>{_NUMBER})\s?月\s?(?P<d>{_NUMBER})\s?[日号]{_AFTER_WORDS}",
    _read_month_day,
)
_RELATIVE = _pattern(rf"{RELATIVE}{_GUARD}", read_relative)

# Tried in this order where the next character is an ASCII digit, a CJK character, an ASCII letter.
DIGIT_PATTERNS = (
    _pattern(
        rf"{_YEAR}\s?(?P<sep>[-/.·])\s?(?P<m>[0-9]{{1,2}})\s?(?P=sep)\s?(?P<d>[0-9]{{1,2}})日?{_AFTER_DIGITS}",
        _read_numeric,
    ),
    _pattern(
        rf"{_YEAR}\s?年\s?(?P<m>[0-9]{{1,2}})\s?月\s?(?P<d>[0-9]{{1,2}})\s?[日号]{_AFTER_WORDS}",
        _read_chinese,
    ),
    _pattern(
        r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})T?"
        rf"(?P<h>[0-9]{{2}})(?P<mi>[0-9]{{2}})(?P<s>[0-9]{{2}})(?P<zone>Z)?{_GUARD}",
        _read_compact_clock,
    ),
    _pattern(rf"(?P<y>[0-9]{{4}})(?P<m>[0-9]{{2}})(?P<d>[0-9]{{2}}){_AFTER_DIGITS}", _read_compact),
    _pattern(
        rf"{_ENGLISH_DAY}[\s/-]?(?:of\s)?{_MONTH_NAME}[\s,/-]*+{_YEAR}{_AFTER_WORDS}",
        _read_english,
    ),
    _pattern(
        rf"{_ENGLISH_DAY}[\s-]{_MONTH_NAME}[\s-](?P<y>[0-9]{{2}})(?=\s[0-9]{{2}}:){_AFTER_WORDS}",
        _read_short_rfc,
    ),
    _pattern(
        rf"(?P<a>[0-9]{{1,2}})(?P<sep>[-/.])(?P<b>[0-9]{{1,2}})(?P=sep){_YEAR}{_AFTER_DIGITS}",
        _read_year_last,
    ),
    _pattern(
        rf"(?P<y>[0-9]{{2}})(?P<sep>[-/.])(?P<m>[0-9]{{2}})(?P=sep)(?P<d>[0-9]{{2}}){_AFTER_DIGITS}",
        _read_short_year,
    ),
    _pattern(
        r"(?P<y>[0-9]{2})(?P<sep>年)(?P<m>[0-9]{1,2})\s?月\s?(?P<d>[0-9]{1,2})\s?[日号]" + _AFTER_WORDS,
        _read_short_year,
    ),
    _pattern(rf"(?P<m>[0-9]{{2}})(?P<sep>[-/])(?P<d>[0-9]{{2}}){_AFTER_DIGITS}", _read_month_day),
    _MONTH_DAY,
    _pattern(rf"{_ENGLISH_DAY}\s{_MONTH_NAME}{_AFTER_WORDS}", _read_english_month_day),
    _RELATIVE,
    # Mixed characters, `2O26年`, come last: they are rare.
    _NUMERALS,
)
CHARACTER_PATTERNS = (
    _NUMERALS,
    _MONTH_DAY,
    _RELATIVE,
)
LETTER_PATTERNS = (
    _pattern(
        rf"{_MONTH_NAME}\s{{1,2}}(?P<d>[0-9]{{1,2}})\s(?P<h>[0-9]{{2}}):(?P<mi>[0-9]{{2}}):(?P<s>[0-9]{{2}})\s"
        rf"(?:(?:CST|(?P<zone>GMT|UTC)|(?P<offset>[+-][0-9]{{4}}))\s)?{_YEAR}{_GUARD}",
        _read_ctime,
    ),
    _pattern(
        rf"{_MONTH_NAME}[\s-]?{_ENGLISH_DAY}(?:\s?,\s?|[\s-]){_YEAR}{_AFTER_WORDS}",
        _read_english,
    ),
    _pattern(rf"{_MONTH_NAME}\s?{_ENGLISH_DAY}{_AFTER_WORDS}", _read_english_month_day),
    _RELATIVE,
)
