"""Entries that were inserted into lists later, and numbers that are missing from series."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("listed", sa.Column("inserted", sa.Text(), nullable=True))
    op.create_table(
        "missing_number",
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("series", sa.String(length=300), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source_key", "series", "number", name=op.f("pk_missing_number")),
    )
