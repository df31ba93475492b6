"""Search documents in the order of their dates, with marks for what is filtered by.

Sort keys become whole seconds, which the places of documents are made of. The documents are written anew by the code
that writes them every day (`pipeline.store.upkeep.write_documents`) once every migration has run: it asks for the
tables as they are then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

SQLITE_STATEMENTS = (
    "CREATE VIRTUAL TABLE item_search USING fts5(sequence, content='search_document', content_rowid='place',"
    " tokenize='ascii', columnsize=0)",
    "CREATE TRIGGER search_document_insert AFTER INSERT ON search_document BEGIN"
    " INSERT INTO item_search(rowid, sequence) VALUES (new.place, new.sequence); END",
    "CREATE TRIGGER search_document_delete AFTER DELETE ON search_document BEGIN"
    " INSERT INTO item_search(item_search, rowid, sequence) VALUES ('delete', old.place, old.sequence); END",
    "CREATE TRIGGER search_document_update AFTER UPDATE ON search_document BEGIN"
    " INSERT INTO item_search(item_search, rowid, sequence) VALUES ('delete', old.place, old.sequence);"
    " INSERT INTO item_search(rowid, sequence) VALUES (new.place, new.sequence); END",
)
POSTGRESQL_STATEMENTS = (
    "CREATE INDEX ix_search_document_tokens ON search_document USING gin (string_to_array(sequence, ' '))",
)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    sqlite = op.get_context().dialect.name == "sqlite"
    # A remainder has the sign of what is divided; dates before 1970 are negative.
    op.execute("UPDATE item SET sort_key = sort_key - (sort_key % 1000000 + 1000000) % 1000000")
    if sqlite:
        op.execute("DROP TABLE item_search")
    op.drop_table("search_document")
    op.create_table(
        "search_document",
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_search_document_item_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_search_document")),
        sa.UniqueConstraint("place", name=op.f("uq_search_document_place")),
    )
    for statement in SQLITE_STATEMENTS if sqlite else POSTGRESQL_STATEMENTS:
        op.execute(statement)
