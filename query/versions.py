"""The versions of an item, each with what changed from the one before, as people read it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from pipeline.dedupe import Text
from pipeline.dedupe.changes import find_changes, render_change, summarise_changes
from pipeline.store.lookup import find_item
from pipeline.store.tables import Version


def list_versions(engine: Engine, given: str) -> list[dict[str, Any]]:
    """The versions of an item (its id, the beginning of it, or its URL), the first copy first.

    Each has `number`, `fetched_at` (ISO, UTC), `reason`, `title`, `snapshot_sha256` (the bytes it was read from),
    `summary`, and `changes` against the version before: field, paragraph, what stands before, what was removed and
    added, what stands after, and `text`, all of it on one line. Raises NoSuchItem.
    """
    with engine.connect().execution_options(read_only=True) as connection:
        item_id = find_item(connection, given)
        rows = connection.execute(
            select(
                Version.number, Version.title, Version.body, Version.fetched_at, Version.reason,
                Version.snapshot_sha256,
            )
            .where(Version.item_id == item_id)
            .order_by(Version.number)
        ).all()  # fmt: skip
    texts = [Text(row.title, row.body, None) for row in rows]
    found = [(), *(find_changes(old, new) for old, new in zip(texts, texts[1:], strict=False))]
    return [
        {
            "number": row.number,
            "fetched_at": row.fetched_at.isoformat(),
            "reason": row.reason,
            "title": row.title,
            "snapshot_sha256": row.snapshot_sha256,
            "summary": summarise_changes(changes),
            "changes": [{**change.describe(), "text": render_change(change)} for change in changes],
        }
        for row, changes in zip(rows, found, strict=True)
    ]
