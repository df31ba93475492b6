"""A recorded web that a test writes page by page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.loopback import Said


def record(folder: Path, url: str, said: Said, fetched: str) -> None:
    """Write one answer to a URL, fetched at this time (with zone), for `crawl --replay`."""
    place = folder / f"{len(list(folder.glob('*')) if folder.exists() else []):03}"
    place.mkdir(parents=True)
    headers: Mapping[str, str] = {"Content-Type": "text/html; charset=utf-8", **said.headers}
    note = {"url": url, "status": said.status, "headers": dict(headers), "fetched": fetched}
    (place / "page.json").write_text(json.dumps(note, ensure_ascii=False), encoding="utf-8")
    (place / "page.html").write_bytes(said.body)
