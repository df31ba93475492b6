"""Search documents with marks for sums.

They are written by the code that writes them every day (`pipeline.store.upkeep.write_documents`) once every migration
has run, where they are not as they should be.
"""

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Nothing that the tables would show."""
