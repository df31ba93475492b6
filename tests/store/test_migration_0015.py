"""A database from before places and marks: its documents are written anew, its sort keys are whole seconds."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from pipeline.expression import read_query
from pipeline.store.session import open_engine
from pipeline.store.tables import Item
from pipeline.store.upkeep import check_store
from query.fact_filters import FactFilter
from query.search import search_items
from tests.older_stores import open_older, store_row

COURT = "北京知识产权法院"


def test_an_older_store_is_found_in_the_order_of_its_dates(database_url: str, tmp_path: Path) -> None:
    with open_older(database_url, "0014") as older, older.begin() as connection:
        store_row(connection, "run")
        for number, sort_key in ((1, 1_700_000_000_999_999), (2, -1), (3, 1_700_000_000_000_001)):
            store_row(
                connection, "item", id=number, uid=f"{number:032x}", identity=f"item {number}", title="商标案",
                body=f"专利{number}", source_key="media_paper", sort_key=sort_key,
            )  # fmt: skip
            store_row(connection, "version", id=number, item_id=number)
            store_row(connection, "search_document", item_id=number, sequence="商标 标")
        store_row(
            connection,
            "fact",
            item_id=2,
            field="title",
            kind="court",
            court=COURT,
            value={"name_zh": COURT},
        )
    engine = open_engine(database_url, backups=tmp_path)
    with engine.connect() as connection:
        keys = connection.scalars(select(Item.sort_key).order_by(Item.id)).all()
    assert keys == [1_700_000_000_000_000, -1_000_000, 1_700_000_000_000_000]
    numbers = [hit.place[1] for hit in search_items(engine, read_query("专利 source:media_paper")).hits]
    assert numbers == [3, 1, 2]
    assert [hit.place[1] for hit in search_items(engine, facts=FactFilter(courts=[COURT])).hits] == [2]
    assert [fault for fault in check_store(engine) if fault.place == "search index"] == []
    engine.dispose()
