"""Messages that carry several alerts, acknowledgement, escalation, and since when each rule is configured."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("delivery", sa.Column("message_id", sa.String(length=32), nullable=True))
    op.add_column("delivery", sa.Column("escalates", sa.String(length=32), nullable=True))
    op.add_column("delivery", sa.Column("escalate_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("delivery", sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_delivery_message_id"), "delivery", ["message_id"])
    op.create_index(op.f("ix_delivery_escalate_at"), "delivery", ["escalate_at"])
    op.create_index("ix_delivery_told", "delivery", ["rule", "channel", "recipient", "state", "sent_at"])
    op.create_table(
        "rule_start",
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rule", name=op.f("pk_rule_start")),
    )
    op.create_index(op.f("ix_rule_start_started_at"), "rule_start", ["started_at"])
