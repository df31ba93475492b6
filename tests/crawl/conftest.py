"""Recorded webs and configurations that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.command import Ran, iprwatch

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


def furnish(folder: Path, samples: Path) -> Path:
    """Put iprwatch.toml and a copy of the samples as `web` into a folder."""
    (folder / "iprwatch.toml").write_text(CONFIGURATION, encoding="utf-8")
    shutil.copy(samples / "sources.toml", folder / "sources.toml")
    shutil.copytree(samples, folder / "web")
    return folder


@pytest.fixture
def office(tmp_path: Path, samples: Path) -> Path:
    """A folder with iprwatch.toml and a copy of the samples as `web`, for a test to change."""
    return furnish(tmp_path, samples)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> tuple[Path, Ran]:
    """Such a folder after a first crawl of everything, and what the crawl said; not for a test to change."""
    folder = furnish(tmp_path_factory.mktemp("crawled"), samples)
    return folder, iprwatch("crawl", "--replay", "web", "--json", cwd=folder)
