"""The first tables, and the search index of either database."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SQLITE_STATEMENTS = (
    "CREATE VIRTUAL TABLE item_search USING fts5(sequence, content='search_document', content_rowid='item_id',"
    " tokenize='ascii')",
    "CREATE TRIGGER search_document_insert AFTER INSERT ON search_document BEGIN"
    " INSERT INTO item_search(rowid, sequence) VALUES (new.item_id, new.sequence); END",
    "CREATE TRIGGER search_document_delete AFTER DELETE ON search_document BEGIN"
    " INSERT INTO item_search(item_search, rowid, sequence) VALUES ('delete', old.item_id, old.sequence); END",
    "CREATE TRIGGER search_document_update AFTER UPDATE ON search_document BEGIN"
    " INSERT INTO item_search(item_search, rowid, sequence) VALUES ('delete', old.item_id, old.sequence);"
    " INSERT INTO item_search(rowid, sequence) VALUES (new.item_id, new.sequence); END",
)
POSTGRESQL_STATEMENTS = (
    "CREATE INDEX ix_search_document_tokens ON search_document USING gin (string_to_array(sequence, ' '))",
)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "listed",
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=700), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.String(length=20), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source_key", "address", name=op.f("pk_listed")),
    )
    op.create_table(
        "run",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("list_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_source_key"), "run", ["source_key"], unique=False)
    op.create_table(
        "item",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("identity", sa.String(length=700), nullable=False),
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("reader", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("publisher_zh", sa.Text(), nullable=False),
        sa.Column("publisher_en", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_precision", sa.String(length=10), nullable=True),
        sa.Column("published_raw", sa.Text(), nullable=True),
        sa.Column("published_method", sa.String(length=30), nullable=True),
        sa.Column("published_place", sa.String(length=60), nullable=True),
        sa.Column("published_inferred", sa.Boolean(), nullable=False),
        sa.Column("dates", sa.JSON(), nullable=False),
        sa.Column("dates_disagree", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_note", sa.Text(), nullable=True),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("images", sa.JSON(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("sort_key", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_item_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("identity", name=op.f("uq_item_identity")),
        sa.UniqueConstraint("uid", name=op.f("uq_item_uid")),
    )
    op.create_index(op.f("ix_item_published_on"), "item", ["published_on"], unique=False)
    op.create_index(op.f("ix_item_run_id"), "item", ["run_id"], unique=False)
    op.create_index("ix_item_sort_key", "item", ["sort_key"], unique=False)
    op.create_index("ix_item_source_key_sort_key", "item", ["source_key", "sort_key"], unique=False)
    op.create_table(
        "snapshot",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("source_key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("entry", sa.JSON(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_snapshot_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
    )
    op.create_index(op.f("ix_snapshot_sha256"), "snapshot", ["sha256"], unique=False)
    op.create_table(
        "address",
        sa.Column("address", sa.String(length=700), nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_address_item_id")),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_address")),
    )
    op.create_index(op.f("ix_address_item_id"), "address", ["item_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("item_id", BIG_ID, nullable=True),
        sa.Column("text", sa.JSON(), nullable=True),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("recipient", sa.String(length=400), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_delivery_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "rule",
            "item_id",
            "event",
            "channel",
            "recipient",
            name=op.f("uq_delivery_rule_item_id_event_channel_recipient"),
        ),
    )
    op.create_index(op.f("ix_delivery_item_id"), "delivery", ["item_id"], unique=False)
    op.create_index("ix_delivery_state_next_at", "delivery", ["state", "next_at"], unique=False)
    op.create_table(
        "fact",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("field", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_fact_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact")),
    )
    op.create_index(op.f("ix_fact_item_id"), "fact", ["item_id"], unique=False)
    op.create_index("ix_fact_kind_raw", "fact", ["kind", "item_id"], unique=False)
    op.create_table(
        "search_document",
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("sequence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_search_document_item_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_search_document")),
    )
    op.create_table(
        "version",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_version_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version")),
        sa.UniqueConstraint("item_id", "number", name=op.f("uq_version_item_id_number")),
    )
    sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_STATEMENTS if sqlite else POSTGRESQL_STATEMENTS:
        op.execute(statement)
