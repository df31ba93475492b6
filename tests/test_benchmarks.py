"""Benchmarks that also count what must not be lost, in small: only their counts are asked for, no time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["benchmarks.kill", "--kills", "2", "--pages", "60"], id="killed crawls lose nothing"),
        pytest.param(["benchmarks.throughput", "--pages", "60"], id="crawls account for every page"),
    ],
)
def test_counts_of_benchmarks(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
