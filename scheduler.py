"""Crawls every source when it is due, sends what is due, and writes one log line a run.

`python scheduler.py` (or `iprwatch run`) works in the foreground until Ctrl-C or SIGTERM. Its clock is APScheduler's,
but what is due is read from the run rows: what was missed while nothing ran is made good once, and a source that
somebody else has crawled meanwhile is left alone. Each host is crawled by a process of its own, one at a time.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from configuration import Configuration, load_configuration
from crawl_process import COMMAND, STOP_WITHIN, CrawlProcess, Ended
from crawlers.lease_holder import is_dead, show_holder
from crawlers.source import Source
from crawlers.timetable import Timetable, due_sources
from crawlers.verdicts import judge, note_missed, publish_metrics, report_day
from crawlers.wechat_session import announce_end
from errors import ConfigurationError, IprwatchError
from pipeline.alerts.outbox import deliver, is_anything_due
from pipeline.dates import SHANGHAI
from pipeline.health.workdays import warn_of_unknown_year
from pipeline.store.lease import find_holder
from pipeline.store.runs import OK, RUNNING, RunState, newest_runs
from pipeline.store.session import NOTHING, Accepted, first_line
from pipeline.store.source_set import check_sources
from streams import open_closed_streams

HOSTS_AT_ONCE = 4
JITTER = 30  # seconds, so that not all crawls of a minute start in the same second
LOOK_EVERY = 60  # seconds
SEND_EVERY = 2  # seconds
RETRY_AFTER = timedelta(minutes=5)
MOST_RETRIES = 3
log = logging.getLogger("iprwatch.scheduler")


class Runner:
    """Crawls what is due on a host, by a process that ends with this one."""

    def __init__(
        self,
        configuration: Configuration,
        engine: Engine,
        *,
        command: Sequence[str] = COMMAND,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._configuration = configuration
        self._engine = engine
        self._command = tuple(command)
        self._now = now
        self._up_since = now()
        self._sources: dict[str, list[Source]] = {}
        for source in configuration.load_sources().values():
            self._sources.setdefault(source.host, []).append(source)
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._retries: dict[str, int] = {}
        self._running: set[CrawlProcess] = set()
        self._changed = threading.Condition()
        self._stopping = False
        self._sending = threading.Lock()

    @property
    def hosts(self) -> list[str]:
        """All hosts that have sources."""
        return list(self._sources)

    @property
    def is_busy(self) -> bool:
        """True while a crawl of this runner is going on."""
        with self._changed:
            return bool(self._running)

    def crawl_due(self, host: str) -> bool:
        """Crawl what is due on a host, if anything is, and log what became of it.

        False when something is left that should be tried again later: a crawl that was killed or could not start,
        or a host that another process is crawling. A failure is a log line, never an exception.
        """
        with self._changed:
            if self._stopping or host in self._busy:
                self._again.add(host)
                return True
            self._busy.add(host)
        try:
            return self._crawl_while_due(host)
        except (IprwatchError, DBAPIError) as error:
            log.error("%s: %s", host, first_line(error) if isinstance(error, DBAPIError) else error)
            return False
        finally:
            with self._changed:
                self._busy.discard(host)
                self._changed.notify_all()

    def _crawl_while_due(self, host: str) -> bool:
        while True:
            with self._changed:
                self._again.discard(host)
            due = due_sources(self._engine, self._sources[host], self._now())
            if due and not self._crawl(due):
                return False
            with self._changed:
                if self._stopping or not (due or host in self._again):
                    self._retries.pop(host, None)
                    return True

    def may_retry(self, host: str) -> bool:
        """True for the first few times in a row that a host is left with something due."""
        with self._changed:
            self._retries[host] = self._retries.get(host, 0) + 1
            return self._retries[host] <= MOST_RETRIES and not self._stopping

    def _crawl(self, due: Sequence[Source]) -> bool:
        keys = [source.key for source in due]
        before = newest_runs(self._engine, keys)
        ended = self._run_process(keys)
        if ended is None:
            return True
        if ended.overdue:
            log.warning("%s: stopped after %d s", ", ".join(keys), self._configuration.time_limit)
        after = newest_runs(self._engine, keys)
        missing = [source for source in due if after.get(source.key) == before.get(source.key)]
        for source in due:
            if source not in missing:
                log.log(*describe_run(source.key, after[source.key], ended))
        if missing:
            log.log(*self._explain(missing, ended))
        killed = any(after[source.key].state == RUNNING for source in due if source not in missing)
        return not killed and not due_sources(self._engine, missing, self._now())

    def _explain(self, missing: Sequence[Source], ended: Ended) -> tuple[int, str]:
        """The log line about sources that were due and have no new run row."""
        keys = ", ".join(source.key for source in missing)
        if not due_sources(self._engine, missing, self._now()):
            return logging.INFO, f"{keys}: crawled by another process meanwhile"
        held = find_holder(self._engine, missing[0].host)
        if held is not None and not is_dead(held.holder):
            return logging.INFO, f"{keys}: {held.host} is being crawled by {show_holder(held.holder)}"
        last = (ended.errors.strip().splitlines() or ["no message"])[-1]
        return logging.ERROR, f"{keys}: the crawl did not begin (exit code {ended.code}): {last!r}"

    def _run_process(self, keys: Sequence[str]) -> Ended | None:
        file = self._configuration.file
        options = ["--config", str(file)] if file else []
        with self._changed:
            if self._stopping:
                return None
            process = CrawlProcess([*options, "crawl", *keys, "--due", "--no-send", "--json"], self._command)
            self._running.add(process)
        try:
            return process.wait(self._configuration.time_limit + STOP_WITHIN)
        finally:
            with self._changed:
                self._running.discard(process)
                self._changed.notify_all()

    def look_after(self) -> None:
        """What is done each minute: runs are judged, the day is reported, alerts are escalated and sent. What fails is
        a log line, and is tried again the next minute."""
        self._count_down()
        try:
            judge(self._configuration, self._engine)
            note_missed(self._configuration, self._engine, self._now(), up_since=self._up_since)
            report_day(self._configuration, self._engine, self._now())
            publish_metrics(self._configuration, self._engine, self._now())
        except (IprwatchError, DBAPIError) as error:
            log.error("health: %s", first_line(error) if isinstance(error, DBAPIError) else error)
        self.send()

    def send_due(self) -> None:
        """Send if anything is due, which takes one look into the outbox, and nobody here is sending."""
        if self._sending.locked():
            return
        try:
            due = is_anything_due(self._engine, self._now())
        except DBAPIError as error:
            log.error("alerts: %s", first_line(error))
            return
        if due:
            self.send()

    def send(self) -> None:
        """Send the alerts that are due; what fails is retried at its time."""
        try:
            configuration = self._configuration
            with self._sending:
                report = deliver(
                    self._engine,
                    configuration.build_channels(),
                    rules=configuration.all_rules(),
                    operators=configuration.operators,
                )
        except (IprwatchError, DBAPIError) as error:
            log.error("alerts: %s", first_line(error) if isinstance(error, DBAPIError) else error)
            return
        if report.sent or report.failed:
            log.info(
                "alerts: %d sent, %d to be retried, %d failed",
                len(report.sent),
                len(report.waiting),
                len(report.failed),
            )
        for failed in report.failed:
            log.warning(
                "alerts: given up on %s by %s: %s", failed.message.id, failed.channel, failed.receipt.detail
            )

    def _count_down(self) -> None:
        """Put the warnings of a WeChat session that ends into the outbox, whether a crawl is due or not."""
        try:
            session = self._configuration.wechat_session()
            if session is None:
                return
            announce_end(self._engine, self._configuration.operators, session, datetime.now(UTC))
        except (IprwatchError, DBAPIError) as error:
            log.error("WeChat session: %s", first_line(error) if isinstance(error, DBAPIError) else error)

    def stop(self) -> None:
        """Ask the crawls that run to end; each completes what it has begun to write, and is killed if it can't."""
        with self._changed:
            self._stopping = True
            for process in self._running:
                process.ask_to_end()
            self._changed.wait_for(lambda: not self._running, timeout=STOP_WITHIN)
            for process in self._running:
                process.kill()


