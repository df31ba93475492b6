"""The views for analysts (`pipeline.store.views`). They are made after every migration, so this one alters nothing."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """What is made after it is all that it is for."""
