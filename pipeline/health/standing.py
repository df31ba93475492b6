"""How a source stands after each verdict, and when people are told: once of each trouble, once of its end."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipeline.health.verdict import NEW, WELL, Verdict

Told = Literal["trouble", "recovered"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The last verdict on a source with its kind, and since which day in China it is (un)well in this way.

    `bad_runs` are the runs in a row that were not well, `same_runs` those with this verdict and kind. `troubles`
    numbers the times that it turned bad; `told` is true while people know of the present one. Lists and fields are
    compared with those of the runs from `compared_from` on."""

    since_on: date
    verdict: str = NEW
    kind: str | None = None
    bad_runs: int = 0
    troubles: int = 0
    told: bool = False
    same_runs: int = 0
    compared_from: int | None = None

    def after(
        self, verdict: Verdict, day: date, *, alarm_after: int, muted: bool = False, run_id: int | None = None
    ) -> tuple[Standing, Told | None]:
        """How it stands after one more verdict, and what people are to be told."""
        counted = 1 if verdict.conclusive else 0
        is_same = (self.verdict, self.kind) == (verdict.name, verdict.kind)
        # Since when a source is well is of interest, not since when it is quiet.
        goes_on = self.verdict == verdict.name or (self.verdict in WELL and verdict.is_well)
        standing = dataclasses.replace(
            self,
            verdict=verdict.name,
            kind=verdict.kind,
            since_on=self.since_on if goes_on else day,
            same_runs=self.same_runs + counted if is_same else 1,
            compared_from=run_id if verdict.accepts else self.compared_from,
        )
        if verdict.is_well:
            well = dataclasses.replace(standing, bad_runs=0, told=False)
            return well, "recovered" if self.told else None
        bad_runs = self.bad_runs + counted
        told = self.told or (bad_runs >= alarm_after and not muted)
        troubles = self.troubles + (1 if self.verdict in WELL else 0)
        bad = dataclasses.replace(standing, bad_runs=bad_runs, troubles=troubles, told=told)
        return bad, "trouble" if told and not self.told else None