def describe_run(source_key: str, run: RunState, ended: Ended) -> tuple[int, str]:
    """One log line about a crawl from its run row: (level, line). The exit code proves nothing and decides nothing."""
    if run.state == RUNNING:
        return logging.ERROR, f"{source_key}: the crawl was killed (exit code {ended.code})"
    counts = run.counts
    shown = f"{counts.get('links', 0)} links, {counts.get('new', 0)} new, {counts.get('edited', 0)} edited"
    if run.state == OK:
        return logging.INFO, f"{source_key}: ok, {shown}"
    return logging.WARNING, f"{source_key}: {run.state}, {shown}: {run.reason!r}"


def build_scheduler(runner: Runner, sources: Sequence[Source]) -> BackgroundScheduler:
    """A scheduler with a job for each source, one for each host that looks what is due at the start, one for
    everything that is done each minute, and one that sends what is due; not started."""
    scheduler = BackgroundScheduler(
        timezone=SHANGHAI,
        executors={
            "default": ThreadPoolExecutor(HOSTS_AT_ONCE),
            "look after": ThreadPoolExecutor(1),
            # One sends, however long that takes, while the other finds so and leaves it to it.
            "send": ThreadPoolExecutor(2),
        },
        # However late a job comes, it is run once: what is due is decided by the run rows.
        job_defaults={"coalesce": True, "max_instances": 2, "misfire_grace_time": None},
    )

    def crawl(host: str) -> None:
        if not runner.crawl_due(host) and runner.may_retry(host):
            scheduler.add_job(
                crawl, "date", [host], id=f"retry {host}", replace_existing=True,
                run_date=datetime.now(UTC) + RETRY_AFTER,
            )  # fmt: skip

    for source in sources:
        trigger = Timetable(source.crontab, jitter=JITTER)
        scheduler.add_job(crawl, trigger, [source.host], id=source.key, name=source.name_en)
    for host in runner.hosts:
        scheduler.add_job(crawl, "date", [host], id=f"start {host}")
    scheduler.add_job(
        runner.look_after,
        "interval",
        seconds=LOOK_EVERY,
        id="look after",
        executor="look after",
        max_instances=1,
    )
    scheduler.add_job(runner.send_due, "interval", seconds=SEND_EVERY, id="send", executor="send")
    scheduler.add_listener(_report_defect, EVENT_JOB_ERROR)
    return scheduler


