"""A crawl's process: it ends with its parent and when its time is up, and runs our modules wherever it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import crawl_process
from crawl_process import CrawlProcess

# What a child does once it is tied to its parent: says that it is ready, and waits to be told.
CHILD = """
import signal, sys, time, pathlib, crawl_process
crawl_process.die_with(int(sys.argv[1]))
if sys.argv[3] == "polite":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to end"))
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[2]).write_text(str(__import__("os").getpid()))
time.sleep(60)
"""
PARENT = """
import sys
from crawl_process import CrawlProcess
CrawlProcess([sys.argv[1], "polite"], [sys.executable, "-c", sys.argv[2]]).wait(60)
"""


def await_file(path: Path) -> int:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


def is_gone(number: int) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.kill(number, 0)
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends a child with its parent")
def test_a_crawl_ends_with_the_process_that_started_it_even_when_that_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "child"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(note), CHILD])
    child = await_file(note)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert is_gone(child)


@pytest.mark.parametrize(("manner", "code"), [("polite", 1), ("deaf", -signal.SIGKILL)])
def test_a_crawl_whose_time_is_up_is_asked_to_end_and_then_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manner: str, code: int
) -> None:
    # A polite child ends as soon as it is asked, however long it may take.
    monkeypatch.setattr(crawl_process, "STOP_WITHIN", 60 if manner == "polite" else 0.1)
    note = tmp_path / "child"
    process = CrawlProcess([str(note), manner], [sys.executable, "-c", CHILD])
    await_file(note)
    ended = process.wait(0.1)
    assert ended.overdue
    assert ended.code == code
    assert ("asked to end" in ended.errors) is (manner == "polite")


def test_modules_of_the_working_folder_do_not_take_the_place_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cli.py", "crawl_process.py"):
        (tmp_path / name).write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    ended = CrawlProcess(["--help"]).wait(60)
    assert (ended.code, ended.errors, ended.overdue) == (0, "", False)
