"""Stored items as the records that crawls make: as they were stored, or as today's reader reads their archived page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from crawlers.archive import Archive
from crawlers.attachments import restore_attachments
from crawlers.notice import Attachment, ListEntry, Notice
from crawlers.page import Page
from crawlers.readers import reader_for
from pipeline import interpret
from pipeline.record import Context, Record
from pipeline.store.standing import read_facts
from pipeline.store.tables import Item, Snapshot, Version


def read_stored(connection: Connection, item_id: int) -> Record:
    """The record of an item as it is stored, the texts of its attachments with it, and its facts as people see them; no
    page is read for it."""
    item: Any = connection.execute(select(Item).where(Item.id == item_id)).one()
    facts = read_facts(connection, item_id)
    notice = Notice(
        reader=item.reader,
        url=item.url,
        title=item.title,
        publisher=item.publisher,
        author=item.author,
        dates=(),
        body=item.body,
        links=tuple(item.links),
        attachments=tuple(Attachment(**file) for file in item.attachments),
        identity=item.identity,
        entry=None,
        fetched_at=item.last_seen_at,
        sha256="",
        body_note=item.body_note,
        images=tuple(item.images),
    )
    return Record(
        notice=notice,
        context=_context_of(item, baseline=False, status=0, headers={}),
        identity=item.identity,
        addresses=(item.identity,),
        title=item.title,
        publisher=item.publisher,
        body=item.body,
        content_sha256=item.content_sha256,
        facts=facts["body"],
        title_facts=facts["title"],
    )


def read_again(connection: Connection, archive: Archive, item_id: int) -> tuple[Record, int]:
    """The record that today's reader and steps make of an item's newest version, and that version's row.

    Attachments that were fetched are read again too, from the archive.

    Raises ArchiveError when the bytes are missing or damaged, and what the reader raises.
    """
    item: Any = connection.execute(select(Item).where(Item.id == item_id)).one()
    version: Any = connection.execute(
        select(Version.id, Version.snapshot_sha256)
        .where(Version.item_id == item_id)
        .order_by(Version.number.desc())
        .limit(1)
    ).one()
    snapshot: Any = connection.execute(
        select(Snapshot)
        .where(Snapshot.sha256 == version.snapshot_sha256, Snapshot.kind == "article")
        # The same bytes may have been served under other URLs too, for other items.
        .order_by(Snapshot.url != item.url, Snapshot.id)
        .limit(1)
    ).one()
    page = Page(
        snapshot.url,
        archive.open_page(snapshot.sha256),
        snapshot.fetched_at,
        snapshot.status,
        snapshot.headers,
    )
    entry = ListEntry.from_json(snapshot.entry) if snapshot.entry is not None else None
    notice = reader_for(page)[1].read_article(page, entry)
    notice = restore_attachments(notice, page, item.attachments, archive)
    context = _context_of(item, baseline=True, status=snapshot.status, headers=snapshot.headers)
    return interpret(notice, context), version.id


def _context_of(item: Any, *, baseline: bool, status: int, headers: Mapping[str, str]) -> Context:
    return Context(
        source_key=item.source_key,
        publisher_zh=item.publisher_zh,
        publisher_en=item.publisher_en,
        topics=tuple(item.topics),
        run_id=item.run_id,
        baseline=baseline,
        status=status,
        headers=headers,
    )
