"""A line that prints dates, read from left to right: every piece of it is accounted for, or it is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from pipeline.dates.characters import fold
from pipeline.dates.clock import WEEKDAY, clock_of, dated, read_weekday
from pipeline.dates.labels import (
    CELL,
    ENGLISH_LABEL,
    FIELD,
    FROM,
    FURNITURE,
    LABEL,
    LAST_CELL,
    OTHER_DATES,
    PUBLISHER,
    SUFFIX,
    is_footer,
    meaning_of,
    meaning_of_group,
)
from pipeline.dates.patterns import (
    CHARACTER_PATTERNS,
    DIGIT_PATTERNS,
    LETTER_PATTERNS,
    Pattern,
)
from pipeline.dates.refusal import why_refused
from pipeline.dates.value import SHANGHAI, DateValue, Meaning, labelled, refused

# Longer than any line that a page prints around its date; keeps the time for hostile text bounded.
_LONGEST = 300

_SKIPPED = re.compile(r"[\s|,;:.。·•>/\[\]()\"'“”*]*+", re.ASCII)
# 10:23, March 05, 2026: some newspapers print the clock first.
_CLOCK_FIRST = re.compile(
    r"(?P<h>[0-9]{1,2}):(?P<mi>[0-9]{2})(?::(?P<s>[0-9]{2}))?(?=[\s,|]{1,3}(?:[0-9]{4}[-/.年]|[A-Z][a-z]{2}))",
    re.ASCII,
)
_WEEKDAY = re.compile(rf"(?:{WEEKDAY})", re.ASCII | re.IGNORECASE)
_UNIX = re.compile(r"\s*+(?P<seconds>[1-9][0-9]{9})(?:[0-9]{3})?\s*+", re.ASCII)


class _UnreadableError(Exception):
    """A piece of the line is neither date nor label nor field. Raised and caught in this module only."""


def parse_date(raw: str, *, base: datetime | None = None) -> DateValue:
    """Read one printed date, with or without labels around it.

    `base` is when the page was fetched (zone-aware); relative words and dates without a year are counted
    from it, in Asia/Shanghai, and are refused without it. No text raises: what can't be told is refused
    with a reason. A line with several dates is refused; `parse_dates` reads it. Raises ValueError for a
    `base` without a time zone.
    """
    _check(base)
    text = fold(raw)
    quick = _read_usual(raw, text, base)
    if quick:
        return quick
    values = _read_line(raw, text, base)
    if len(values) > 1:
        return refused(raw, "several dates")
    return replace(values[0], raw=raw)


def parse_dates(raw: str, *, base: datetime | None = None) -> tuple[DateValue, ...]:
    """Read a line that may print several labelled dates (`成文日期：… 发布日期：…`), in the printed order.

    The `raw` of each value is the part with its label and date. A line that isn't understood gives one
    refused value with the whole line. At most one date may stand without a label. `base` and errors as in
    `parse_date`.
    """
    _check(base)
    text = fold(raw)
    quick = _read_usual(raw, text, base)
    return (quick,) if quick else tuple(_read_line(raw, text, base))


def parse_unix(raw: str) -> DateValue:
    """Read a field known to hold seconds (10 digits) or milliseconds (13) since 1970 UTC.

    The value is in Asia/Shanghai, to the second.
    """
    match = _UNIX.fullmatch(raw)
    if not match:
        return refused(raw, "not unix seconds or milliseconds")
    moment = datetime.fromtimestamp(int(match["seconds"]), SHANGHAI)
    return DateValue(raw, moment, "second", "Asia/Shanghai", "unix", None)


def parse_unix_day(raw: str) -> DateValue:
    """Read what `parse_unix` reads from a field that holds days: the day in China, for its clock tells nothing."""
    value = parse_unix(raw)
    return value if value.day is None else DateValue(raw, value.day, "day", None, "unix-day", None)


def parse_twelve_hour(raw: str) -> DateValue:
    """Read a date whose clock runs to twelve without AM or PM: the day is kept, the time can't be told."""
    value = parse_date(raw)
    if value.day is None:
        return value
    return DateValue(raw, value.day, "day", None, "twelve-hour", None, value.meaning, value.inferred)


def _check(base: datetime | None) -> None:
    if base is not None and base.tzinfo is None:
        message = "base must be zone-aware: a naive moment can't be placed in Asia/Shanghai"
        raise ValueError(message)


def _read_usual(raw: str, text: str, base: datetime | None) -> DateValue | None:
    """A bare date or one with a label before it: nearly all that pages print; None for anything else."""
    meaning: Meaning | None = None
    at = 0
    label = LABEL.match(text)
    if label:
        meaning, at = meaning_of(label), label.end()
    if at == len(text):
        return None
    for pattern in _patterns_for(text[at]):
        match = pattern.expression.match(text, at)
        if match:
            return labelled(pattern.read(match, raw, base), meaning) if match.end() == len(text) else None
    return None


