"""A source's own rhythm: how long it is usually silent, learned from the days on which it brought something.

Time is counted in the source's own days: a workday is one, a weekend day as much as the source is busy then, a public
holiday nothing. So neither a weekend nor Spring Festival looks like a silence.

Whether a silence is unusual is asked of the longest one in memory. A source that publishes at random is silent for
twice its mean gap every seventh time (e^-2), so no rule about mean gaps could tell a stop from chance.
`benchmarks/verdicts.py` measures the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from itertools import pairwise

from pipeline.health.workdays import kind_of_day

FEWEST_GAPS = 6
"""With fewer gaps a rhythm is not known, and no silence is unusual."""
MOST_GAPS = 100
MEMORY = timedelta(days=400)
_UNUSUAL = 1.75
_UNUSUAL_WHEN_NEW = 10.0
_MOST_UNUSUAL = 1.95
_SHORTEST = 2.0  # own days: a list is looked at a few times a day, and a day may end before it was
_QUIET_WEEKENDS = 0.1
_ONE_DAY = timedelta(days=1)
_kind = cache(kind_of_day)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What is usual: `usual` is the longest of the last `gaps` gaps between days with news, in own days; a weekend day
    counts `weekend` (0 to 1)."""

    gaps: int
    usual: float
    weekend: float

    @property
    def limit(self) -> float:
        """The longest silence, in own days, that is not unusual.

        The fewer gaps were seen, the likelier a longer one is: 1.85 times the usual one after a hundred, 1.95 times
        up to fifty."""
        return min(_MOST_UNUSUAL, _UNUSUAL + _UNUSUAL_WHEN_NEW / self.gaps) * self.usual


def learn_rhythm(news_days: Sequence[date]) -> Rhythm | None:
    """The rhythm of these days in China, in order and each once; None as long as they are too few to tell."""
    if not news_days:
        return None
    days = [day for day in news_days if news_days[-1] - day <= MEMORY][-MOST_GAPS - 1 :]
    if len(days) <= FEWEST_GAPS:
        return None
    weekend = _weigh_weekends(days)
    gaps = [count_own_days(before, after, weekend) for before, after in pairwise(days)]
    return Rhythm(len(gaps), max(_SHORTEST, *gaps), weekend)


def count_own_days(after: date, until: date, weekend: float) -> float:
    """Own days after one day, up to and including another."""
    workdays, weekends = _count_days(after, until)
    return workdays + weekend * weekends


@lru_cache(maxsize=20_000)
def _count_days(after: date, until: date) -> tuple[int, int]:
    """Workdays and weekend days after one day, up to and including another; holidays are neither."""
    kinds = Counter(_kind(after + _ONE_DAY * step) for step in range(1, max(0, (until - after).days) + 1))
    return kinds["workday"], kinds["weekend"]


def _weigh_weekends(days: Sequence[date]) -> float:
    """How busy a weekend day is, a workday being 1."""
    workdays, weekends = _count_days(days[0] - _ONE_DAY, days[-1])
    news = Counter(map(_kind, days))
    if not news["workday"]:
        return 1.0
    if not weekends:
        return 0.0
    ratio = (news["weekend"] / weekends) / (news["workday"] / workdays)
    return 0.0 if ratio < _QUIET_WEEKENDS else min(1.0, ratio)
