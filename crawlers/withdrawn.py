"""Who is to hear that an article was withdrawn: those whose rules match it, and those who were told of it before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from crawlers.notice import Attachment, Notice
from pipeline.alerts.rules import Rules
from pipeline.record import Context, Record
from pipeline.store.outbox_rows import Match, Occurrence, find_deliveries
from pipeline.store.standing import read_facts
from pipeline.store.tables import Delivery, Item


def withdrawal_rows(rules: Rules, item_id: int, connection: Connection, event: str) -> list[dict[str, Any]]:
    """The outbox rows for the event of a withdrawal.

    Those told before count even where their rule matches no longer, or names another source that listed the article;
    but their rule must still be there and ask for withdrawals.
    """
    told = connection.execute(
        select(Delivery.rule, Delivery.channel, Delivery.recipient)
        .where(Delivery.item_id == item_id, Delivery.rule.in_(rules.names_for(event)))
        .order_by(Delivery.created_at, Delivery.id)
    ).all()

    def match(record: Record, event: str) -> Iterable[Match]:
        before = (Match(row.rule, row.channel, row.recipient) for row in told)
        return dict.fromkeys((*rules(record, event), *before))

    withdrawn = Occurrence(read_stored(connection, item_id), item_id, event)
    (rows,) = find_deliveries(connection, [withdrawn], match)
    return rows


def read_stored(connection: Connection, item_id: int) -> Record:
    """The record of an item as it is stored, with its facts as people see them; no page is read for it."""
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
    context = Context(
        source_key=item.source_key,
        publisher_zh=item.publisher_zh,
        publisher_en=item.publisher_en,
        topics=tuple(item.topics),
        run_id=item.run_id,
        baseline=False,
        status=0,
        headers={},
    )
    return Record(
        notice=notice,
        context=context,
        identity=item.identity,
        addresses=(item.identity,),
        title=item.title,
        publisher=item.publisher,
        body=item.body,
        content_sha256=item.content_sha256,
        facts=facts["body"],
        title_facts=facts["title"],
    )
