"""Recorded webs and configurations that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

CONFIGURATION = """
data = "data"
source_files = ["sources.toml"]

[channels.log]
kind = "file"
path = "alerts.jsonl"

[[rules]]
name = "Trademarks"
words = ["商标"]
send = [{ channel = "log" }]
"""


@pytest.fixture
def office(tmp_path: Path, samples: Path) -> Path:
    """A folder with iprwatch.toml and a copy of the samples as `web`, for a test to change."""
    (tmp_path / "iprwatch.toml").write_text(CONFIGURATION, encoding="utf-8")
    shutil.copy(samples / "sources.toml", tmp_path / "sources.toml")
    shutil.copytree(samples, tmp_path / "web")
    return tmp_path
