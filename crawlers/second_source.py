"""An article that one source brought appears in the list of another: rules that name the other must hear of it.

The article is not fetched again; its archived page is read with the other source's name and topics.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine, select, update

from crawlers.archive import Archive
from crawlers.source import Source
from crawlers.stored import read_again
from pipeline.alerts.rules import Rules
from pipeline.store.outbox_rows import NEW, Occurrence, find_deliveries
from pipeline.store.tables import Address, Delivery, Listed
from pipeline.store.write import insert_ignoring


def tell_second_source(engine: Engine, archive: Archive, rules: Rules, source: Source, address: str) -> int:
    """Write the outbox rows of rules that name this source or its topics, once; returns how many there are.

    Raises ArchiveError or what the reader raises; then the article stays untold and the next crawl tries again.
    """
    with engine.begin() as connection:
        item_id = connection.scalar(select(Address.item_id).where(Address.address == address))
        if item_id is None:
            return 0
        rows = []
        if named := rules.naming_sources():
            record, _ = read_again(connection, archive, item_id)
            context = replace(record.context, source_key=source.key, topics=source.topics)
            told = Occurrence(replace(record, context=context), item_id, NEW)
            (rows,) = find_deliveries(connection, [told], named)
            insert_ignoring(connection, Delivery, rows)
        connection.execute(
            update(Listed).where(Listed.source_key == source.key, Listed.address == address).values(told=True)
        )
    return len(rows)
