"""Health as an installation has it: its sources, its recipients, its clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from configuration import Configuration
from crawlers.source import INBOX_READER, Source
from crawlers.stored import read_stored
from crawlers.timetable import timetable_of
from pipeline.alerts.check import check_alerts
from pipeline.alerts.rule_report import is_report_due, post_report
from pipeline.alerts.rules import Rules
from pipeline.dates import SHANGHAI
from pipeline.health.ledger import Alarm, Watched, judge_runs, note_not_run
from pipeline.health.metrics import write_metrics
from pipeline.health.mutes import read_mutes
from pipeline.health.status import SourceStatus, count_missed, read_status
from pipeline.health.summary import day_to_report, is_reported, ping_when_delivered, post_summary
from pipeline.store.outbox_rows import NEW, Match
from pipeline.store.runs import last_served
from pipeline.store.withdrawal_judgements import count_open

CHECKED = timedelta(days=31)
"""How far back the daily summary looks whether alerts are accounted for."""


def watch(source: Source) -> Watched:
    """A source as its health sees it."""
    return Watched(
        key=source.key,
        name=f"{source.name_zh} ({source.name_en})",
        publisher=source.publisher_zh,
        next_after=timetable_of(source.crontab).next_after,
        has_rhythm=source.reader != INBOX_READER,
    )


def watch_all(configuration: Configuration) -> dict[str, Watched]:
    """All sources of an installation, by key."""
    return {key: watch(source) for key, source in configuration.load_sources().items()}


def read_statuses(configuration: Configuration, engine: Engine, now: datetime) -> list[SourceStatus]:
    """How all sources stand."""
    return read_status(engine, watch_all(configuration).values(), now)


def judge(configuration: Configuration, engine: Engine) -> None:
    """Give every closed run its verdict, and tell who is to be told."""
    today = datetime.now(SHANGHAI).date()
    judge_runs(engine, watch_all(configuration), _alarm(configuration), read_mutes(engine, today))


def note_missed(configuration: Configuration, engine: Engine, now: datetime, *, up_since: datetime) -> None:
    """Note the sources that a scheduler should have crawled and did not, although it was there all the time."""
    served = last_served(engine, now)
    muted = read_mutes(engine, now.astimezone(SHANGHAI).date())
    for source in watch_all(configuration).values():
        last = served.get(source.key)
        # What was missed while nothing ran is being made good; nobody needs to be told.
        missed = count_missed(source, max(last, up_since) if last else up_since, now)
        if missed:
            note_not_run(engine, source, missed, now, _alarm(configuration), muted=source.key in muted)


def report_day(configuration: Configuration, engine: Engine, now: datetime) -> None:
    """Post the daily summary and the monthly report on rules when they are due, and the ping once the summary was
    delivered.

    A day before the first crawl has no summary.
    """
    hours, minutes = map(int, configuration.summary_at.split(":"))
    day = day_to_report(now, timedelta(hours=hours, minutes=minutes))
    is_due = bool(configuration.operators) and not is_reported(engine, day)
    statuses = read_statuses(configuration, engine, now) if is_due else []
    if is_due and any(status.is_known_on(day) for status in statuses):
        more = [*_check_alerts(configuration, engine, now), *_ask_for_words(engine)]
        post_summary(engine, configuration.operators, statuses, day, more)
    if configuration.operators and is_report_due(engine, day):
        post_report(engine, configuration.operators, configuration.all_rules(), now, day)
    if configuration.dead_mans_switch:
        ping_when_delivered(engine, day)


def publish_metrics(configuration: Configuration, engine: Engine, now: datetime) -> None:
    """Write how all sources stand into the file for Prometheus, if one is named. Raises MetricsError."""
    if configuration.metrics_file:
        write_metrics(configuration.metrics_file, read_statuses(configuration, engine, now))


def _check_alerts(configuration: Configuration, engine: Engine, now: datetime) -> list[str]:
    """Whether the alerts of the last weeks are accounted for, in a line; `iprwatch alerts check` checks all."""
    rules = configuration.all_rules()
    if not rules:
        return []
    matcher = Rules(rules)

    def find(connection: Connection, item_id: int) -> Iterable[Match]:
        return matcher(read_stored(connection, item_id), NEW)

    return [check_alerts(engine, rules, find, now, since=now - CHECKED).as_line()]


def _ask_for_words(engine: Engine) -> list[str]:
    """A line while alerts of withdrawals are held back until somebody says what many at once mean."""
    with engine.connect().execution_options(read_only=True) as connection:
        number = count_open(connection)
    if not number:
        return []
    are = "1 article that was" if number == 1 else f"{number} articles that were"
    return [f"{are} gone with many others: iprwatch withdrawals list --open"]


def pick_statuses(statuses: Iterable[SourceStatus], keys: Iterable[str]) -> list[SourceStatus]:
    """Those of these sources."""
    wanted = set(keys)
    return [status for status in statuses if status.key in wanted]


def _alarm(configuration: Configuration) -> Alarm:
    recipients = dict.fromkeys((*configuration.operators, *configuration.alarms))
    return Alarm(tuple(recipients), configuration.alarm_after)
