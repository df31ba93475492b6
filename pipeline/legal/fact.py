"""A fact: one thing that a text says, the exact place where it says so, and the rule that decided."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass

Value = str | int | bool | None

KINDS = (
    "case_number",
    "document_number",
    "court",
    "agency",
    "amount",
    "patent",
    "trademark",
    "copyright_registration",
    "plant_variety",
    "party",
    "statute",
    "ip_type",
    "procedure",
    "instance",
    "outcome",
    "notice_kind",
    "statistic",
    "date",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One typed statement of a text.

    `raw` is the text itself from `start` to `end` (indices into the string that was searched, never into
    a cleaned copy). `value` is the normalised reading and holds nothing but what JSON can hold; None
    means that the text doesn't decide. `method` names the rule that decided.
    """

    kind: str
    raw: str
    value: dict[str, Value]
    start: int
    end: int
    method: str


def cite(kind: str, text: str, start: int, end: int, value: dict[str, Value], method: str) -> Fact:
    """Make the fact for text[start:end]; the span can't disagree with the raw text."""
    return Fact(kind=kind, raw=text[start:end], value=value, start=start, end=end, method=method)


def find_overlap(spans: list[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """Return the one of the sorted, disjoint spans that shares a character with [start:end], if any does."""
    place = bisect_left(spans, (start, end))
    return next(
        (span for span in spans[max(0, place - 1) : place + 1] if span[0] < end and start < span[1]), None
    )


def without_overlaps(facts: list[Fact]) -> list[Fact]:
    """Keep the facts that came first where spans overlap, and sort by place.

    Facts of one span stay together: a range is as many facts as it has members.
    """
    kept: list[Fact] = []
    spans: list[tuple[int, int]] = []
    for fact in facts:
        span = (fact.start, fact.end)
        other = find_overlap(spans, *span)
        if other is None:
            insort(spans, span)
        if other in (None, span):
            kept.append(fact)
    return sorted(kept, key=lambda fact: (fact.start, fact.end))
