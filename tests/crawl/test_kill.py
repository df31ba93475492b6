"""Crawls that are killed at any moment; `benchmarks.kill` does the same many more times."""

from __future__ import annotations

from pathlib import Path

from benchmarks.kill import measure


def test_a_crawl_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    tally = measure(3, 60, tmp_path)
    assert tally.kills == 3
    assert tally.articles == tally.rounds * 60
    assert tally.is_clean, tally
