"""The scheduler: when it crawls what, what it logs, and that it ends when told."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import OperationalError

import scheduler
from configuration import Configuration, load_configuration
from crawl_process import Ended
from crawlers.lease_keeper import LeaseKeeper
from crawlers.source import load_sources
from crawlers.timetable import due_sources
from pipeline.dates import SHANGHAI
from pipeline.store.lease import Lease, acquire, release
from pipeline.store.runs import RunState
from pipeline.store.tables import Run
from scheduler import Runner, build_scheduler, describe_run
from tests.command import environment

ROOT = Path(__file__).resolve().parent.parent
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=SHANGHAI)
DONE = Ended(0, "", overdue=False)
SOURCES = """
[court_first]
reader = "court_gov"
url = "https://www.example.org/1"
name_zh = "一"
name_en = "First"
publisher_zh = "某院"
publisher_en = "Some court"
topics = []
crontab = "* * * * *"
least = 0
proven = false

[court_second]
reader = "court_gov"
url = "https://www.example.org/2"
name_zh = "二"
name_en = "Second"
publisher_zh = "某院"
publisher_en = "Some court"
topics = []
crontab = "0 9 * * *"
least = 0
proven = false
"""
HOST = "www.example.org"


@pytest.fixture
def configuration(tmp_path: Path, database_url: str) -> Configuration:
    """Two sources of one host, on each database."""
    (tmp_path / "sources.toml").write_text(SOURCES, encoding="utf-8")
    (tmp_path / "iprwatch.toml").write_text(
        f'built_in_sources = false\nsource_files = ["sources.toml"]\ndatabase = "{database_url}"\n'
        'contact = "monitor@example.org"\n',
        encoding="utf-8",
    )
    return load_configuration(tmp_path / "iprwatch.toml")


def note_run(engine: Engine, key: str, started_at: datetime, state: str = "ok") -> None:
    """A run row as a crawl leaves it; a killed one has no end."""
    ended = None if state == "running" else started_at
    with engine.begin() as connection:
        connection.execute(
            insert(Run).values(
                source_key=key, started_at=started_at, finished_at=ended, list_read_at=ended, state=state,
                reason=None, baseline=False, counts={},
            )
        )  # fmt: skip


class Crawls:
    """Stands for the processes of crawls: does `act` with the keys that one is asked for."""

    def __init__(self, act: Callable[[list[str]], Ended]) -> None:
        self._act = act
        self.asked: list[list[str]] = []

    def __call__(self, arguments: Sequence[str], _command: Sequence[str]) -> Any:
        keys = [argument for argument in arguments if argument.startswith("court_")]
        self.asked.append(keys)
        crawls = self

        class Process:
            def wait(self, _time_limit: float) -> Ended:
                return crawls._act(keys)

        return Process()


@pytest.fixture
def crawls(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crawls]:
    """Crawls that leave a run row for each source, begun at noon."""

    def act(keys: list[str]) -> Ended:
        for key in keys:
            note_run(engine, key, NOON)
        return DONE

    fake = Crawls(act)
    monkeypatch.setattr(scheduler, "CrawlProcess", fake)
    return fake


def runner_at(configuration: Configuration, engine: Engine, moment: datetime = NOON) -> Runner:
    return Runner(configuration, engine, now=lambda: moment)


def test_every_source_is_due_in_chinese_time_and_on_the_days_it_names(tmp_path: Path) -> None:
    configuration = load_configuration(None, data=tmp_path)
    sources = load_sources()
    built = build_scheduler(Runner(configuration, configuration.open_store()), list(sources.values()))
    built.start(paused=True)
    jobs = {job.id: job for job in built.get_jobs()}
    built.shutdown()
    friday_evening = datetime(2026, 11, 20, 23, 0, tzinfo=SHANGHAI)
    for key, source in sources.items():
        due = jobs[key].trigger.get_next_fire_time(None, friday_evening)
        assert due.utcoffset().total_seconds() == 8 * 3600
        if source.crontab.endswith("mon-fri"):
            assert due.weekday() == 0, key
        assert jobs[key].coalesce
        assert jobs[key].misfire_grace_time is None
        # What was missed while nothing ran is looked for at the start.
        assert f"start {source.host}" in jobs


def test_what_is_due_is_crawled_once_whatever_was_missed(
    configuration: Configuration, engine: Engine, crawls: Crawls
) -> None:
    note_run(engine, "court_first", NOON - timedelta(days=30))
    note_run(engine, "court_second", NOON - timedelta(hours=2))
    runner = runner_at(configuration, engine)
    assert runner.crawl_due(HOST)
    assert runner.crawl_due(HOST)
    assert crawls.asked == [["court_first"]]


def test_sources_of_one_host_are_crawled_by_one_process(
    configuration: Configuration, engine: Engine, crawls: Crawls
) -> None:
    assert runner_at(configuration, engine).crawl_due(HOST)
    assert crawls.asked == [["court_first", "court_second"]]


def test_what_becomes_due_during_a_crawl_is_crawled_after_it(
    configuration: Configuration, engine: Engine, crawls: Crawls
) -> None:
    note_run(engine, "court_second", NOON)
    present = {"moment": NOON}

    def take_a_minute(keys: list[str]) -> Ended:
        note_run(engine, keys[0], present["moment"])
        present["moment"] = NOON + timedelta(seconds=61)
        return DONE

    crawls._act = take_a_minute
    assert Runner(configuration, engine, now=lambda: present["moment"]).crawl_due(HOST)
    assert crawls.asked == [["court_first"], ["court_first"]]


def test_a_killed_crawl_is_an_error_and_is_tried_again_a_few_times(
    configuration: Configuration, engine: Engine, crawls: Crawls, caplog: pytest.LogCaptureFixture
) -> None:
    note_run(engine, "court_second", NOON)

    def die(keys: list[str]) -> Ended:
        note_run(engine, keys[0], NOON, "running")
        return Ended(-9, "", overdue=False)

    crawls._act = die
    runner = runner_at(configuration, engine)
    assert [runner.crawl_due(HOST) or runner.may_retry(HOST) for _ in range(4)] == [True, True, True, False]
    assert len(crawls.asked) == 4
    assert "court_first: the crawl was killed (exit code -9)" in caplog.text


def test_a_crawl_that_did_not_begin_is_an_error_with_its_last_words(
    configuration: Configuration, engine: Engine, crawls: Crawls, caplog: pytest.LogCaptureFixture
) -> None:
    crawls._act = lambda _keys: Ended(1, "Traceback\nMemoryError: no\n", overdue=False)
    assert not runner_at(configuration, engine).crawl_due(HOST)
    assert "ERROR" in caplog.text
    assert "MemoryError: no" in caplog.text


def test_a_host_that_another_process_crawls_is_left_to_it_and_looked_at_later(
    configuration: Configuration, engine: Engine, crawls: Crawls, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lease = acquire(engine, HOST, "process 7 on elsewhere")
    crawls._act = lambda _keys: Ended(1, "", overdue=False)
    runner = runner_at(configuration, engine)
    assert not runner.crawl_due(HOST)
    assert "is being crawled by process 7 on elsewhere" in caplog.text
    assert "ERROR" not in caplog.text

    def other_was_first(keys: list[str]) -> Ended:
        for key in keys:
            note_run(engine, key, NOON)
        return DONE

    assert isinstance(lease, Lease)
    release(engine, [lease])
    crawls._act = other_was_first
    assert runner.crawl_due(HOST)


def test_two_schedulers_crawl_each_time_once(
    configuration: Configuration, engine: Engine, crawls: Crawls
) -> None:
    """As crawls do it: the lease first, then a second look at what is due."""
    ticks = [NOON + timedelta(minutes=number) for number in range(60)]
    note_run(engine, "court_second", ticks[-1])
    sources = configuration.load_sources()
    present = {"tick": ticks[0]}

    def crawl(keys: list[str]) -> Ended:
        with LeaseKeeper(engine) as keeper:
            assert not keeper.take([HOST], wait=lambda _seconds: time.sleep(0.001))
            for source in due_sources(engine, [sources[key] for key in keys], present["tick"]):
                note_run(engine, source.key, present["tick"])
        return DONE

    crawls._act = crawl

    def advance() -> None:
        present["tick"] = next(times)

    times = iter(ticks)
    together = threading.Barrier(2, action=advance)
    failures: list[BaseException] = []

    def schedule() -> None:
        runner = Runner(configuration, engine, now=lambda: present["tick"])
        try:
            for _ in ticks:
                together.wait(60)
                assert runner.crawl_due(HOST)
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(error)
            together.abort()

    threads = [threading.Thread(target=schedule) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with engine.connect() as connection:
        query = select(func.count(), func.count(Run.started_at.distinct()))
        assert connection.execute(query.where(Run.source_key == "court_first")).one() == (60, 60)


def test_a_session_is_counted_down_whether_a_crawl_is_due_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = datetime.now(SHANGHAI) + timedelta(hours=30)
    monkeypatch.setenv("SECRET", "x")
    file = tmp_path / "iprwatch.toml"
    file.write_text(
        'operators = [{ channel = "log" }]\n[channels.log]\nkind = "file"\npath = "alerts.jsonl"\n'
        f'[wechat]\ncookie = {{ env = "SECRET" }}\ntoken = {{ env = "SECRET" }}\nexpires = "{soon.isoformat()}"\n',
        "utf-8",
    )
    configuration = load_configuration(file)
    store = configuration.open_store()
    runner = Runner(configuration, store)
    runner.look_after()
    runner.look_after()
    store.dispose()
    told = [json.loads(line)["title"] for line in (tmp_path / "alerts.jsonl").read_text("utf-8").splitlines()]
    assert told == ["The WeChat session ends in less than 2 days"]


def test_a_database_that_is_locked_while_a_session_is_counted_down_is_a_log_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(scheduler, "announce_end", fail)
    monkeypatch.setenv("SECRET", "x")
    file = tmp_path / "iprwatch.toml"
    file.write_text(
        '[wechat]\ncookie = { env = "SECRET" }\ntoken = { env = "SECRET" }\nexpires = "2099-01-01T00:00:00Z"\n',
        "utf-8",
    )
    configuration = load_configuration(file)
    store = configuration.open_store()
    Runner(configuration, store).look_after()
    store.dispose()
    assert [record.message for record in caplog.records] == ["WeChat session: database is locked"]


@pytest.mark.parametrize(
    ("run", "level", "words"),
    [
        (RunState(1, "ok", None, {"links": 20, "new": 2}), logging.INFO, "ok, 20 links, 2 new"),
        (RunState(1, "blocked", "http 412", {}), logging.WARNING, "blocked"),
        (RunState(1, "changed", "a\n2026-11-20 INFO court_y: ok", {}), logging.WARNING, "changed"),
        (RunState(1, "running", None, {}), logging.ERROR, "killed"),
    ],
)
def test_a_run_is_one_line_that_says_what_its_row_says(run: RunState, level: int, words: str) -> None:
    found = describe_run("court_x", run, Ended(0, "", overdue=False))
    assert found[0] == level
    assert words in found[1]
    assert "\n" not in found[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_told(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "sources.toml").write_text(SOURCES.replace("* * * * *", "0 9 1 1 *"), encoding="utf-8")
    (tmp_path / "iprwatch.toml").write_text(
        'contact = "monitor@example.org"\nbuilt_in_sources = false\nsource_files = ["sources.toml"]\n',
        encoding="utf-8",
    )
    store = load_configuration(tmp_path / "iprwatch.toml").open_store()
    for key in ("court_first", "court_second"):
        note_run(store, key, datetime.now(UTC) + timedelta(minutes=30))
    store.dispose()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "scheduler.py")],
        cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stderr is not None
    first = process.stderr.readline()
    process.send_signal(number)
    try:
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "watching 2 sources" in first
    assert process.returncode == 0, rest
    assert "stopped" in rest


def test_a_due_source_is_crawled_and_its_alerts_are_sent(tmp_path: Path, samples: Path) -> None:
    (tmp_path / "iprwatch.toml").write_text(
        f"""contact = "monitor@example.org"
