"""Runs the command `iprwatch` as a user would: another process, another folder."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def iprwatch(
    *arguments: str | Path, cwd: Path, stdin: str | None = None, first: str = "", **extra: str
) -> Ran:
    """Run `iprwatch` with these arguments in a folder; `first` is Python to run before it, `extra` are environment
    variables.

    The process is a copy of one that has imported the command; `iprwatch_anew` starts it from nothing.
    """
    return start(*arguments, cwd=cwd, stdin=stdin, first=first, **extra).wait()


def iprwatch_anew(*arguments: str | Path, cwd: Path, stdin: str | None = None, **extra: str) -> Ran:
    """The same in a process that is new from the start, as a shell would."""
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


def start(
    *arguments: str | Path, cwd: Path, stdin: str | None = None, first: str = "", **extra: str
) -> Running:
    """Begin a run as `iprwatch` does and don't wait for its end."""
    return Running("cli", arguments, cwd=cwd, env=environment(cwd, **extra), stdin=stdin or "", first=first)


class Running:
    """A run of a module as a program that has begun. `pid` is its process."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str | Path] = (),
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: str = "",
        first: str = "",
    ) -> None:
        self._template = _take_template()
        self._folder = TemporaryDirectory()
        self._streams = [Path(self._folder.name, name) for name in ("in", "out", "err")]
        for path, text in zip(self._streams, (stdin, "", ""), strict=True):
            path.write_text(text, encoding="utf-8")
        order = {
            "module": module,
            "arguments": list(map(str, arguments)),
            "cwd": str(cwd),
            "env": dict(env),
            "streams": list(map(str, self._streams)),
            "first": first,
        }
        assert self._template.stdin is not None
        self._template.stdin.write(json.dumps(order).encode() + b"\n")
        self.pid = self._read()

    @property
    def ended(self) -> bool:
        return bool(select.select([self._template.stdout], [], [], 0)[0])

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> Ran:
        """What it did; called once. A negative exit code is the signal that ended it."""
        code = self._read()
        out, err = (path.read_text("utf-8") for path in self._streams[1:])
        self._folder.cleanup()
        _free.append(self._template)
        return Ran(code, out, err)

    def _read(self) -> int:
        assert self._template.stdout is not None
        answered, _, _ = select.select([self._template.stdout], [], [], LONGEST)
        line = self._template.stdout.readline() if answered else b""
        if not line:
            _end(self._template)
            raise AssertionError(
                f"no answer in {LONGEST} s: {[path.read_text('utf-8') for path in self._streams]}"
            )
        return int(line)


# The process of `tests.command_template` while no run of it is unfinished.
_free: list[subprocess.Popen[bytes]] = []


def _take_template() -> subprocess.Popen[bytes]:
    if _free:
        return _free.pop()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.command_template"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env=environment(ROOT),
        start_new_session=True,
    )
    atexit.register(_end, process)
    return process


def _end(template: subprocess.Popen[bytes]) -> None:
    """End the template, and with it a run that hangs."""
    if template.poll() is None:
        os.killpg(template.pid, signal.SIGKILL)
    template.communicate()
