"""Words that name a moment by its distance from now: `5分钟前`, `昨天 10:23`, `2 hours ago`.

The pattern decides what is read and to which precision; dateparser does the arithmetic from the base.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pipeline.dates.characters import DIGITS, read_number
from pipeline.dates.clock import CLOCK, dated, read_clock
from pipeline.dates.value import SHANGHAI, DateValue, refused

_DAYS = {
    **dict.fromkeys(("今天", "今日", "today"), 0),
    **dict.fromkeys(("昨天", "昨日", "yesterday"), 1),
    **dict.fromkeys(("前天", "前日"), 2),
    "大前天": 3,
}
_UNITS = {
    **dict.fromkeys(("秒", "秒钟", "second", "sec"), "seconds"),
    **dict.fromkeys(("分", "分钟", "minute", "min"), "minutes"),
    **dict.fromkeys(("小时", "个小时", "hour", "hr"), "hours"),
    **dict.fromkeys(("天", "日", "day"), "days"),
    **dict.fromkeys(("周", "星期", "个星期", "week"), "weeks"),
    **dict.fromkeys(("月", "个月", "month", "年", "year"), ""),
}


def _any(words: dict[str, int] | dict[str, str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


RELATIVE = (
    r"(?:(?P<just>刚刚|刚才|just\snow)"
    rf"|(?P<word>{_any(_DAYS)})(?:\s*+(?:at\s)?{CLOCK})?"
    rf"|(?P<count>[0-9]{{1,3}}|[{DIGITS}两十]{{1,3}}|半|an?(?=\s)|one(?=\s))\s?(?P<unit>{_any(_UNITS)})s?\s?"
    r"(?:之前|以前|前|ago\b))"
)


def read_relative(match: re.Match[str], raw: str, base: datetime | None) -> DateValue:
    """The moment that relative words name, counted from `base` in Asia/Shanghai; the day is inferred.

    Only minutes and seconds keep a clock, to the minute: `2小时前` states no minute and `刚刚` must not turn
    the moment of fetching into a date of the page, so both give the day.
    """
    if base is None:
        return refused(raw, "relative words without a base")
    now = base.astimezone(SHANGHAI)
    if match["just"]:
        return DateValue(raw, now.date(), "day", None, "relative", None, inferred=True)
    if match["word"]:
        day = now.date() - timedelta(days=_DAYS[match["word"].lower()])
        return dated(raw, day, read_clock(match), "relative", inferred=True)
    unit = _UNITS[match["unit"].lower()]
    if not unit:
        return refused(raw, "months or years ago")
    moment = _before(now, match["count"].lower(), unit)
    if moment is None:
        return refused(raw, "relative words not understood")
    if unit in ("seconds", "minutes"):
        moment = moment.replace(second=0, microsecond=0)
        return DateValue(raw, moment, "minute", "Asia/Shanghai", "relative", None, inferred=True)
    return DateValue(raw, moment.date(), "day", None, "relative", None, inferred=True)


def _before(now: datetime, count: str, unit: str) -> datetime | None:
    if count == "半":
        return now - timedelta(minutes=30) if unit == "hours" else None
    number = 1 if count in ("a", "an", "one") else read_number(count)
    if number is None:
        return None
    import dateparser  # hardly any page has such words, and it takes as long as all other modules of dates

    moment = dateparser.parse(
        f"{number} {unit} ago",
        languages=["en"],
        settings={"RELATIVE_BASE": now.replace(tzinfo=None), "PARSERS": ["relative-time"]},
    )
    return moment.replace(tzinfo=SHANGHAI) if moment else None
