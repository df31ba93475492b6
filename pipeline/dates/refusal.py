"""Why a line has no date that can be told: the reason for a person, in stable words."""

from __future__ import annotations

import re

_DAY = r"(?<![0-9.])[0-9]{2,4}\s?[-/.年]\s?[0-9]{1,2}\s?[-/.月]\s?[0-9]{1,2}\s?[日号]?"
_ENGLISH_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_TO = r"\s*+(?:-{1,2}|~|至|到|to\b|until\b)\s*+"

_REASONS = tuple(
    (re.compile(expression, re.IGNORECASE), reason)
    for expression, reason in (
        (
            r"[(\[][0-9]{4}[)\]][^0-9]{0,8}(?:[0-9]{1,6}[^0-9]{1,8})?[0-9]+\s?号",
            "case or document number",
        ),
        (r"[0-9]{4}\s?年?(?:第[一二三四五]次)?(?:修正|修订|修改)", "statute citation"),
        (r"[日0-9]\s?(?:修正|修订|通过)", "statute citation"),
        (r"第\s?[0-9一二三四五六七八九十〇百]+\s?(?:期|号|次|届|批|条|版|辑)", "issue number"),
        (rf"{_DAY}{_TO}[0-9]|[0-9]{{4}}\s?年?{_TO}[0-9]{{4}}\s?年|月[^日]?{_TO}[0-9]", "range"),
        (rf"[0-9一二三四五六七八九十]\s?[月日]{_TO}[0-9一二三四五六七八九十]", "range"),
        (rf"{_ENGLISH_MONTH}[^|]{{0,20}}?[0-9]{_TO}[0-9a-z]", "range"),
        (rf"[0-9]{{4}}\s?[-/.]\s?[0-9]{{1,2}}{_TO}[0-9]{{4}}", "range"),
        (r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\s?-\s?[0-9]{1,2}:", "range"),
        (r"[0-9]{5,}\s?[年月日号]|年\s?[0-9]{3,}\s?[月日]|月\s?[0-9]{3,}\s?[日号]", "corrupted"),
        (r"^\W*[0-9]{4}\s?年?\W*$", "year only"),
        (r"^\W*[0-9〇一二三四五六七八九]{4}\s?年\W*$", "year only"),
        (r"^\W*[0-9]{4}\s?[-/.]\s?[0-9]{1,2}\W*$", "month only"),
        (
            r"[0-9〇一二三四五六七八九]\s?年\s?[0-9一二三四五六七八九十]{1,2}\s?月(?!\s?[0-9一二三四五六七八九十])",
            "month only",
        ),
        (rf"^\W*{_ENGLISH_MONTH}\.?,?\s?[0-9]{{4}}\W*$", "month only"),
        (r"^\W*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\W*$", "clock without a day"),
        (rf"{_DAY}.*?{_DAY}", "several dates"),
        (_DAY, "other text around the date"),
        (r"[0-9]{5,}", "number, not a date"),
    )
)


def why_refused(text: str) -> str:
    """Why a folded line isn't read: the first reason that fits, else `no date`."""
    if not text.strip():
        return "empty"
    for expression, reason in _REASONS:
        if expression.search(text):
            return reason
    return "no date"
