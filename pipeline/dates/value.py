"""What reading a printed date gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

Precision = Literal["day", "minute", "second"]
Meaning = Literal["published", "issued", "effective", "decided", "hearing", "modified"]

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class DateValue:
    """One printed date as read, or refused.

    `raw` is what was given (`parse_dates`: the part of the line that holds this date). `value` is a plain
    date where `precision` is `day`, a zone-aware datetime where it is `minute` or `second`, and None where
    the string was refused; then `reason` says why in stable words. `zone` is `Asia/Shanghai` where a clock
    without a zone was read, the printed offset (`+08:00`) where there was one, None for plain dates.
    `method` names the pattern. `meaning` is set where a label in the raw text states it. `inferred` marks a
    value of which a part was not printed: the year of `11-20`, the century of `24-03-05`, the day of `昨天`.
    """

    raw: str
    value: date | datetime | None
    precision: Precision | None
    zone: str | None
    method: str | None
    reason: str | None
    meaning: Meaning | None = None
    inferred: bool = False

    @property
    def day(self) -> date | None:
        """The day as printed, whatever the precision; None where the string was refused."""
        return self.value.date() if isinstance(self.value, datetime) else self.value


def refused(raw: str, reason: str, meaning: Meaning | None = None) -> DateValue:
    """The value of a string that is not read, with the reason in stable words."""
    return DateValue(raw, None, None, None, None, reason, meaning)


def labelled(value: DateValue, meaning: Meaning | None) -> DateValue:
    """`value` with the meaning that a label states; as it is where there was no label."""
    if meaning is None:
        return value
    return DateValue(
        value.raw,
        value.value,
        value.precision,
        value.zone,
        value.method,
        value.reason,
        meaning,
        value.inferred,
    )
