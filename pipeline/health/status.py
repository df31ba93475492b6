"""How every source stands: for people, for programs, and for the daily summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from pipeline.dates import SHANGHAI
from pipeline.health.ledger import Watched
from pipeline.health.mutes import Mute, read_mutes
from pipeline.health.verdict import NEW, NOT_RUN, QUIET, WELL
from pipeline.store.health_tables import DayVerdict, SourceHealth
from pipeline.store.runs import last_served
from pipeline.store.tables import Run
from pipeline.store.unread import Unread, select_unread

OVERDUE = timedelta(hours=3)
"""How long after its time a source may still be waiting for its crawl before it counts as not run."""
SHOWN_DAYS = 30
_BARS = "▂▃▄▅▆▇█"
_MARKS = {QUIET: "▁", NOT_RUN: "?"}


@dataclass(frozen=True, slots=True)
class Day:
    """A source on one day in China. `new` counts items stored for the first time."""

    day: date
    verdict: str
    kind: str | None
    why: str
    heard: bool
    new: int
    edited: int
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source stands. `verdict` is None before a crawl of it was judged; times are UTC.

    `missed`: how often it was to be crawled, more than three hours ago, and was not. `days` are the last thirty on
    which it was crawled or should have been, oldest first. `unread` are the articles that could not be read.
    """

    key: str
    name: str
    verdict: str | None
    kind: str | None
    since: date | None
    missed: int
    heard_at: datetime | None
    next_at: datetime | None
    mute: Mute | None
    days: tuple[Day, ...]
    unread: tuple[Unread, ...] = ()

    @property
    def is_well(self) -> bool:
        return self.verdict in WELL and not self.missed

    @property
    def is_green(self) -> bool:
        """True for what needs nobody's attention: it is well, or known not to be."""
        return self.is_well or self.mute is not None

    @property
    def waiting(self) -> tuple[Unread, ...]:
        """The articles that could not be read, without those that a person has set aside."""
        return tuple(article for article in self.unread if not article.is_set_aside)

    @property
    def set_aside(self) -> tuple[Unread, ...]:
        """The articles that a person has set aside."""
        return tuple(article for article in self.unread if article.is_set_aside)

    @property
    def shown(self) -> str:
        """The verdict in words."""
        if self.missed:
            return NOT_RUN
        if self.verdict is None:
            return "not judged yet"
        return f"{self.verdict} ({self.kind})" if self.kind else self.verdict

    def is_known_on(self, day: date) -> bool:
        """True from the day of its first crawl in the last thirty days on."""
        return bool(self.days) and self.days[0].day <= day

    def on(self, day: date) -> Day | None:
        """What the source was like on a day."""
        return next((one for one in self.days if one.day == day), None)

    def sparkline(self, until: date) -> str:
        """The last thirty days as one character each, the last one for `until`: a bar the higher the more was new,
        `▁` quiet as usual, `!` not well, `?` not run, `·` nothing to do."""
        days = {one.day: one for one in self.days}
        most = max((one.new for one in self.days), default=0)
        marks = []
        for back in range(SHOWN_DAYS - 1, -1, -1):
            one = days.get(until - timedelta(days=back))
            if one is None:
                marks.append("·")
            elif one.verdict == NEW:
                marks.append(_BARS[min(len(_BARS) - 1, one.new * len(_BARS) // (most + 1))])
            else:
                marks.append(_MARKS.get(one.verdict, "!"))
        return "".join(marks)


def count_missed(source: Watched, served: datetime | None, now: datetime) -> int:
    """How often a source should have been crawled since it last was, three hours and more before now; at most 100."""
    if served is None:
        return 0
    missed = 0
    moment = source.next_after(served)
    while moment is not None and moment <= now - OVERDUE and missed < 100:
        missed += 1
        moment = source.next_after(moment)
    return missed


def read_status(engine: Engine, watched: Iterable[Watched], now: datetime) -> list[SourceStatus]:
    """The status of these sources, in their order."""
    today = now.astimezone(SHANGHAI).date()
    since = today - timedelta(days=SHOWN_DAYS - 1)
    days: dict[str, list[Day]] = {}
    with engine.connect().execution_options(read_only=True) as connection:
        standing = {
            row.source_key: row for row in connection.execute(select(*SourceHealth.__table__.columns))
        }
        for row in connection.execute(
            select(*DayVerdict.__table__.columns).where(DayVerdict.day >= since).order_by(DayVerdict.day)
        ):
            day = Day(row.day, row.verdict, row.kind, row.why, row.heard, row.new, row.edited, row.evidence)
            days.setdefault(row.source_key, []).append(day)
        read = select(Run.source_key, func.max(Run.list_read_at)).group_by(Run.source_key)
        heard = {row[0]: row[1] for row in connection.execute(read)}
        unread = select_unread(connection)
    served = last_served(engine, now)
    mutes = read_mutes(engine, today)
    statuses = []
    for source in watched:
        stands = standing.get(source.key)
        # The row is made before the first verdict, and runs that say nothing leave it as it is.
        stands = stands if stands and stands.same_runs else None
        statuses.append(
            SourceStatus(
                key=source.key,
                name=source.name,
                verdict=stands.verdict if stands else None,
                kind=stands.kind if stands else None,
                since=stands.since_on if stands else None,
                missed=count_missed(source, served.get(source.key), now),
                heard_at=heard.get(source.key),
                next_at=source.next_after(now),
                mute=mutes.get(source.key),
                days=tuple(days.get(source.key, ())),
                unread=tuple(article for article in unread if article.source_key == source.key),
            )
        )
    return statuses
