"""Crawls every source when its crontab says so, sends what is due, and writes one log line a run.

`python scheduler.py` runs in the foreground until Ctrl-C or SIGTERM. Each crawl is a process of its own. Times
are Asia/Shanghai, which has had no daylight saving since 1991.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from configuration import Configuration, load_configuration
from crawlers.source import Source
from crawlers.wechat_session import announce_end
from errors import IprwatchError
from pipeline.alerts.outbox import deliver
from pipeline.store.session import open_engine

SHANGHAI = ZoneInfo("Asia/Shanghai")
MISFIRE_GRACE = 6 * 3600  # seconds: a run missed while the machine slept is caught up with, once
CRAWL_TIME_LIMIT = 3600.0  # seconds
SEND_EVERY = 60  # seconds
log = logging.getLogger("iprwatch.scheduler")


class Runner:
    """Runs crawls as subprocesses and ends them with itself."""

    def __init__(self, configuration: Configuration, command: Sequence[str]) -> None:
        self._configuration = configuration
        self._command = tuple(command)
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def crawl(self, source: Source) -> None:
        """Crawl one source and log what happened; a failure is a line, never an exception."""
        with self._lock:
            if self._stopping:
                return
            process = subprocess.Popen(  # noqa: S603 - our own command line
                [*self._command, "crawl", source.key, "--json", "--no-send"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                # A Ctrl-C is for the scheduler alone; it asks each crawl once to end.
                start_new_session=True,
                encoding="utf-8",
            )
            self._running.add(process)
        try:
            output, errors = process.communicate(timeout=CRAWL_TIME_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            log.warning("%s: stopped after %d s", source.key, CRAWL_TIME_LIMIT)
            return
        finally:
            with self._lock:
                self._running.discard(process)
        level, line = summarise(source.key, process.returncode, output, errors)
        log.log(level, line)

    @property
    def is_busy(self) -> bool:
        """True while a crawl of this runner is going on."""
        with self._lock:
            return bool(self._running)

    def send(self) -> None:
        """Send the alerts that are due; what fails is retried at its time."""
        self._count_down()
        try:
            engine = open_engine(self._configuration.database_url)
            try:
                report = deliver(engine, self._configuration.build_channels())
            finally:
                engine.dispose()
        except IprwatchError as error:
            log.error("alerts: %s", error)
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
            engine = open_engine(self._configuration.database_url)
            try:
                announce_end(engine, self._configuration.operators, session, datetime.now(UTC))
            finally:
                engine.dispose()
        except IprwatchError as error:
            log.error("WeChat session: %s", error)

    def stop(self) -> None:
        """Ask the crawls that run to end; each completes what it has begun to write."""
        with self._lock:
            self._stopping = True
            for process in self._running:
                process.terminate()


def summarise(source_key: str, exit_code: int, output: str, errors: str) -> tuple[int, str]:
    """One log line about a crawl from what it printed: (level, line). Never green unless the crawl said so."""
    try:
        run = json.loads(output)["sources"][0]
        state, reason, counts = run["state"], run["reason"], run["counts"]
    except (ValueError, LookupError, TypeError):
        last = (errors.strip().splitlines() or ["no output"])[-1]
        return logging.ERROR, f"{source_key}: crawl failed with exit code {exit_code}: {last!r}"
    shown = f"{counts.get('links', 0)} links, {counts.get('new', 0)} new, {counts.get('edited', 0)} edited"
    if state == "ok":
        return logging.INFO, f"{source_key}: ok, {shown}"
    return logging.WARNING, f"{source_key}: {state}, {shown}: {reason!r}"


def build_scheduler(runner: Runner, sources: Sequence[Source]) -> BackgroundScheduler:
    """A scheduler with one job a source and one that sends; not started yet."""
    scheduler = BackgroundScheduler(
        timezone=SHANGHAI,
        executors={"default": ThreadPoolExecutor(4), "send": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE},
    )
    for source in sources:
        scheduler.add_job(
            runner.crawl,
            CronTrigger.from_crontab(source.crontab, timezone=SHANGHAI),
            args=[source],
            id=source.key,
            name=source.name_en,
        )
    scheduler.add_job(runner.send, "interval", seconds=SEND_EVERY, id="send", executor="send")
    scheduler.add_listener(_report_skipped, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
    return scheduler


def _report_skipped(event: JobExecutionEvent) -> None:
    if event.code == EVENT_JOB_MISSED:
        log.warning("%s: not run, it was due more than %d s ago", event.job_id, MISFIRE_GRACE)
    else:
        log.warning("%s: not run, the run before it is still going on", event.job_id)


def run(configuration: Configuration, command: Sequence[str]) -> int:
    """Run until Ctrl-C or SIGTERM; returns the exit code. Raises ConfigurationError and StoreError at start."""
    sources = list(configuration.load_sources().values())
    configuration.build_channels()
    open_engine(configuration.database_url).dispose()
    runner = Runner(configuration, command)
    scheduler = build_scheduler(runner, sources)
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    scheduler.start()
    log.info("watching %d sources; next: %s", len(sources), _next_runs(scheduler))
    stopped.wait()
    log.info("stopping")
    runner.stop()
    scheduler.shutdown(wait=True)
    log.info("stopped")
    return 0


def _next_runs(scheduler: BackgroundScheduler) -> str:
    jobs = sorted((job.next_run_time, job.id) for job in scheduler.get_jobs() if job.id != "send")
    return ", ".join(f"{name} at {time:%a %H:%M}" for time, name in jobs[:3])


def main() -> int:
    """`python scheduler.py [iprwatch.toml]`."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    for name in ("apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        configuration = load_configuration(path)
        options = ["--config", str(configuration.file)] if configuration.file else []
        return run(configuration, [sys.executable, "-m", "cli", *options])
    except IprwatchError as error:
        log.error("%s", error)
        return 2


if __name__ == "__main__":
    sys.exit(main())
