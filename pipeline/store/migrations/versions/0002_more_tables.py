"""Articles filtered by topic, permissions for hosts, the inbox, and probes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "wechat_session_state",
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("died_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_wechat_session_state")),
    )
    op.create_table(
        "host_permission",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("allowed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host_permission")),
    )
    op.create_index(op.f("ix_host_permission_host"), "host_permission", ["host"], unique=False)
    op.create_table(
        "inbox_link",
        sa.Column("address", sa.String(length=700), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_inbox_link")),
    )
    op.create_index(op.f("ix_inbox_link_state"), "inbox_link", ["state"], unique=False)
    op.create_table(
        "probe",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("verdict", sa.String(length=30), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probe")),
    )
    op.create_index(op.f("ix_probe_source_key"), "probe", ["source_key"], unique=False)
    op.create_table(
        "filtered",
        sa.Column("address", sa.String(length=700), nullable=False),
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_filtered_run_id")),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_filtered")),
    )
    op.create_index(op.f("ix_filtered_source_key"), "filtered", ["source_key"], unique=False)