def _report_defect(event: JobExecutionEvent) -> None:
    log.error("%s: %r\n%s", event.job_id, event.exception, event.traceback)


def run(
    configuration: Configuration,
    accepted: Accepted = NOTHING,
    *,
    accept_fewer: bool = False,
    command: Sequence[str] = COMMAND,
) -> None:
    """Run until Ctrl-C or SIGTERM. Raises ConfigurationError, StoreError and SourcesMissing at the start."""
    sources = list(configuration.load_sources().values())
    if not sources:
        raise ConfigurationError("No source is configured: allow the built-in ones or name source_files.")
    configuration.build_channels()
    engine = configuration.open_store(accepted)
    try:
        check_sources(engine, [source.key for source in sources], accept_fewer=accept_fewer)
        _run(Runner(configuration, engine, command=command), sources)
    finally:
        engine.dispose()


def _run(runner: Runner, sources: Sequence[Source]) -> None:
    scheduler = build_scheduler(runner, sources)
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    scheduler.start()
    log.info("watching %d sources; next: %s", len(sources), _next_runs(scheduler, sources))
    if warning := warn_of_unknown_year(datetime.now(SHANGHAI).date()):
        log.warning("%s", warning)
    _watch_clock(scheduler, stopped)
    log.info("stopping")
    scheduler.pause()
    runner.stop()
    scheduler.shutdown(wait=True)
    log.info("stopped")


def _watch_clock(
    scheduler: BackgroundScheduler,
    stopped: threading.Event,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Wait for the end. Where the clock is set back (by hours, where a machine starts before it knows the time) every
    job would wait for a moment of the wrong clock; so all look again at once."""
    before = now()
    while not stopped.wait(LOOK_EVERY):
        if (moment := now()) < before:
            log.warning(
                "the clock was set back by %d s: everything is looked at again",
                (before - moment).total_seconds(),
            )
            for job in scheduler.get_jobs():
                job.modify(next_run_time=moment)
        before = moment


def _next_runs(scheduler: BackgroundScheduler, sources: Sequence[Source]) -> str:
    jobs: list[Any] = [job for source in sources if (job := scheduler.get_job(source.key)) is not None]
    times = sorted((job.next_run_time, job.id) for job in jobs)
    return ", ".join(f"{key} at {moment:%a %H:%M}" for moment, key in times[:3])


def set_up_log() -> None:
    """One line an event on standard error; nothing of the libraries below a warning."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    for name in ("apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A job's exception is reported once, by our listener.
    logging.getLogger("apscheduler.executors").setLevel(logging.CRITICAL)


def main() -> int:
    """`python scheduler.py [iprwatch.toml]`: the same as `iprwatch run`."""
    open_closed_streams()
    parser = argparse.ArgumentParser(description="Crawl each source at its times, until Ctrl-C or SIGTERM.")
    parser.add_argument("config", nargs="?", type=Path, help="configuration file; else as for iprwatch")
    parser.add_argument("--accept-empty-store", action="store_true")
    parser.add_argument("--accept-fewer-sources", action="store_true")
    parser.add_argument("--accept-no-backup", action="store_true")
    given = parser.parse_args()
    set_up_log()
    accepted = Accepted(empty_store=given.accept_empty_store, no_backup=given.accept_no_backup)
    try:
        run(load_configuration(given.config), accepted, accept_fewer=given.accept_fewer_sources)
    except IprwatchError as error:
        log.error("%s", error)
        return 2
    except DBAPIError as error:
        log.error("the database failed: %s", first_line(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
