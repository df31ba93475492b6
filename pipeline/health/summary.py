"""The daily summary: who was heard, what was new, who is not well. That it comes every day is half of what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, select

from pipeline.alerts.operators import put_alert, tell_operators
from pipeline.alerts.ping import PING
from pipeline.alerts.rules import Recipient
from pipeline.dates import SHANGHAI
from pipeline.health.status import SourceStatus
from pipeline.health.verdict import NEW
from pipeline.health.workdays import warn_of_unknown_year
from pipeline.store.tables import Delivery


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
    """A line for each source that is not well, those that are muted last, and what else should be known."""
    lines, muted = [], []
    for status in statuses:
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


def post_summary(
    engine: Engine,
    recipients: Sequence[Recipient],
    statuses: Sequence[SourceStatus],
    now: datetime,
    at: timedelta,
) -> bool:
    """Put the day's summary into the outbox once its time (`at` after midnight in China) has come. False when it is
    not the time, or was posted already, by whomever."""
    today = now.astimezone(SHANGHAI)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    if not recipients or now < midnight + at or _states(engine, _event(today.date())):
        return False
    summary = write_summary(statuses, today.date())
    with engine.begin() as connection:
        title = f"iprwatch {today:%Y-%m-%d}: {summary.title}"
        put_alert(connection, recipients, _event(today.date()), title, "", summary.lines)
    return True


def ping_when_delivered(engine: Engine, now: datetime) -> None:
    """Put the ping of the dead man's switch into the outbox when the day's summary has reached everybody."""
    day = now.astimezone(SHANGHAI).date()
    states = _states(engine, _event(day))
    if states and set(states) == {"sent"}:
        tell_operators(
            engine, [Recipient(channel=PING)], f"ping {day}", f"iprwatch {day}", "summary delivered"
        )


def _event(day: date) -> str:
    return f"summary {day}"


def _states(engine: Engine, event: str) -> list[str]:
    with engine.connect().execution_options(read_only=True) as connection:
        return list(connection.scalars(select(Delivery.state).where(Delivery.event == event)))
