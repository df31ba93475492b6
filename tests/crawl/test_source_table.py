"""docs/sources.md says what the code knows."""

from __future__ import annotations

import tomllib
from pathlib import Path

from crawlers.source import Source, load_sources
from crawlers.source_table import write_table

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_page_of_sources_is_up_to_date() -> None:
    assert (ROOT / "docs/sources.md").read_text("utf-8") == write_table(), (
        "run: python -m crawlers.source_table > docs/sources.md"
    )


def test_who_is_not_watched_by_a_page_has_a_key_that_a_source_of_ones_own_can_take() -> None:
    sources = load_sources()
    unwatched = tomllib.loads((ROOT / "crawlers/unwatched.toml").read_text("utf-8"))
    example = sources["media_rouse"].model_dump()
    for key, table in unwatched.items():
        assert key not in sources
        assert Source.model_validate({**example, "key": key}).family == "wechat"
        assert table["name_zh"] not in {source.publisher_zh for source in sources.values()}
