"""Corrections by people, and what facts are found by."""

import sqlalchemy as sa
from alembic import op

from pipeline.legal.fact_key import fact_key
from pipeline.store.columns import ExactAmount

revision = "0003"
down_revision = "0002"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AMOUNT = sa.Numeric(30, 4).with_variant(sa.String(31), "sqlite")
BATCH = 1000


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("target", sa.String(length=10), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=True),
        sa.Column("field", sa.String(length=10), nullable=True),
        sa.Column("start", sa.Integer(), nullable=True),
        sa.Column("end", sa.Integer(), nullable=True),
        sa.Column("was", sa.String(length=300), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("displaced", sa.JSON(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_correction_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_item_id"), "correction", ["item_id"], unique=False)
    op.add_column("fact", sa.Column("key", sa.String(length=300), nullable=True))
    op.add_column("fact", sa.Column("court", sa.String(length=300), nullable=True))
    op.add_column("fact", sa.Column("amount", AMOUNT, nullable=True))
    _fill_keys()
    op.create_index("ix_fact_kind_key_amount", "fact", ["kind", "key", "amount"], unique=False)
    op.create_index("ix_fact_court", "fact", ["court"], unique=False)


def _fill_keys() -> None:
    fact = sa.table(
        "fact",
        sa.column("id", sa.BigInteger()),
        sa.column("kind", sa.String()),
        sa.column("value", sa.JSON()),
        sa.column("key", sa.String()),
        sa.column("court", sa.String()),
        sa.column("amount", ExactAmount()),
    )
    connection = op.get_bind()
    last = 0
    while rows := connection.execute(
        sa.select(fact.c.id, fact.c.kind, fact.c.value)
        .where(fact.c.id > last)
        .order_by(fact.c.id)
        .limit(BATCH)
    ).all():
        last = rows[-1].id
        keys = [(row.id, fact_key(row.kind, row.value)) for row in rows]
        connection.execute(
            sa.update(fact)
            .where(fact.c.id == sa.bindparam("row_id"))
            .values(
                key=sa.bindparam("new_key"),
                court=sa.bindparam("new_court"),
                amount=sa.bindparam("new_amount"),
            ),
            [
                {"row_id": row_id, "new_key": key.key, "new_court": key.court, "new_amount": key.amount}
                for row_id, key in keys
            ],
        )
