"""Runs the command `iprwatch` as a user would: another process, another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    """Run `iprwatch` with these arguments in a folder; `extra` are environment variables."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env=environment(cwd, **extra),
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
