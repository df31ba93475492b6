"""The scheduler: when it runs what, what it logs, and that it ends when told."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from configuration import load_configuration
from crawlers.source import load_sources
from scheduler import Runner, build_scheduler, summarise
from tests.command import environment

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROOT = Path(__file__).resolve().parent.parent


def test_every_source_is_due_in_chinese_time_and_on_the_days_it_names(tmp_path: Path) -> None:
    runner = Runner(load_configuration(None, data=tmp_path), ["true"])
    sources = load_sources()
    scheduler = build_scheduler(runner, list(sources.values()))
    scheduler.start(paused=True)
    jobs = scheduler.get_jobs()
    scheduler.shutdown()
    friday_evening = datetime(2026, 11, 20, 20, 0, tzinfo=SHANGHAI)
    for job in jobs:
        if job.id == "send":
            continue
        due = job.trigger.get_next_fire_time(None, friday_evening)
        assert due.utcoffset().total_seconds() == 8 * 3600
        if sources[job.id].crontab.endswith("mon-fri"):
            assert due.weekday() == 0, job.id
        assert job.coalesce
        assert job.max_instances == 1
        assert job.misfire_grace_time >= 3600


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
    runner = Runner(load_configuration(file), ["true"])
    runner.send()
    runner.send()
    told = [json.loads(line)["title"] for line in (tmp_path / "alerts.jsonl").read_text("utf-8").splitlines()]
    assert told == ["The WeChat session ends in less than 2 days"]


@pytest.mark.parametrize(
    ("output", "level", "words"),
    [
        (
            {"state": "ok", "reason": None, "counts": {"links": 20, "new": 2}},
            logging.INFO,
            "ok, 20 links, 2 new",
        ),
        ({"state": "blocked", "reason": "http 412", "counts": {}}, logging.WARNING, "blocked"),
    ],
)
def test_a_run_is_one_line_that_says_what_happened(output: dict[str, object], level: int, words: str) -> None:
    found = summarise("court_x", 0, json.dumps({"sources": [output]}), "")
    assert found[0] == level
    assert words in found[1]


@pytest.mark.parametrize("output", ["", "{}", "null", '{"sources": []}', "Traceback"])
def test_a_crawl_that_said_nothing_is_an_error_whatever_its_exit_code(output: str) -> None:
    level, line = summarise("court_x", 0, output, "first\nlast\nwords")
    assert level == logging.ERROR
    assert "words" in line


def test_a_reason_cannot_forge_a_second_log_line() -> None:
    run = {"state": "changed", "reason": "a\n2026-11-20 INFO court_y: ok", "counts": {}}
    assert "\n" not in summarise("court_x", 1, json.dumps({"sources": [run]}), "")[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_told(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "iprwatch.toml").write_text('contact = "monitor@example.org"\n', encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "scheduler.py")],
        cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stderr is not None
    first = process.stderr.readline()
    process.send_signal(number)
    try:
        _, rest = process.communicate(timeout=20)
    finally:
        process.kill()
    assert "watching" in first
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
        "import sys; sys.argv[1:] = ['--config', %r, *sys.argv[1:], '--replay', %r, '--alert-baseline'];"
        "import cli; cli.main()" % (str(tmp_path / "iprwatch.toml"), str(samples)),
    ]  # fmt: skip
    runner = Runner(configuration, command)
    (source,) = configuration.load_sources().values()
    runner.crawl(source)
    assert not (tmp_path / "alerts.jsonl").exists()
    runner.send()
    alerts = (tmp_path / "alerts.jsonl").read_text("utf-8").splitlines()
    assert len(alerts) == 4
    runner.send()
    assert (tmp_path / "alerts.jsonl").read_text("utf-8").splitlines() == alerts


def test_a_wrong_configuration_ends_it_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "iprwatch.toml").write_text("delay = 'soon'", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(ROOT / "scheduler.py")],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, encoding="utf-8", timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "iprwatch.toml: delay" in done.stderr
    assert "Traceback" not in done.stderr


def test_stopping_ends_a_running_crawl(tmp_path: Path) -> None:
    configuration = load_configuration(None, data=tmp_path)
    runner = Runner(configuration, [sys.executable, "-c", "import time; time.sleep(60)"])
    source = next(iter(load_sources().values()))
    thread = threading.Thread(target=runner.crawl, args=[source])
    thread.start()
    deadline = time.monotonic() + 10
    while not runner.is_busy and time.monotonic() < deadline:
        time.sleep(0.02)
    runner.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
