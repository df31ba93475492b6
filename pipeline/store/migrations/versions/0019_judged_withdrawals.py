"""What a person makes of pages of a source that are gone at once; keys of URLs with sessions, blanks or old names."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from pipeline.normalize import identify_url

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("withdrawal", sa.Column("judgement", sa.String(length=10), nullable=True))
    op.add_column("withdrawal", sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("withdrawal", sa.Column("judged_by", sa.Text(), nullable=True))
    op.add_column("withdrawal", sa.Column("judged_reason", sa.Text(), nullable=True))
    # Those whose alerts are held back wait for a word; an alert of an earlier withdrawal of the item was not.
    op.execute(
        """
        UPDATE withdrawal SET judgement = 'open'
        WHERE confirmed_at IS NOT NULL AND returned_at IS NULL AND EXISTS (
            SELECT 1 FROM delivery
            WHERE delivery.item_id = withdrawal.item_id AND delivery.event LIKE 'withdrawn%' AND delivery.state = 'held'
        )
        """
    )
    _renew_keys()


def _renew_keys() -> None:
    """Only what had no site's id can have one now. An item is also met under its new key and keeps its old one."""
    connection = op.get_bind()
    known = sa.table("address", sa.column("address"), sa.column("item_id"))
    item = sa.table("item", sa.column("id"), sa.column("identity"), sa.column("url"))
    old = connection.execute(sa.select(item.c.id, item.c.url).where(item.c.identity.startswith("url:"))).all()
    for row in old:
        key = identify_url(row.url)
        if connection.scalar(sa.select(known.c.item_id).where(known.c.address == key)) is None:
            connection.execute(sa.insert(known).values(address=key, item_id=row.id))
    for name in ("listed", "filtered", "inbox_link"):
        own: list[sa.ColumnClause[Any]] = [sa.column("source_key")] if name == "listed" else []
        table = sa.table(name, sa.column("address"), sa.column("url"), *own)
        for row in connection.execute(sa.select(*table.c).where(table.c.address.startswith("url:"))).all():
            key = identify_url(row.url)
            same_list = [table.c.source_key == row.source_key] if own else []
            if key == row.address:
                continue
            taken = connection.scalar(sa.select(table.c.address).where(table.c.address == key, *same_list))
            change: Any = sa.update(table).values(address=key) if taken is None else sa.delete(table)
            connection.execute(change.where(table.c.address == row.address, *same_list))
