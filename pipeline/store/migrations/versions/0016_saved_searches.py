"""Searches that people keep by a name; the views say what is withdrawn and inserted later."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "saved_search",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("expression", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_saved_search")),
    )
    op.create_index(
        "ix_listed_inserted",
        "listed",
        ["address"],
        sqlite_where=sa.text("inserted IS NOT NULL"),
        postgresql_where=sa.text("inserted IS NOT NULL"),
    )
