"""What a person makes of pages of a source that are gone at once."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("withdrawal", sa.Column("judgement", sa.String(length=10), nullable=True))
    op.add_column("withdrawal", sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("withdrawal", sa.Column("judged_by", sa.Text(), nullable=True))
    op.add_column("withdrawal", sa.Column("judged_reason", sa.Text(), nullable=True))
    # Those whose alerts are held back wait for a word; an alert of an earlier withdrawal of the item was not.
    op.execute(
        """
        UPDATE withdrawal SET judgement = 'open'
        WHERE confirmed_at IS NOT NULL AND returned_at IS NULL AND EXISTS (
            SELECT 1 FROM delivery
            WHERE delivery.item_id = withdrawal.item_id AND delivery.event LIKE 'withdrawn%' AND delivery.state = 'held'
        )
        """
    )
