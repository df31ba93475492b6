"""Rechecks, withdrawals, items that turn out to be one, and keys without `www.` and tracking parameters."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from pipeline.normalize import identify_url
from pipeline.store.columns import UtcDateTime
from pipeline.store.rechecks import next_due

revision = "0008"
down_revision = "0007"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BATCH = 1000
# The keys that are made of a URL, and that www. and tracking parameters were part of.
MADE_OF_URLS = ("url:", "trs:", "hanweb:", "chinacourt:")


def upgrade() -> None:
    op.create_table(
        "recheck",
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_recheck_item_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_recheck")),
    )
    op.create_index("ix_recheck_source_key_due_at", "recheck", ["source_key", "due_at"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seen_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_sha256", sa.String(length=64), nullable=True),
        sa.Column("control_url", sa.Text(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_withdrawal_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
    )
    op.create_index(op.f("ix_withdrawal_item_id"), "withdrawal", ["item_id"], unique=False)
    not_ended = sa.text("returned_at IS NULL")
    op.create_index(
        "ix_withdrawal_open",
        "withdrawal",
        ["item_id"],
        unique=True,
        sqlite_where=not_ended,
        postgresql_where=not_ended,
    )
    op.add_column("listed", sa.Column("gone_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("item", sa.Column("same_as", BIG_ID, nullable=True))
    _plan_rechecks()
    _add_addresses()
    for table in ("listed", "filtered", "inbox_link"):
        _renew_keys(table)


def _rows(*columns: sa.ColumnClause[Any]) -> Iterator[sa.Row[Any]]:
    """All rows in order of the first column, read in batches, so that they may be changed meanwhile."""
    last: Any = None
    while True:
        query = sa.select(*columns).order_by(columns[0]).limit(BATCH)
        rows = op.get_bind().execute(query if last is None else query.where(columns[0] > last)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1][0]


def _plan_rechecks() -> None:
    item = sa.table(
        "item", sa.column("id"), sa.column("source_key"), sa.column("first_seen_at", UtcDateTime())
    )
    recheck = sa.table(
        "recheck", sa.column("item_id"), sa.column("source_key"), sa.column("due_at", UtcDateTime())
    )
    now = datetime.now(UTC)
    for row in _rows(item.c.id, item.c.source_key, item.c.first_seen_at):
        op.get_bind().execute(
            sa.insert(recheck).values(
                item_id=row.id, source_key=row.source_key, due_at=next_due(row.first_seen_at, now)
            )
        )


def _add_addresses() -> None:
    item = sa.table("item", sa.column("id"), sa.column("url"))
    address = sa.table("address", sa.column("address"), sa.column("item_id"))
    for row in _rows(item.c.id, item.c.url):
        key = identify_url(row.url)
        known = op.get_bind().scalar(sa.select(address.c.item_id).where(address.c.address == key))
        if known is None:
            op.get_bind().execute(sa.insert(address).values(address=key, item_id=row.id))


def _renew_keys(name: str) -> None:
    own: list[sa.ColumnClause[Any]] = [sa.column("source_key")] if name == "listed" else []
    table = sa.table(name, sa.column("address"), sa.column("url"), *own)
    connection = op.get_bind()
    old = connection.execute(
        sa.select(*table.c).where(sa.or_(*(table.c.address.startswith(start) for start in MADE_OF_URLS)))
    ).all()
    for row in old:
        key = identify_url(row.url)
        if key == row.address:
            continue
        same_list = [table.c.source_key == row.source_key] if own else []
        if connection.scalar(sa.select(table.c.address).where(table.c.address == key, *same_list)) is None:
            change: Any = sa.update(table).values(address=key)
        else:
            change = sa.delete(table)
        connection.execute(change.where(table.c.address == row.address, *same_list))
