"""Every page that came is kept: its bytes in the archive, then a row that says where they came from."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from sqlalchemy import Engine, insert

from crawlers.archive import Archive
from crawlers.notice import ListEntry
from crawlers.page import Page
from crawlers.runs import Watch
from pipeline.store.tables import Snapshot


class PageKeeper:
    """Keeps the pages of a crawl, in threads: the disk and the database hold up no other page."""

    def __init__(self, engine: Engine, archive: Archive) -> None:
        self._engine = engine
        self._archive = archive

    async def keep(self, page: Page) -> None:
        """Keep the bytes of a page, before any row refers to them. Raises ArchiveError."""
        await asyncio.to_thread(self._archive.keep, page.sha256, page.body)

    async def note(
        self, page: Page, watch: Watch, kind: str, detail: str | None, entry: ListEntry | None = None
    ) -> None:
        """Write the row of a page whose bytes are kept; those of articles and lists are written with what they show."""
        await asyncio.to_thread(self._write, self.describe(page, watch, kind, detail, entry))

    def describe(
        self, page: Page, watch: Watch, kind: str, detail: str | None, entry: ListEntry | None = None
    ) -> dict[str, object]:
        """The row of a page in the table `snapshot`."""
        return {
            "sha256": page.sha256,
            "url": page.url,
            "source_key": watch.source.key,
            "kind": kind,
            "status": page.status,
            "headers": dict(page.headers),
            "entry": asdict(entry) if entry else None,
            "detail": detail,
            "fetched_at": page.fetched_at,
            "run_id": watch.run_id,
        }

    def _write(self, row: dict[str, object]) -> None:
        with self._engine.begin() as connection:
            connection.execute(insert(Snapshot).values(row))
