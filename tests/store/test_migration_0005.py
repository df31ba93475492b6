"""A database from before stories: its items are put into theirs when all migrations have run."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, select

from pipeline.store.session import open_engine
from pipeline.store.story_tables import StoryMember
from tests.older_stores import open_older, store_row

TEXT = (
    "某地知识产权法院今日公开宣判一起侵害商标权纠纷案，判令被告立即停止销售印有涉案标识的运动鞋，并赔偿原告经济损失。"
    "法院认为，被告作为同业经营者，理应知晓涉案商标的知名度，仍在网店首页突出使用近似标识，主观恶意明显。"
)
OTHER = "国家知识产权局召开新闻发布会，介绍上半年专利授权与商标注册的统计数据，并就地理标志保护工程答记者问。"


def members(engine: Engine) -> dict[int, int]:
    with engine.connect() as connection:
        rows = connection.execute(select(StoryMember.item_id, StoryMember.story_id)).all()
    return {row.item_id: row.story_id for row in rows}


def test_items_of_an_older_database_are_in_stories_whatever_columns_came_later(
    database_url: str, tmp_path: Path
) -> None:
    with open_older(database_url, "0003") as older, older.begin() as connection:
        store_row(connection, "run")
        for number, body in enumerate((TEXT, OTHER, f"本报讯　{TEXT}"), start=1):
            name = f"item {number}"
            store_row(
                connection, "item", id=number, uid=name, identity=f"url:{name}", title=name, body=body,
                url=f"https://example.org/{number}",
            )  # fmt: skip
    engine = open_engine(database_url, backups=tmp_path)
    placed = members(engine)
    engine.dispose()
    assert sorted(placed) == [1, 2, 3]
    assert placed[1] == placed[3] != placed[2]
