"""Clocks: the hour of `下午3时`, the zone of `+0800`, and what cannot be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from pipeline.dates.characters import DIGITS, read_number
from pipeline.dates.value import SHANGHAI, DateValue

# Hours that a word for a part of the day goes with as they are, and those that it moves by twelve.
# An hour in neither set leaves the day standing (晚上12点: which midnight?) or is no time at all (上午15:00).
_PERIODS: dict[str, tuple[range, range]] = {
    "上午": (range(12), range(0)),
    "早上": (range(4, 12), range(0)),
    "早晨": (range(4, 12), range(0)),
    "清晨": (range(4, 12), range(0)),
    "凌晨": (range(7), range(0)),
    "中午": (range(11, 15), range(1, 3)),
    "下午": (range(12, 20), range(1, 12)),
    "午后": (range(12, 20), range(1, 12)),
    "傍晚": (range(16, 21), range(4, 9)),
    "晚上": (range(17, 24), range(5, 12)),
    "晚间": (range(17, 24), range(5, 12)),
    "晚": (range(17, 24), range(5, 12)),
    "夜间": (range(18, 24), range(7, 12)),
    "深夜": (range(20, 24), range(9, 12)),
    "am": (range(12), range(0)),
    "pm": (range(12, 24), range(1, 12)),
}
_PERIOD = "|".join(sorted((word for word in _PERIODS if not word.isascii()), key=len, reverse=True))
_NUMERAL = rf"[{DIGITS}十廿]{{1,3}}"

# A hyphen after a clock opens a range of hours (10:00-11:30) unless the clock has seconds, as ISO 8601 and
# RFC 5322 print it, or GMT stands before it.
ZONE = (
    r"(?:\s?(?:"
    r"(?P<offset>(?:\(?(?:GMT|UTC)\s?[+-]|[+]|(?<=:[0-9]{2}:[0-9]{2})-|(?<=:[0-9]{2}:[0-9]{2}\s)-|(?<=\.[0-9]{3})-)"
    r"[0-9]{1,2}(?::?[0-9]{2})?\)?)(?:\s\([A-Z]{3,4}\))?"
    r"|(?P<zone>Z|GMT|UTC|[A-Z]{2,4}T)"
    r")(?![0-9A-Za-z:]))"
)
CLOCK = (
    rf"(?:(?P<period>{_PERIOD}|[AP]M)\s?)?"
    r"(?:"
    r"(?P<h>[0-9]{1,2})(?:"
    r"\s?:\s?(?P<mi>[0-9]{2})(?:\s?:\s?(?P<s>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r"|\s?[时点]\s?(?:(?P<mi2>[0-9]{1,2})\s?分(?:\s?(?P<s2>[0-9]{1,2})\s?秒)?|(?P<mi3>[0-9]{2})|(?P<half>半)|整?)"
    r"|(?=\s?[ap]\.?m)"
    r")"
    rf"|(?P<hn>{_NUMERAL})[时点](?:(?P<min>{_NUMERAL})分(?:(?P<sn>{_NUMERAL})秒)?|(?P<halfn>半)|整?)"
    r")"
    r"(?:\s?(?P<ampm>[ap]\.?m\b\.?))?"
    rf"{ZONE}?"
    r"(?:\s?\(?(?:北京时间|Beijing Time)\)?)?"
)
_WEEKDAYS = {**{word: at for at, word in enumerate("一二三四五六日")}, "天": 6}
_ENGLISH_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY = (
    r"(?:星期|周|礼拜)[一二三四五六日天]"
    r"|(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs?)?|Fri|Sat(?:ur)?|Sun)(?:day)?\b\.?"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clock says: nothing (`at` None: only the day stands), a time of a zone, or `reason`: no time."""

    at: time | None = None
    seconds: bool = False
    zone: tzinfo = SHANGHAI
    zone_name: str = "Asia/Shanghai"
    reason: str | None = None


_IMPOSSIBLE = Reading(reason="impossible time")
_NONE = Reading()


def read_weekday(word: str) -> int:
    """0 for Monday to 6 for Sunday, from a word that `WEEKDAY` matched."""
    return _WEEKDAYS[word[-1]] if word[-1] in _WEEKDAYS else _ENGLISH_WEEKDAYS.index(word[:3].lower())


def read_clock(match: re.Match[str]) -> Reading:
    """The time that the groups of `CLOCK` hold.

    Exact midnight stands for "no time known" in content management systems (`2022-01-28 00:00:00`), so it
    leaves the day alone.
    """
    hour_text = match["h"] or match["hn"]
    if hour_text is None:
        return _NONE
    minute_text = match["mi"] or match["mi2"] or match["mi3"] or match["min"]
    second_text = match["s"] or match["s2"] or match["sn"]
    hour = read_number(hour_text)
    minute = read_number(minute_text) if minute_text else 30 if match["half"] or match["halfn"] else 0
    second = read_number(second_text) if second_text else 0
    if hour is None or minute is None or second is None or hour > 23 or minute > 59 or second > 59:
        return _IMPOSSIBLE
    period = match["ampm"] or match["period"]
    if period:
        certain = _hour_of_day(period.replace(".", "").lower(), hour)
        if certain is None:
            # 上午12点 is noon to some and midnight to others, 晚上1点 either night: the day stands alone.
            return _NONE if hour <= 12 else _IMPOSSIBLE
        hour = certain
    return clock_of(hour, minute, second if second_text else None, match["zone"], match["offset"])


def clock_of(hour: int, minute: int, second: int | None, word: str | None, offset: str | None) -> Reading:
    """The time of these figures in the zone that `word` (`Z`) or `offset` (`+0800`) names, or in Shanghai."""
    if hour > 23 or minute > 59 or (second or 0) > 59:
        return _IMPOSSIBLE
    zone: tzinfo = SHANGHAI
    name = "Asia/Shanghai"
    if word or offset:
        printed = _offset(word, offset)
        if printed is None:
            return Reading(reason="unknown time zone")
        zone, name = printed
    if hour == minute == 0 and not second:
        return _NONE
    return Reading(time(hour, minute, second or 0), second is not None, zone, name)


def _hour_of_day(period: str, hour: int) -> int | None:
    if period == "am" and hour == 12:
        return 0
    plain, moved = _PERIODS[period]
    if hour in plain:
        return hour
    return hour + 12 if hour in moved else None


def _offset(word: str | None, offset: str | None) -> tuple[tzinfo, str] | None:
    """The printed zone and its name; None for a word that is ambiguous (CST) or an offset not in use."""
    if offset is None:
        return (UTC, "+00:00") if word in ("Z", "GMT", "UTC") else None
    sign = "-" if "-" in offset else "+"
    digits = offset.partition(sign)[2].strip(")").replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) < 3 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 14 or minutes not in (0, 30, 45):
        return None
    shift = timedelta(hours=hours, minutes=minutes)
    return timezone(-shift if sign == "-" else shift), f"{sign}{hours:02d}:{minutes:02d}"


def dated(raw: str, day: date, clock: Reading, method: str, *, inferred: bool = False) -> DateValue:
    """`day` with the time that `clock` adds to it, or the refusal that `clock` states."""
    if clock.reason:
        return DateValue(raw, None, None, None, None, clock.reason)
    if clock.at is None:
        return DateValue(raw, day, "day", None, method, None, None, inferred)
    moment = datetime.combine(day, clock.at, clock.zone)
    return DateValue(
        raw, moment, "second" if clock.seconds else "minute", clock.zone_name, method, None, None, inferred
    )
