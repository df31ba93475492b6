"""A database from before judgements: what was held back waits for a word, and odd URLs have their sites' keys."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from pipeline.store.session import open_engine
from pipeline.store.tables import Address, Listed, Withdrawal
from tests.older_stores import open_older, store_row

ODD = "https://www.spp.gov.cn/spp/t20260101_730692.shtml;jsessionid=0A1B"
OLD_KEY = "url:spp.gov.cn/spp/t20260101_730692.shtml"


def test_an_older_store_knows_what_waits_and_every_key(database_url: str, tmp_path: Path) -> None:
    with open_older(database_url, "0014") as older, older.begin() as connection:
        store_row(connection, "run")
        for number, state in ((1, "held"), (2, "sent"), (3, "held")):
            identity = OLD_KEY if number == 1 else f"url:example.org/{number}"
            store_row(connection, "item", id=number, uid=f"item {number}", identity=identity, url=ODD)
            store_row(connection, "address", address=identity, item_id=number)
            store_row(
                connection, "delivery", id=str(number), item_id=number, state=state,
                event="withdrawn" if number < 3 else "new",
            )  # fmt: skip
            store_row(connection, "withdrawal", id=number, item_id=number)
        connection.exec_driver_sql("UPDATE withdrawal SET confirmed_at = gone_at")
        store_row(connection, "listed", source_key="spp_focus", address=OLD_KEY, url=ODD)
    engine = open_engine(database_url, backups=tmp_path)
    with engine.connect() as connection:
        judged = list(connection.scalars(select(Withdrawal.judgement).order_by(Withdrawal.item_id)))
        found = connection.scalar(select(Address.item_id).where(Address.address == "spp:730692"))
        listed = connection.scalar(select(Listed.address))
    engine.dispose()
    assert judged == ["open", None, None]
    assert (found, listed) == (1, "spp:730692")
