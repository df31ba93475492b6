"""`make demo` and `make test`, with programs in the place of Python and iprwatch that tell how they were called."""

from __future__ import annotations

import os
import subprocess
import sys
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


def test_the_tests_end_with_what_they_skipped(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_terminal_summary\n", "utf-8")
    (tmp_path / "test_skipped.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef server():\n    pytest.skip('no PostgreSQL: set it')\n\n"
        "@pytest.mark.parametrize('n', range(3))\ndef test_a(server, n): ...\n\ndef test_b(server): ...\n",
        "utf-8",
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "4 tests skipped: no PostgreSQL: set it" in ran.stdout.splitlines()
