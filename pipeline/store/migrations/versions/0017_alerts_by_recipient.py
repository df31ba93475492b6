"""What a recipient was told lately is found whatever the rules: those of a watchlist are counted together."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.drop_index("ix_delivery_told", "delivery")
    op.create_index("ix_delivery_told", "delivery", ["channel", "recipient", "state", "sent_at"])
