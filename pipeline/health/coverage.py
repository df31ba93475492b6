"""Fields that a source's items have, against what its items had before: a rebuilt page often loses one quietly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.record import Record

FIELDS = ("date", "body", "publisher", "author")
"""What is counted of every item; without a title nothing becomes an item."""
ITEMS = "items"
_IMPROBABLE = 0.05
"""Chance below which an empty field in all items of a run is no accident."""
_VERY_IMPROBABLE = 0.001
"""The same for a field that some items still have: there are many ways to have some."""

Coverage = Mapping[str, int]
"""How many items there were (`items`), and how many of them had each field."""


def filled_fields(record: Record) -> dict[str, int]:
    """The coverage of one item. None and '' are missing."""
    values = {
        "date": record.dating and record.dating.best,
        "body": record.body.strip(),
        "publisher": (record.notice.publisher or "").strip(),
        "author": (record.notice.author or "").strip(),
    }
    return {ITEMS: 1, **{name: int(bool(values[name])) for name in FIELDS}}


def add_up(coverages: list[Coverage]) -> dict[str, int]:
    """The coverage of several runs together."""
    return {name: sum(coverage.get(name, 0) for coverage in coverages) for name in (ITEMS, *FIELDS)}


def measure(runs: Iterable[tuple[bool, Coverage]]) -> dict[str, int]:
    """What a run's coverage is held against: that of earlier runs, oldest first, each with whether it was well.

    A run that was not well between two that were counts too: its field was missing by chance. Without those a field
    that is missing now and then would look as if it had always been there."""
    told = [(is_well, coverage) for is_well, coverage in runs if coverage.get(ITEMS)]
    around = [True, *(is_well for is_well, _ in told), False]
    return add_up(
        [
            coverage
            for number, (is_well, coverage) in enumerate(told)
            if is_well or (around[number] and around[number + 2])
        ]
    )


@dataclass(frozen=True, slots=True)
class Emptied:
    """A field that the items of a run lack more often than by chance."""

    field: str
    filled: int
    items: int
    filled_before: int
    items_before: int

    def __str__(self) -> str:
        return (
            f"{self.field} in {self.items} items ({self.filled_before} of {self.items_before} had it before), "
            f"found in {self.filled}"
        )


def find_emptied(now: Coverage, before: Coverage) -> Emptied | None:
    """The first field that is missing although the source's own history says that it should be there."""
    items, known = now.get(ITEMS, 0), before.get(ITEMS, 0)
    for field in FIELDS if items and known else ():
        filled, filled_before = now.get(field, 0), before.get(field, 0)
        # A field that was never missing may still be missing one day: one item more of each kind. One that was never
        # there is not missed.
        share = min((filled_before + 1) / (known + 2), filled_before / known)
        limit = _IMPROBABLE if filled == 0 else _VERY_IMPROBABLE
        if filled < share * items and _at_most(filled, items, share) < limit:
            return Emptied(field, filled, items, filled_before, known)
    return None


def _at_most(filled: int, items: int, share: float) -> float:
    """The chance that so few of the items, or fewer, have a field that each has with this chance."""
    return sum(
        math.comb(items, number) * share**number * (1 - share) ** (items - number)
        for number in range(filled + 1)
    )
