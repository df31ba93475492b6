"""What was left out by topic, as people look through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, func, select

from pipeline.store.tables import Filtered


def list_filtered(engine: Engine, sources: Sequence[str], *, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """How many there are, and the newest of them; `published_on` is an ISO day or None."""
    conditions = [Filtered.source_key.in_(sources)] if sources else []
    query = (
        select(Filtered.source_key, Filtered.url, Filtered.title, Filtered.published_on, Filtered.reason)
        .where(*conditions)
        .order_by(Filtered.first_seen_at.desc(), Filtered.address)
        .limit(limit)
    )
    with engine.connect().execution_options(read_only=True) as connection:
        total = connection.scalar(select(func.count()).select_from(Filtered).where(*conditions)) or 0
        rows = [
            {
                "source_key": row.source_key,
                "url": row.url,
                "title": row.title,
                "published_on": row.published_on.isoformat() if row.published_on else None,
                "reason": row.reason,
            }
            for row in connection.execute(query)
        ]
    return total, rows
