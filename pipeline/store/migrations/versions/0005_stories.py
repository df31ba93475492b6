"""Stories: the items that tell of one event.

Items of an older database are put into theirs when every migration has run (`pipeline.store.stories.place_unplaced`):
that asks for the tables as they are then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sketch",
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_sketch_item_id")),
        sa.PrimaryKeyConstraint("hash", "item_id", name=op.f("pk_sketch")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_sketch_item_id"), "sketch", ["item_id"], unique=False)
    op.create_table(
        "boilerplate",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_boilerplate")),
    )
    op.create_table(
        "story_key",
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=700), nullable=False),
        sa.Column("number", sa.String(length=700), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_story_key_item_id")),
        sa.PrimaryKeyConstraint("item_id", "kind", name=op.f("pk_story_key")),
    )
    op.create_index("ix_story_key_key_kind", "story_key", ["key", "kind"], unique=False)
    op.create_table(
        "story_link",
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("other_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("coverage", sa.Double(), nullable=False),
        sa.Column("carrier_id", BIG_ID, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_story_link_item_id")),
        sa.ForeignKeyConstraint(["other_id"], ["item.id"], name=op.f("fk_story_link_other_id")),
        sa.PrimaryKeyConstraint("item_id", "other_id", name=op.f("pk_story_link")),
    )
    op.create_index(op.f("ix_story_link_other_id"), "story_link", ["other_id"], unique=False)
    op.create_table(
        "story",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("lead_id", BIG_ID, nullable=False),
        sa.Column("lead_reason", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["item.id"], name=op.f("fk_story_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story")),
    )
    op.create_table(
        "story_member",
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("story_id", BIG_ID, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_story_member_item_id")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_story_member_story_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_story_member")),
    )
    op.create_index(op.f("ix_story_member_story_id"), "story_member", ["story_id"], unique=False)
    op.create_table(
        "story_decision",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("other_id", BIG_ID, nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_story_decision_item_id")),
        sa.ForeignKeyConstraint(["other_id"], ["item.id"], name=op.f("fk_story_decision_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_decision")),
    )
    op.create_index(op.f("ix_story_decision_item_id"), "story_decision", ["item_id"], unique=False)
    op.create_index(op.f("ix_story_decision_other_id"), "story_decision", ["other_id"], unique=False)
    op.add_column("delivery", sa.Column("story_id", BIG_ID, nullable=True))
    op.create_index(
        "uq_delivery_story_id", "delivery", ["story_id", "rule", "event", "channel", "recipient"], unique=True
    )
