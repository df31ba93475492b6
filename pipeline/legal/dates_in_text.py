"""Full dates that a text prints, and what they are the dates of, by the words next to them.

Only a year, month and day that stand together are a fact; the reading of the figures is that of `pipeline.dates`.
A meaning is stated only where the words leave no choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.dates import DateValue, parse_date
from pipeline.dates.characters import fold as fold_date
from pipeline.dates.patterns import CHARACTER_PATTERNS, DIGIT_PATTERNS, LETTER_PATTERNS, Pattern
from pipeline.legal.date_meanings import find_meaning
from pipeline.legal.fact import Fact, Value, cite
from pipeline.legal.folding import fold, has_english

_LONGEST = 60  # characters of a date with weekday, clock and zone
_NUMERALS = "零一二三四五六七八九十廿卅"
_AFTER_YEAR = re.compile(rf"年 ?(?:\d\d?|[{_NUMERALS}]{{1,3}}) ?月 ?(?:\d\d?|[{_NUMERALS}]{{1,3}}) ?[日号]")
_YEAR = re.compile(r"(?:(?<!\d)\d{4}|(?<![零一二三四五六七八九O])[一二][零一二三四五六七八九O]{3}) ?$")
# Begins with what is sought, not with what must not stand before it: a search is faster so.
_NUMERIC = re.compile(
    r"(?:19|20)\d\d([-/.])(?<![\dA-Za-z_/=?&.@#]\d{4}[-/.])\d\d?\1\d\d?"
    r"(?=T\d|(?![\dA-Za-z_/@号]|[-.]\d|\.[A-Za-z]))"
)
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
)
_ENGLISH = re.compile("Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec")
_MONTH_FIRST = re.compile(rf"{_MONTH} \d\d?(?:st|nd|rd|th)?(?:, ?| )(?:19|20)\d\d(?![\d-])")
_DAY_LAST = re.compile(rf"{_MONTH},? (?:19|20)\d\d(?![\d-])")
_ENGLISH_DAY = re.compile(r"(?<![\d.,/-])\d\d?(?:st|nd|rd|th)? (?:of )?$")
# What stands before or after a full date that is one end of a range.
_TO_HERE = re.compile(
    rf"(?:[\d日号年月度时分点午起)]|{_MONTH}|(?<=\d)(?:st|nd|rd|th)) ?"
    r"(?:(?:至|到|-{1,2}|~) ?|(?:to|through|until|till|and) )$"
)
_FROM_HERE = re.compile(r" ?(?:起|开始)? ?(?:(?:至|到|-{1,2}|~) ?|(?:to|through|until|till) )")
_HOUR = re.compile(rf"(?:[上下中]午|晚上?|凌晨)? ?(?:\d\d?|[{_NUMERALS}]{{1,3}}) ?[:时点時點]")
_PART_OF_DATE = re.compile(rf"[\d{_NUMERALS}]|{_MONTH}|同年|次年|翌年")
# After a comma or a space, 3点 may be three points.
_LOOSE_HOUR = re.compile(rf"[, 、，] *(?:\d\d?|[{_NUMERALS}]{{1,3}}) ?[时点時點]整?$")
_MIDNIGHT = re.compile(r" ?24 ?[:时点]")
_OTHER_CALENDAR = re.compile(r"(?:农历|夏历|阴历|旧历|公元前|佛历|回历) ?$")
_NUMBER_BEFORE = re.compile(r"(?:第|编号|号码|文号|案号|No\.|NO\.|№|版本|[Vv]ersion)[::]? ?$")
_OF_A_STATUTE = re.compile(r" ?(?:第[一二三四五六七八九十]+次)?(?:修正|修订|修改)")

Span = tuple[int, int]


def find_dates(text: str) -> list[Fact]:
    """Find full dates from 1900 to 2099; value: `date` (ISO day, or moment with zone), `precision`, `meaning`.

    `precision` is day, minute or second; a clock without a zone is read in Asia/Shanghai. `meaning` is effective,
    decided, hearing, issued, published or filed, None where the words don't say. Both ends of a range are found only
    where both are full. Months, years, days that the calendar or a weekday contradicts, dates of other calendars and
    dates of a statute's amendment are none.
    """
    folded = fold(text)
    spans = sorted(_find_spans(folded))
    starts = {start for start, _ in spans}
    ends_of_ranges: set[int] = set()
    facts: list[Fact] = []
    for start, end in spans:
        before = folded[max(0, start - 24) : start]
        in_range = start in ends_of_ranges
        if not in_range and (before.endswith("-") or _TO_HERE.search(before)):
            continue
        if _OTHER_CALENDAR.search(before):
            continue
        read = _read(text, start, end)
        if read is None:
            continue
        value, stop = read
        to = _FROM_HERE.match(folded, stop)
        if to is not None:
            if to.end() in starts:
                ends_of_ranges.add(to.end())
                in_range = True
            elif _HOUR.match(folded, to.end()):
                if value.precision != "day":
                    value, stop = parse_date(text[start:end]), end
            elif _PART_OF_DATE.match(folded, to.end()):
                continue
        if value.value is None or _is_of_a_statute(folded, start, stop):
            continue
        meaning = None if in_range else find_meaning(folded, start, stop)
        written: dict[str, Value] = {
            "date": value.value.isoformat(),
            "precision": value.precision,
            "meaning": meaning,
        }
        facts.append(cite("date", text, start, stop, written, value.method or "date"))
    return facts


def _find_spans(folded: str) -> Iterator[Span]:
    """Where a year, month and day stand together, without weekday and clock."""
    if "年" in folded and "月" in folded:
        for match in _AFTER_YEAR.finditer(folded):
            at = match.start()
            year = _YEAR.search(folded, max(0, at - 6), at)
            if year:
                yield year.start(), match.end()
    for match in _NUMERIC.finditer(folded):
        if not _NUMBER_BEFORE.search(folded, max(0, match.start() - 9), match.start()):
            yield match.span()
    if has_english(folded):
        for month in _ENGLISH.finditer(folded):
            at = month.start()
            first = _MONTH_FIRST.match(folded, at)
            if first:
                yield first.span()
                continue
            day = _ENGLISH_DAY.search(folded, max(0, at - 9), at)
            last = _DAY_LAST.match(folded, at) if day else None
            if day and last:
                yield day.start(), last.end()


def _read(text: str, start: int, end: int) -> tuple[DateValue, int] | None:
    """The date that stands at [start:end] with the weekday and clock behind it, and where they end.

    None for a date that `pipeline.dates` refuses. Where what follows can't be a clock, the day stands alone.
    """
    window = fold_date(text[start : start + _LONGEST].partition("\n")[0])
    for pattern in _patterns_for(window[0]):
        match = pattern.expression.match(window)
        if match is None:
            continue
        raw = match[0].rstrip()
        if raw.endswith(")") and raw.count("(") < raw.count(")"):
            raw = raw[:-1].rstrip()
        value = pattern.read(match, text[start : start + len(raw)], None)
        if _LOOSE_HOUR.search(raw) or value.reason == "unknown time zone" or len(raw) < end - start:
            break
        if value.reason == "impossible time" and _MIDNIGHT.match(window, end - start):
            break
        if value.value is None:
            return None
        return value, start + len(raw)
    value = parse_date(text[start:end])
    return (value, end) if value.value is not None else None


def _patterns_for(character: str) -> tuple[Pattern, ...]:
    if character.isascii():
        return DIGIT_PATTERNS if character.isdigit() else LETTER_PATTERNS
    return CHARACTER_PATTERNS


def _is_of_a_statute(folded: str, start: int, stop: int) -> bool:
    """Whether the date says which text of a statute is meant: (2020年10月17日修正)."""
    if _OF_A_STATUTE.match(folded, stop):
        return True
    return folded[max(0, start - 1) : start] == "(" and folded.startswith("通过", stop)
