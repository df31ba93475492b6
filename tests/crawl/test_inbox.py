"""Links that people hand in are read like any others, and settled."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from crawlers.inbox_links import (
    InboxError,
    add_links,
    find_links,
    list_handed,
    read_dropped_file,
    read_folder,
    waiting_links,
)
from pipeline.store.session import open_engine
from pipeline.store.tables import InboxLink
from tests.command import iprwatch
from tests.crawl.test_live import HTML, answer, watched
from tests.loopback import Said

INBOX = """
[inbox_links]
reader = "inbox"
url = "inbox:"
name_zh = "收件箱"
name_en = "Inbox"
publisher_zh = "未知来源"
publisher_en = "Unknown"
topics = []
crontab = "0 9 * * *"
least = 0
proven = true
"""
COURT = "https://www.court.gov.cn/fabu/xiangqing/512961.html"
DELETED = "https://mp.weixin.qq.com/s/Ip0watch0Deleted0inEng"


def test_links_are_found_in_prose_and_brackets() -> None:
    text = f"见（{COURT}），及“https://mp.weixin.qq.com/s/AAAAAAAAAAAAAAAAAAAAAA”。 {COURT}"
    assert find_links(text) == [COURT, "https://mp.weixin.qq.com/s/AAAAAAAAAAAAAAAAAAAAAA"]


def test_a_link_under_two_forms_is_one(engine: Engine) -> None:
    again = COURT.replace("fabu", "zixun").replace("https", "http") + "#top"
    assert len(add_links(engine, [COURT, again], "test").new) == 1
    assert len(add_links(engine, [again], "test").waiting) == 1
    assert len(waiting_links(engine)) == 1


@pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://x.cn/a", "", "court.gov.cn"])
def test_what_is_no_web_link_is_refused_and_nothing_added(engine: Engine, link: str) -> None:
    with pytest.raises(InboxError, match="nothing was added"):
        add_links(engine, [COURT, link], "test")
    assert waiting_links(engine) == []


def test_dropped_files_are_read_once_whatever_their_form(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    mail = EmailMessage()
    mail["Subject"] = "看看这个"
    mail.set_content(f"判决：{COURT}")
    (folder / "a.eml").write_bytes(mail.as_bytes())
    (folder / "b.url").write_text("[InternetShortcut]\nURL=https://example.org/x\n", encoding="ascii")
    (folder / "c.txt").write_bytes("链接：https://example.org/y".encode("gb18030"))
    taken = read_folder(engine, folder)
    assert {name: len(added.new) for name, added in taken.items()} == {"a.eml": 1, "b.url": 1, "c.txt": 1}
    assert read_folder(engine, folder) == {}
    assert sorted(path.name for path in folder.iterdir()) == ["a.eml.read", "b.url.read", "c.txt.read"]


def test_a_file_that_cannot_be_read_stays_and_costs_no_other(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "picture.png").write_bytes(b"\x89PNG\xff\xff\xfe\x80")
    (folder / "z.txt").write_text(COURT, encoding="utf-8")
    with pytest.raises(InboxError, match="picture.png"):
        read_folder(engine, folder)
    assert len(waiting_links(engine)) == 1
    assert (folder / "picture.png").exists()
    with pytest.raises(InboxError):
        read_dropped_file(folder / "none.txt")


def test_handed_in_links_are_stored_alerted_and_settled(office: Path) -> None:
    added = iprwatch("add", COURT, DELETED, "https://mp.weixin.qq.com/s/ZZZZZZZZZZZZZZZZZZZZZZ", cwd=office)
    assert "3 added" in added.out
    ran = iprwatch("crawl", "inbox_links", "--replay", "web", "--json", cwd=office)
    (source,) = ran.json["sources"]
    assert (ran.code, source["state"]) == (0, "ok"), source
    assert (source["counts"]["new"], source["counts"]["gone"], source["counts"]["not recorded"]) == (1, 1, 1)
    assert len(ran.json["alerts"]["sent"]) == 1
    assert "1 stored already" in iprwatch("add", COURT, cwd=office).out
    again = iprwatch("crawl", "inbox_links", "--replay", "web", "--json", cwd=office)
    assert again.json["sources"][0]["counts"]["asked"] == 1
    assert again.json["new"] == []
    left = {link["url"]: link for link in iprwatch("sources", "inbox", "--json", cwd=office).json}
    assert left.keys() == {DELETED, "https://mp.weixin.qq.com/s/ZZZZZZZZZZZZZZZZZZZZZZ"}
    assert left[DELETED]["state"] == "gone"
    assert DELETED in left[DELETED]["detail"]
    table = iprwatch("sources", "inbox", "--stored", cwd=office).out
    assert all(words in table for words in ("3 links of the inbox", "stored", "gone", "waiting"))


@pytest.mark.parametrize(("status", "waits"), [(500, True), (503, True), (404, False), (403, False)])
def test_a_link_whose_server_is_in_trouble_waits_on(tmp_path: Path, status: int, waits: bool) -> None:
    def show(path: str, n: int) -> Said:
        return Said(status, b"<html>no</html>", HTML) if path.startswith("/art") else answer(path, n)

    with watched(tmp_path, show) as server:
        with (tmp_path / "sources.toml").open("a", encoding="utf-8") as file:
            file.write(INBOX)
        iprwatch("add", f"{server.url}/art/2026/11/18/art_74_1.html", cwd=tmp_path)
        assert iprwatch("crawl", "inbox_links", cwd=tmp_path).code == (0 if status == 404 else 1)
    engine = open_engine(f"sqlite:///{tmp_path / 'data/iprwatch.db'}")
    assert bool(waiting_links(engine)) == waits
    engine.dispose()


def test_a_page_that_no_reader_knows_is_settled_as_failed_with_the_reason(engine: Engine) -> None:
    from crawlers.inbox_links import settle_link

    add_links(engine, [COURT], "test")
    ((address, _),) = waiting_links(engine)
    settle_link(engine, address, "failed", "Layout changed")
    assert waiting_links(engine) == []
    assert [(link.state, link.detail) for link in list_handed(engine)] == [("failed", "Layout changed")]
    add_links(engine, [COURT], "test")
    assert len(waiting_links(engine)) == 1
    with engine.connect() as connection:
        assert connection.scalar(select(InboxLink.detail)) is None
