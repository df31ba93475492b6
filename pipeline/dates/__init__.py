"""Printed date -> value, precision, zone, method and raw; or a refusal that says why.

A date is what the source printed, or unknown. Anchored patterns read a whole string or nothing of it:
text that no pattern, label or field accounts for refuses the string, so that a case number, a statute or
a footer never becomes a date. Chinese clocks are read in Asia/Shanghai; a plain date stays a date.
"""

from pipeline.dates.choice import Dating, choose, read_own_date, settle
from pipeline.dates.line import parse_date, parse_dates, parse_twelve_hour, parse_unix, parse_unix_day
from pipeline.dates.value import SHANGHAI, DateValue, Meaning, Precision

__all__ = [
    "SHANGHAI",
    "DateValue",
    "Dating",
    "Meaning",
    "Precision",
    "choose",
    "parse_date",
    "parse_dates",
    "parse_twelve_hour",
    "parse_unix",
    "parse_unix_day",
    "read_own_date",
    "settle",
]
