"""Runs the command `iprwatch` as a user would: another process, another folder."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 120  # seconds


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(folder: Path, **extra: str) -> dict[str, str]:
    """An environment without settings of the machine's own; warnings are errors."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IPRWATCH_")}
    return {**kept, "PYTHONWARNINGS": "error", "PYTHONUTF8": "1", "HOME": str(folder), **extra}


def iprwatch(*arguments: str | Path, cwd: Path, stdin: str | None = None, **extra: str) -> Ran:
    """Run `iprwatch` with these arguments in a folder; `extra` are environment variables.

    The process is a copy of one that has imported the command; `iprwatch_anew` starts it from nothing.
    """
    template = _template()
    assert template.stdin is not None
    assert template.stdout is not None
    with TemporaryDirectory() as name:
        streams = [Path(name, stream) for stream in ("in", "out", "err")]
        for path in streams:
            path.write_text(stdin or "" if path.name == "in" else "", encoding="utf-8")
        order = {
            "arguments": list(map(str, arguments)),
            "cwd": str(cwd),
            "env": environment(cwd, **extra),
            "streams": list(map(str, streams)),
        }
        template.stdin.write(json.dumps(order) + "\n")
        template.stdin.flush()
        answered, _, _ = select.select([template.stdout], [], [], LONGEST)
        code = template.stdout.readline() if answered else ""
        out, err = (path.read_text("utf-8") for path in streams[1:])
    if not code:
        _end(template)
        raise AssertionError(
            f"iprwatch {arguments} did not end in {LONGEST} s, or was never begun: {out}{err}"
        )
    return Ran(int(code), out, err)


def iprwatch_anew(*arguments: str | Path, cwd: Path, stdin: str | None = None, **extra: str) -> Ran:
    """The same in a process of its own from the start, as a shell would."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env=environment(cwd, **extra),
        timeout=LONGEST,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@cache
def _template() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.command_template"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment(ROOT),
        start_new_session=True,
    )
    atexit.register(_end, process)
    return process


def _end(template: subprocess.Popen[str]) -> None:
    """End the template, and with it a run that hangs."""
    if template.poll() is None:
        os.killpg(template.pid, signal.SIGKILL)
    template.communicate()
    _template.cache_clear()
