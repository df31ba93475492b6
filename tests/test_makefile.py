"""`make demo` and `make test`, with programs in the place of Python and iprwatch that tell how they were called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TELL = "#!/bin/sh\necho called: \"$@\"\nenv | grep -i '^iprwatch_' || true\n"


def make(target: str, folder: Path, **environment: str) -> list[str]:
    """The lines that the programs called by a target print: how they were called, and iprwatch's variables."""
    (folder / "bin").mkdir()
    for name in ("python", "iprwatch"):
        program = folder / "bin" / name
        program.write_text(TELL, "utf-8")
        program.chmod(0o755)
    (folder / "installed").touch()
    ran = subprocess.run(
        ["make", "--no-print-directory", target, f"VENV={folder}"],
        cwd=ROOT, env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout.splitlines()


@pytest.mark.parametrize("target", ["demo", "test"])
def test_what_is_set_for_a_real_watch_reaches_neither_demo_nor_tests(target: str, tmp_path: Path) -> None:
    said = make(
        target, tmp_path,
        IPRWATCH_DATABASE="sqlite:///real.db", IPRWATCH_DATA="/real", IPRWATCH_CONFIG="real.toml",
        iprwatch_contact="real@example.org", IPRWATCH_TEST_POSTGRESQL="postgresql://of/tests",
    )  # fmt: skip
    told = {line for line in said if not line.startswith("called:")}
    assert told == {"IPRWATCH_TEST_POSTGRESQL=postgresql://of/tests"}
    assert len(said) > len(told)
