"""The hours in which a source may be asked, such as `22:00-06:00`, by the clock in China."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time

from pipeline.dates import SHANGHAI

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """From the minute `start` up to, and without, the minute `end`; past midnight where `end` is the earlier one."""

    start: time
    end: time

    def hold(self, moment: datetime) -> bool:
        """True when this moment (zone-aware) lies within the hours in Asia/Shanghai."""
        now = moment.astimezone(SHANGHAI).time()
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def read_hours(text: str) -> Hours:
    """Read `HH:MM-HH:MM`. Raises ValueError for another form, and for hours that start where they end."""
    found = _FORM.fullmatch(text)
    if found is None or found[0][:5] == found[0][6:]:
        raise ValueError(f"{text!r} are no hours; write them as 22:00-06:00 (Asia/Shanghai)")
    hour, minute, end_hour, end_minute = map(int, found.groups())
    return Hours(time(hour, minute), time(end_hour, end_minute))