built_in_sources = false
source_files = ["{samples / "sources.toml"}"]
[channels.log]
kind = "file"
path = "alerts.jsonl"
[[rules]]
name = "all"
send = [{{ channel = "log" }}]
""",
        encoding="utf-8",
    )
    configuration = load_configuration(tmp_path / "iprwatch.toml")
    # The crawl itself runs on the recorded web; everything else is as scheduled.
    command = [
        sys.executable, "-c",
        "import sys; sys.argv += ['--replay', %r, '--alert-baseline']; import crawl_process; crawl_process.main()"
        % str(samples),
    ]  # fmt: skip
    engine = configuration.open_store()
    runner = Runner(configuration, engine, command=command)
    (source,) = configuration.load_sources().values()
    assert runner.crawl_due(source.host)
    assert not (tmp_path / "alerts.jsonl").exists()
    runner.send_due()
    alerts = (tmp_path / "alerts.jsonl").read_text("utf-8").splitlines()
    assert len(alerts) == 4
    runner.send()
    assert (tmp_path / "alerts.jsonl").read_text("utf-8").splitlines() == alerts
    engine.dispose()


@pytest.mark.parametrize(
    ("text", "words"),
    [("delay = 'soon'", "iprwatch.toml: delay"), ("built_in_sources = false", "No source is configured")],
)
def test_a_wrong_configuration_ends_it_with_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "iprwatch.toml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(ROOT / "scheduler.py")],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "iprwatch-data").exists()


def test_a_clock_that_is_set_back_lets_every_job_look_again(
    configuration: Configuration,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(scheduler, "LOOK_EVERY", 0.01)
    jobs = build_scheduler(Runner(configuration, engine), list(configuration.load_sources().values()))
    jobs.start(paused=True)
    stopped = threading.Event()
    times = iter([NOON, NOON + timedelta(minutes=1), NOON - timedelta(hours=8)])

    def now() -> datetime:
        moment = next(times, None)
        if moment is None:
            stopped.set()
        return moment or NOON

    scheduler._watch_clock(jobs, stopped, now)
    planned = {job.next_run_time for job in jobs.get_jobs()}
    jobs.shutdown()
    assert planned == {NOON - timedelta(hours=8)}
    assert [record.message for record in caplog.records if "clock" in record.message] == [
        "the clock was set back by 28860 s: everything is looked at again"
    ]


def test_a_database_that_fails_at_the_start_is_one_sentence(
    configuration: Configuration,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(scheduler, "check_sources", fail)
    monkeypatch.setattr(scheduler, "set_up_log", lambda: None)
    monkeypatch.setattr(sys, "argv", ["scheduler.py", str(configuration.file)])
    assert scheduler.main() == 2
    assert "the database failed: database is locked" in caplog.text


def test_stopping_ends_a_running_crawl(configuration: Configuration, engine: Engine) -> None:
    runner = Runner(configuration, engine, command=[sys.executable, "-c", "import time; time.sleep(60)"])
    thread = threading.Thread(target=runner.crawl_due, args=[HOST])
    thread.start()
    deadline = time.monotonic() + 30
    while not runner.is_busy and time.monotonic() < deadline:
        time.sleep(0.02)
    runner.stop()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert runner.crawl_due(HOST)
