"""The monthly report on rules: which of them matched nothing, and which match more than a person reads.

It is due on the first day of a month on which offices in China work, and comes later in the month where nothing ran
then. A rule is judged when it has been configured in its present form for some weeks; until one is, nothing is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from pipeline.alerts.operators import put_alert, told_states
from pipeline.alerts.rule_starts import read_starts
from pipeline.alerts.rule_trials import NOISY, try_rules
from pipeline.alerts.rules import Recipient, Rule
from pipeline.health.workdays import is_workday

DAYS = 90
"""Rules are held against what was published in so many days."""
SETTLED = timedelta(days=28)
"""A rule that has its present form for less is not judged."""
_MOST_LINES = 100


@dataclass(frozen=True, slots=True)
class RuleReport:
    """What became of rules. `silent` names those that matched nothing; of watchlists it is counted in
    `silent_names`, by list: how many of its names matched nothing, of how many. `noisy` has the events a week of rules
    and names that match too many. `too_new` counts those that were not judged."""

    items: int
    judged: int
    too_new: int
    silent: tuple[str, ...]
    silent_names: dict[str, tuple[int, int]]
    noisy: dict[str, float]

    @property
    def title(self) -> str:
        """The report in one line."""
        silent = len(self.silent) + sum(number for number, _ in self.silent_names.values())
        return f"{self.judged} rules: {silent} matched nothing, {len(self.noisy)} match too much"

    @property
    def lines(self) -> list[str]:
        """What should be looked at, one line each; what was held against what comes last."""
        lines = [f"{name}: {number:.1f} events a week" for name, number in self.noisy.items()]
        lines += [f"{name}: matched nothing" for name in self.silent]
        lines += [
            f"Watchlist {name}: {number} of {of} names matched nothing"
            for name, (number, of) in self.silent_names.items()
        ]
        if len(lines) > _MOST_LINES:
            lines[_MOST_LINES:] = [f"and {len(lines) - _MOST_LINES} more: iprwatch rules report"]
        held = f"Held against {self.items} items of the last {DAYS} days; more than {NOISY} events a week is too much"
        new = f"; {self.too_new} rules are too new to be judged" if self.too_new else ""
        return [*lines, f"{held}{new}."]


def hold_rules(engine: Engine, rules: Iterable[Rule], now: datetime) -> RuleReport:
    """The report on these rules. `now` is zone-aware."""
    rules = tuple(rules)
    with engine.connect().execution_options(read_only=True) as connection:
        starts = read_starts(connection)
    judged = [rule for rule in rules if rule.name in starts and starts[rule.name].changed_at <= now - SETTLED]
    items, trials = try_rules(engine, judged, now=now, days=DAYS) if judged else (0, [])
    found = {rule.name: trial for rule, trial in zip(judged, trials, strict=True)}
    silent = [rule for rule in judged if found[rule.name].verdict(DAYS) == "silent"]
    names = Counter(rule.group for rule in judged if rule.group != rule.name)
    silent_names = Counter(rule.group for rule in silent if rule.group != rule.name)
    return RuleReport(
        items=items,
        judged=len(judged),
        too_new=len(rules) - len(judged),
        silent=tuple(rule.name for rule in silent if rule.group == rule.name),
        silent_names={name: (number, names[name]) for name, number in silent_names.items()},
        noisy={
            name: round(trial.events_a_week(DAYS), 1)
            for name, trial in found.items()
            if trial.verdict(DAYS) == "noisy"
        },
    )


def is_report_due(engine: Engine, day: date) -> bool:
    """True from the first workday of a month on, as long as nobody has posted the report of that month."""
    first = day.replace(day=1)
    if not any(is_workday(first + timedelta(days=after)) for after in range((day - first).days + 1)):
        return False
    return not told_states(engine, _event(day))


def post_report(
    engine: Engine, recipients: Iterable[Recipient], rules: Sequence[Rule], now: datetime, day: date
) -> None:
    """Put the report of the day's month into the outbox, for each recipient once, whoever else does so too."""
    report = hold_rules(engine, rules, now)
    if not report.judged:
        return
    with engine.begin() as connection:
        title = f"iprwatch {day:%Y-%m}, {report.title}"
        put_alert(connection, recipients, _event(day), title, "", lines=report.lines)


def _event(day: date) -> str:
    return f"rules {day:%Y-%m}"
