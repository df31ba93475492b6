"""docs/sources.md says what the code knows."""

from __future__ import annotations

from pathlib import Path

from crawlers.source_table import write_table

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_page_of_sources_is_up_to_date() -> None:
    assert (ROOT / "docs/sources.md").read_text("utf-8") == write_table(), (
        "run: python -m crawlers.source_table > docs/sources.md"
    )
