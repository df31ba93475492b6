"""A verdict for every run, source and day, and what verdicts rest on."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("run", sa.Column("coverage", sa.JSON(), nullable=True))
    op.add_column("run", sa.Column("refusal", sa.JSON(), nullable=True))
    op.add_column("run", sa.Column("verdict", sa.String(length=30), nullable=True))
    op.create_index(op.f("ix_run_verdict"), "run", ["verdict"], unique=False)
    # Runs from before are not judged: what they rest on was not kept.
    op.execute("UPDATE run SET verdict = 'not judged' WHERE state <> 'running'")
    op.create_table(
        "verdict",
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("verdict", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("heard", sa.Boolean(), nullable=False),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("edited", sa.Integer(), nullable=False),
        sa.Column("run_id", BIG_ID, nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_verdict_run_id")),
        sa.PrimaryKeyConstraint("source_key", "day", name=op.f("pk_verdict")),
    )
    op.create_table(
        "source_health",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("verdict", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("bad_runs", sa.Integer(), nullable=False),
        sa.Column("troubles", sa.Integer(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("same_runs", sa.Integer(), nullable=False),
        sa.Column("compared_from", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_health")),
        sa.UniqueConstraint("source_key", name=op.f("uq_source_health_source_key")),
    )
