"""Versions: whether what was read is a new one of what is stored, and its row."""

from __future__ import annotations

from typing import Any

from pipeline.dedupe import Text, compare
from pipeline.record import Record


def find_edit(title: str, body: str, reader: str, record: Record) -> str | None:
    """Why a record is a new version of the stored title and body, in one sentence; None where it is none.

    A text that another reader took from elsewhere (a feed that brings articles whole) is framed otherwise: there only
    another wording is an edit.
    """
    found = compare(Text(title, body, record.identity), Text(record.title, record.body, record.identity))
    if found.verdict != "edited":
        return None
    if reader != record.notice.reader:
        copies = compare(Text(title, body, None), Text(record.title, record.body, None))
        if copies.verdict == "repost":
            return None
    return found.reason


def version_row(record: Record, item_id: int, number: int, reason: str) -> dict[str, Any]:
    """The row of a version."""
    return {
        "item_id": item_id,
        "number": number,
        "title": record.title,
        "body": record.body,
        "content_sha256": record.content_sha256,
        "snapshot_sha256": record.notice.sha256,
        "fetched_at": record.notice.fetched_at,
        "reason": reason,
    }
