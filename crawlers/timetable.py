"""When each source is due: by its crontab and by what its run rows say, never by what a process remembers.

So it makes no difference who crawls (scheduler, cron, a person), how many they are, or what was down for how long: a
source is due when a time of its crontab has passed since its last crawl began, and after that crawl it isn't.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from functools import cache

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Engine

from crawlers.source import Source
from pipeline.dates import SHANGHAI
from pipeline.health.workdays import is_workday
from pipeline.store.runs import last_served

WORKDAYS = "mon-fri"
_INSTANT = timedelta(microseconds=1)


class Timetable(BaseTrigger):  # type: ignore[misc]
    """The times of a crontab in Asia/Shanghai, as APScheduler asks for them.

    The days `mon-fri` mean workdays: not on public holidays, but on weekends that are worked in their stead. All
    other days are meant as they are written. `jitter` spreads the start over so many seconds; it changes nothing of
    what is due.
    """

    def __init__(self, crontab: str, *, jitter: int = 0) -> None:
        fields = crontab.split()
        self._workdays = fields[4] == WORKDAYS
        days = "*" if self._workdays else fields[4]
        self._times = CronTrigger.from_crontab(" ".join([*fields[:4], days]), timezone=SHANGHAI)
        self._jitter = jitter

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first time that is not past, later than the previous one, and spread by the jitter."""
        earliest = now if previous_fire_time is None else max(now, previous_fire_time + _INSTANT)
        spread: datetime | None = self._apply_jitter(self._first_from(earliest), self._jitter, now)
        return spread

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after a moment; None when there never is one."""
        return self._first_from(moment + _INSTANT)

    def _first_from(self, moment: datetime) -> datetime | None:
        found: datetime | None = self._times.get_next_fire_time(None, moment)
        while found is not None and self._workdays and not is_workday(found.date()):
            tomorrow = datetime.combine(found.date() + timedelta(days=1), time(), SHANGHAI)
            found = self._times.get_next_fire_time(None, tomorrow)
        return found


@cache
def timetable_of(crontab: str) -> Timetable:
    """The timetable of a crontab, without jitter."""
    return Timetable(crontab)


def pick_due(sources: Iterable[Source], served: Mapping[str, datetime], now: datetime) -> list[Source]:
    """Those sources that are due, given when the last crawl of each began that came to an end."""
    return [source for source in sources if _is_due(source, served.get(source.key), now)]


def _is_due(source: Source, served: datetime | None, now: datetime) -> bool:
    if served is None:
        return True
    due = timetable_of(source.crontab).next_after(served)
    return due is not None and due <= now


def due_sources(engine: Engine, sources: Iterable[Source], now: datetime) -> list[Source]:
    """Those sources that are due by their run rows. A crawl that was killed doesn't count: it is made good."""
    return pick_due(sources, last_served(engine, now), now)
