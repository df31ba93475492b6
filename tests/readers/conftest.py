"""Recorded pages for the tests of the readers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from crawlers.page import Page

Recorded = Callable[[str], Page]


@pytest.fixture
def recorded(samples: Path) -> Recorded:
    """Reads a page of samples/ by its folder: `recorded("spp/date_trap")`."""

    def read(case: str) -> Page:
        folder = samples / case
        said = json.loads((folder / "page.json").read_text("utf-8"))
        body = next(path for path in folder.glob("page.*") if path.suffix != ".json")
        return Page(
            url=said["url"],
            body=body.read_bytes(),
            fetched_at=datetime.fromisoformat(said["fetched"]),
            status=said["status"],
            headers=said["headers"],
        )

    return read