def _read_line(raw: str, text: str, base: datetime | None) -> list[DateValue]:
    if len(text) > _LONGEST:
        return [refused(raw, "too long for a printed date")]
    if is_footer(text):
        return [refused(raw, "footer or copyright line")]
    if OTHER_DATES.search(text):
        return [refused(raw, "date of something else")]
    try:
        values = _Line(raw, text, base).read()
    except _UnreadableError:
        return [refused(raw, why_refused(text))]
    if not values:
        return [refused(raw, why_refused(text))]
    if len(values) > 1 and sum(value.meaning is None for value in values) > 1:
        return [refused(raw, "several dates")]
    return values


class _Line:
    """One pass over a folded line. `at` is the position; `label` the meaning that waits for its date."""

    def __init__(self, raw: str, text: str, base: datetime | None) -> None:
        self.raw, self.text, self.base = raw, text, base
        self.at = 0
        self.label: tuple[Meaning | None, int] | None = None
        self.values: list[DateValue] = []
        self.weekdays: list[int] = []
        self.clock: re.Match[str] | None = None

    def read(self) -> list[DateValue]:
        """The dates of the line. Raises _UnreadableError where a piece is left over."""
        while True:
            skipped = _SKIPPED.match(self.text, self.at)
            self.at = skipped.end() if skipped else self.at
            if self.at == len(self.text):
                break
            if not (self._date() or self._clock() or self._weekday() or self._label() or self._other()):
                raise _UnreadableError
        if self.label or self.clock:
            raise _UnreadableError
        return self._checked()

    def _date(self) -> bool:
        for pattern in _patterns_for(self.text[self.at]):
            match = pattern.expression.match(self.text, self.at)
            if match:
                self._take(pattern, match)
                return True
        return False

    def _take(self, pattern: Pattern, match: re.Match[str]) -> None:
        meaning, start = self.label or (None, self.at)
        end = match.end()
        suffix = SUFFIX.match(self.text, end)
        if suffix and (self.label is None or self.text[start] == "自"):
            meaning, end = meaning_of_group(suffix), suffix.end()
        if self.clock:
            start = min(start, self.clock.start())
        value = pattern.read(match, self.raw[start:end], self.base)
        if self.clock:
            value, self.clock = _with_clock(value, self.clock), None
        self.values.append(labelled(value, meaning))
        self.at, self.label = end, None

    def _clock(self) -> bool:
        if self.clock:
            return False
        self.clock = _CLOCK_FIRST.match(self.text, self.at)
        if self.clock:
            self.at = self.clock.end()
        return self.clock is not None

    def _weekday(self) -> bool:
        match = _WEEKDAY.match(self.text, self.at)
        if match:
            self.weekdays.append(read_weekday(match[0].rstrip(".")))
            self.at = match.end()
        return match is not None

    def _label(self) -> bool:
        for expression, meaning_of_match in (
            (FIELD, None),
            (LABEL, meaning_of),
            (ENGLISH_LABEL, meaning_of_group),
        ):
            match = expression.match(self.text, self.at)
            if match:
                if meaning_of_match:
                    self.label = (meaning_of_match(match), self.at)
                elif self.label:
                    return False
                self.at = match.end()
                return True
        match = FROM.match(self.text, self.at)
        if match:
            self.label = ("effective", self.at)
            self.at = match.end()
        return match is not None

    def _other(self) -> bool:
        if self.label:
            return False
        expressions = [FURNITURE, PUBLISHER, CELL]
        if "|" in self.text[: self.at]:
            expressions.append(LAST_CELL)
        for expression in expressions:
            match = expression.match(self.text, self.at)
            if match:
                self.at = match.end()
                return True
        return False

    def _checked(self) -> list[DateValue]:
        """The values, the only one refused where a weekday elsewhere on the line is another day's."""
        if len(self.values) == 1 and self.weekdays:
            value = self.values[0]
            if value.day and any(weekday != value.day.weekday() for weekday in self.weekdays):
                return [refused(value.raw, "weekday contradicts the day", value.meaning)]
        return self.values


def _with_clock(value: DateValue, clock: re.Match[str]) -> DateValue:
    """A plain day with the clock that stood before it. Raises _UnreadableError where it has one of its own."""
    if value.value is None:
        return value
    if isinstance(value.value, datetime):
        raise _UnreadableError
    second = int(clock["s"]) if clock["s"] else None
    reading = clock_of(int(clock["h"]), int(clock["mi"]), second, None, None)
    return dated(value.raw, value.value, reading, value.method or "", inferred=value.inferred)


def _patterns_for(character: str) -> tuple[Pattern, ...]:
    if "0" <= character <= "9":
        return DIGIT_PATTERNS
    return LETTER_PATTERNS if character.isascii() else CHARACTER_PATTERNS
