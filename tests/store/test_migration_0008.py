"""A database from before rechecks: every item has a plan, and keys made of URLs are as they are made today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from pipeline.normalize import identify_url
from pipeline.store.rechecks import PLAN
from pipeline.store.session import open_engine
from pipeline.store.tables import Address, Filtered, InboxLink, Item, Listed, Recheck
from tests.older_stores import open_older, store_row

NOW = datetime.now(UTC)
OLD, YOUNG = NOW - timedelta(days=400), NOW - timedelta(days=2)
ARTICLE = "https://www.example.org/news/1.html?utm_source=mail"
TODAY = "url:example.org/news/1.html"
BEFORE = "url:www.example.org/news/1.html?utm_source=mail"
TWIN = "url:www.example.org/news/1.html"


@pytest.fixture
def migrated(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """A store of two items at 0007, with lists, filtered articles and links under keys of that time, at head."""
    assert identify_url(ARTICLE) == TODAY
    with open_older(database_url, "0007") as older, older.begin() as connection:
        store_row(connection, "run")
        for number, key, url, seen in (
            (1, BEFORE, ARTICLE, OLD),
            (2, "spp:730692", "https://www.spp.gov.cn/spp/t20260101_730692.shtml", YOUNG),
        ):
            store_row(
                connection, "item", id=number, uid=f"item {number}", identity=key, url=url, source_key="media_paper",
                title=f"Item {number}", body=f"Body {number}", first_seen_at=seen,
            )  # fmt: skip
            store_row(connection, "address", address=key, item_id=number)
        for source in ("media_paper", "media_other"):
            store_row(connection, "listed", source_key=source, address=BEFORE, url=ARTICLE)
        # The same article under a second key of that time, in one of the lists.
        store_row(connection, "listed", source_key="media_paper", address=TWIN, url=ARTICLE.partition("?")[0])
        store_row(
            connection, "listed", source_key="media_paper", address="spp:730692", url="https://spp.gov.cn"
        )
        store_row(
            connection,
            "filtered",
            address="trs:www.example.org:7",
            url="https://www.example.org/t20260101_7.html",
        )
        store_row(connection, "inbox_link", address=BEFORE, url=ARTICLE, state="stored")
    engine = open_engine(database_url, backups=tmp_path)
    yield engine
    engine.dispose()


def test_every_item_is_planned_to_be_looked_at_again(migrated: Engine) -> None:
    with migrated.connect() as connection:
        rows = connection.execute(
            select(Recheck.item_id, Recheck.source_key, Recheck.due_at).order_by(Recheck.item_id)
        ).all()
    assert [row.item_id for row in rows] == [1, 2]
    assert {row.source_key for row in rows} == {"media_paper"}
    assert rows[0].due_at is None
    assert rows[1].due_at == YOUNG + PLAN[2]


def test_an_item_is_known_under_its_old_and_its_new_key(migrated: Engine) -> None:
    with migrated.connect() as connection:
        rows = connection.execute(select(Address.address, Address.item_id)).all()
        identity = connection.scalar(select(Item.identity).where(Item.id == 1))
    assert {(BEFORE, 1), (TODAY, 1), ("spp:730692", 2)} == {tuple(row) for row in rows}
    assert identity == BEFORE


def test_what_lists_have_shown_is_under_its_new_key_once_in_each_list(migrated: Engine) -> None:
    with migrated.connect() as connection:
        rows = connection.execute(select(Listed.source_key, Listed.address)).all()
    assert sorted(map(tuple, rows)) == [
        ("media_other", TODAY),
        ("media_paper", "spp:730692"),
        ("media_paper", TODAY),
    ]


def test_filtered_articles_and_links_are_under_their_new_keys(migrated: Engine) -> None:
    with migrated.connect() as connection:
        assert connection.scalars(select(Filtered.address)).all() == ["trs:example.org:7"]
        assert connection.scalars(select(InboxLink.address)).all() == [TODAY]
