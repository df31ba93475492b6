"""Workdays in mainland China: public holidays are free, and some weekends are worked in their stead.

The State Council announces the days of each year in the autumn before; the package chinesecalendar carries them.
Of years that it doesn't know yet, Monday to Friday count as workdays.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import chinese_calendar

DayKind = Literal["workday", "weekend", "holiday"]

FIRST_KNOWN_YEAR: int = min(chinese_calendar.holidays).year
LAST_KNOWN_YEAR: int = max(chinese_calendar.holidays).year
_NOTICE = timedelta(days=14)


def kind_of_day(day: date) -> DayKind:
    """`workday` (weekends that are worked included), `holiday` (weekends within one included), else `weekend`."""
    if not FIRST_KNOWN_YEAR <= day.year <= LAST_KNOWN_YEAR:
        return "workday" if day.weekday() < 5 else "weekend"
    free, name = chinese_calendar.get_holiday_detail(day)
    if not free:
        return "workday"
    return "holiday" if name else "weekend"


def is_workday(day: date) -> bool:
    """True for a day on which offices in mainland China work."""
    return kind_of_day(day) == "workday"


def warn_of_unknown_year(today: date) -> str | None:
    """One sentence when the holidays of today or of the next two weeks are not known; else None."""
    year = (today + _NOTICE).year
    if year <= LAST_KNOWN_YEAR:
        return None
    return (
        f"The public holidays of {LAST_KNOWN_YEAR + 1} and later are not known: until the package chinesecalendar is "
        "updated, Monday to Friday count as workdays."
    )
