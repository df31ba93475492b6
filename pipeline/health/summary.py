"""The daily summary: who was heard, what was new, who is not well. That it comes every day is half of what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from pipeline.alerts.operators import put_alert, tell_operators, told_states
from pipeline.alerts.ping import PING
from pipeline.alerts.rules import Recipient
from pipeline.dates import SHANGHAI
from pipeline.health.status import SourceStatus
from pipeline.health.verdict import NEW
from pipeline.health.workdays import warn_of_unknown_year
from pipeline.store.unread import say_unread


@dataclass(frozen=True, slots=True)
class Summary:
    """A day in one line, and one line for each source that somebody should look at."""

    title: str
    lines: tuple[str, ...]


def write_summary(statuses: Sequence[SourceStatus], day: date) -> Summary:
    """The summary of a day in China, of the sources that were crawled on it or should have been."""
    found = [(status, status.on(day)) for status in statuses]
    asked = [(status, one) for status, one in found if one is not None or status.missed]
    heard = [one for _, one in asked if one is not None and one.heard]
    new = sum(one.new for _, one in asked if one is not None)
    edited = sum(one.edited for _, one in asked if one is not None)
    changes = f"{new} new" + (f", {edited} edited" if edited else "")
    title = f"{len(heard)} of {len(asked)} sources heard, {changes}"
    return Summary(title if asked else "no source was due", tuple(describe_unwell(statuses, day)))


def describe_unwell(statuses: Iterable[SourceStatus], day: date) -> list[str]:
    """A line for each source that is not well or lacks an article, then what is muted or set aside, and a warning."""
    lines, muted = [], []
    for status in statuses:
        muted += [
            f"{status.key}: set aside since {article.set_aside_at.astimezone(SHANGHAI).date()} "
            f"({article.set_aside_reason}): {article.url}"
            for article in status.set_aside
            if article.set_aside_at is not None
        ]
        # Where the source is not well, its verdict speaks of them.
        if status.is_well and status.waiting:
            lines.append(f"{status.key}: {say_unread(status.waiting)}")
        if status.verdict is None or status.is_well:
            if status.mute is not None:
                muted.append(
                    f"{status.key}: well, but muted until {status.mute.until} ({status.mute.reason})"
                )
            continue
        since = f" since {status.since}" if status.since and not status.missed else ""
        one = status.on(day)
        why = f": {one.why}" if one is not None and one.why and one.verdict != NEW else ""
        if status.mute is None:
            lines.append(f"{status.key}: {status.shown}{since}{why}")
        else:
            muted.append(
                f"{status.key}: {status.shown}{since}, muted until {status.mute.until} ({status.mute.reason})"
            )
    warning = warn_of_unknown_year(day)
    return lines + muted + ([warning] if warning else [])


def day_to_report(now: datetime, at: timedelta) -> date:
    """The last day in China whose summary is due: today once its time (`at` after midnight) has come, else yesterday.

    So a crawl by cron that runs in the morning only reports the day before."""
    return (now.astimezone(SHANGHAI) - at).date()


def is_reported(engine: Engine, day: date) -> bool:
    """True when the summary of a day was posted, by whomever."""
    return bool(told_states(engine, _event(day)))


def post_summary(
    engine: Engine,
    recipients: Iterable[Recipient],
    statuses: Sequence[SourceStatus],
    day: date,
    more: Sequence[str] = (),
) -> None:
    """Put the summary of a day into the outbox, for each recipient once; `more` are lines below those of sources."""
    summary = write_summary(statuses, day)
    with engine.begin() as connection:
        title = f"iprwatch {day}: {summary.title}"
        put_alert(connection, recipients, _event(day), title, "", lines=(*summary.lines, *more))


def ping_when_delivered(engine: Engine, day: date) -> None:
    """Put the ping of the dead man's switch into the outbox when the summary of a day has reached everybody."""
    states = told_states(engine, _event(day))
    if states and set(states) == {"sent"}:
        tell_operators(
            engine, [Recipient(channel=PING)], f"ping {day}", f"iprwatch {day}", "summary delivered"
        )


def _event(day: date) -> str:
    return f"summary {day}"
