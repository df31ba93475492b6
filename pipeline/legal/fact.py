"""A fact: one thing that a text says, the exact place where it says so, and the rule that decided."""

from __future__ import annotations

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


def without_overlaps(facts: list[Fact]) -> list[Fact]:
    """Keep the facts that came first where spans overlap, and sort by place.

    Facts of one span stay together: a range is as many facts as it has members.
    """
    kept: list[Fact] = []
    for fact in facts:
        if all(
            fact.end <= other.start or other.end <= fact.start or (fact.start, fact.end) == (other.start, other.end)
            for other in kept
        ):
            kept.append(fact)
    return sorted(kept, key=lambda fact: (fact.start, fact.end))
