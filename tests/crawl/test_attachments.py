"""The files of a notice over real HTTP: what is read of them, and that none costs the article."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import Request, Response
from scrapy.signalmanager import SignalManager

from crawlers.archive import Archive, ArchiveError
from crawlers.attachments import LARGEST, MOST, fetch_attachments, restore_attachments
from crawlers.gate import OutsideHours
from crawlers.hours import read_hours
from crawlers.notice import Attachment
from crawlers.page import Page
from pipeline import interpret
from pipeline.alerts.rules import Recipient, Rule, Rules
from tests.command import iprwatch
from tests.crawl.test_live import HTML, RECORDS, XML, listing, run, watched
from tests.loopback import Said
from tests.notices import CONTEXT, make_notice
from tests.readers.pdf_files import make_pdf

LINE = "本局决定对蓝鲸集成电路布图设计登记予以撤销，自即日起生效。"
PDF = make_pdf([LINE])
REST = {"Content-Type": "application/octet-stream"}


def make_docx(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "word/document.xml",
            "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>"
            f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>",
        )
    return file.getvalue()


# Announcement by announcement, the files that it offers.
OFFERED: dict[int, dict[str, Said]] = {
    1: {"/a.pdf": Said(200, PDF, REST), "/gone.zip": Said(404)},
    2: {"/a.docx": Said(200, make_docx("申报书"), REST)},
    3: {"/a.zip": Said(200, b"PK\x03\x04" + bytes(5000), REST)},
    4: {"/large.pdf": Said(200, b"%PDF-" + bytes(LARGEST), REST)},
    5: {"/404.pdf": Said(404, b"none", HTML)},
    6: {"/500.pdf": Said(500, PDF, REST)},
    7: {"/page.pdf": Said(200, b"<html>gone</html>", HTML)},
    8: {"/empty.pdf": Said(200, b"", REST)},
    9: {"/broken.pdf": Said(close=True), "/b.pdf": Said(200, PDF, REST)},
    10: {"/slow.pdf": Said(200, PDF, REST, pause=1.5)},
    11: {"/closed/a.pdf": Said(200, PDF, REST)},
    12: {"/scan.pdf": Said(200, make_pdf([]), REST)},
    13: {f"/{n}.zip": Said(200, b"PK", REST) for n in range(MOST)} | {"/last.pdf": Said(200, PDF, REST)},
}
FILES = {path: said for files in OFFERED.values() for path, said in files.items()}
ROBOTS = Said(200, b"User-agent: *\nDisallow: /closed/\n", {"Content-Type": "text/plain"})


def notice_page(number: int) -> bytes:
    links = "".join(f'<p><a href="{path}">附件</a></p>' for path in OFFERED[number])
    return f"""<html><head><meta name="ArticleTitle" content="公告第{number}号">
<meta name="PubDate" content="2026-11-18 10:00"></head><body><h1>公告第{number}号</h1>
<div class="article-content"><!--<$[信息内容]>begin-->{links}<!--<$[信息内容]>end--></div></body></html>""".encode()


def answer(path: str, _n: int) -> Said:
    """A column of announcements that say nothing themselves, and their files."""
    if path == "/robots.txt":
        return ROBOTS
    if path == RECORDS:
        return Said(200, listing(list(OFFERED)), XML)
    if path in FILES:
        return FILES[path]
    return Said(200, notice_page(int(path.rsplit("_", 1)[1].removesuffix(".html"))), HTML)


@dataclass(frozen=True)
class Crawled:
    """A crawl of all announcements: its outcome, the paths that were asked for, the folder with the store."""

    folder: Path
    code: int
    source: dict[str, Any]
    paths: list[str]

    def files(self, number: int) -> list[dict[str, Any]]:
        return stored_files(self.folder, f"公告第{number}号")


def stored_files(folder: Path, title: str) -> list[dict[str, Any]]:
    """What the store knows of the files of a notice, but for where they are."""
    with closing(sqlite3.connect(folder / "data/iprwatch.db")) as store:
        ((stored,),) = store.execute("SELECT attachments FROM item WHERE title = ?", (title,)).fetchall()
    return [
        {name: value for name, value in file.items() if name not in ("url", "name")}
        for file in json.loads(stored)
    ]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    folder = tmp_path_factory.mktemp("attachments")
    with watched(folder, answer) as server:
        code, source = run(folder)
        return Crawled(folder, code, source, server.paths())


def test_no_file_costs_an_article(crawled: Crawled) -> None:
    assert (crawled.code, crawled.source["state"]) == (0, "ok"), crawled.source
    assert crawled.source["counts"]["new"] == len(OFFERED)


def test_the_text_of_a_pdf_is_stored_with_size_and_hash(crawled: Crawled) -> None:
    assert crawled.files(1)[0] == {"size": len(PDF), "text": LINE, "sha256": hashlib.sha256(PDF).hexdigest()}


def test_a_notice_is_found_by_the_text_of_its_docx(crawled: Crawled) -> None:
    found = iprwatch("search", "申报书", "--json", cwd=crawled.folder).json
    assert [hit["title"] for hit in found["hits"]] == ["公告第2号"]


def test_the_bytes_of_a_file_are_archived(crawled: Crawled) -> None:
    assert Archive(crawled.folder / "data/archive").open_page(crawled.files(1)[0]["sha256"]) == PDF


def test_a_format_that_isnt_read_is_listed_with_its_size(crawled: Crawled) -> None:
    assert crawled.files(3) == [{"size": 5004, "note": "format not read"}]


def test_a_file_that_is_too_large_is_listed_with_its_size(crawled: Crawled) -> None:
    assert crawled.files(4) == [{"size": LARGEST + 5, "note": "too large"}]


@pytest.mark.parametrize(
    ("number", "note"),
    [
        (5, "the server answered 404"),
        (6, "the server answered 500"),
        (7, "a web page or nothing came in place of the file"),
        (8, "a web page or nothing came in place of the file"),
    ],
)
def test_a_file_that_doesnt_come_says_why(crawled: Crawled, number: int, note: str) -> None:
    assert crawled.files(number) == [{"note": f"not fetched: {note}"}]


def test_a_connection_that_breaks_costs_that_file_only(crawled: Crawled) -> None:
    broken, whole = crawled.files(9)
    assert broken["note"].startswith("not fetched: ")
    assert whole["text"] == LINE


def test_a_file_that_comes_slowly_is_waited_for(crawled: Crawled) -> None:
    assert crawled.files(10)[0]["text"] == LINE


def test_a_file_that_robots_txt_closes_is_not_asked_for(crawled: Crawled) -> None:
    assert "/closed/a.pdf" not in crawled.paths
    assert "robots.txt forbids it" in crawled.files(11)[0]["note"]


def test_a_pdf_without_text_says_so(crawled: Crawled) -> None:
    (file,) = crawled.files(12)
    assert (file["note"], "text" in file) == ("no text in the file", False)


def test_only_some_files_of_a_notice_are_asked_for_readable_ones_first(crawled: Crawled) -> None:
    *zips, last = crawled.files(13)
    assert last["text"] == LINE
    assert [file["note"] for file in zips] == ["format not read"] * (MOST - 1) + [
        f"not fetched: only {MOST} files of a notice are"
    ]


def test_reading_again_keeps_what_is_known_of_files(crawled: Crawled, tmp_path: Path) -> None:
    folder = shutil.copytree(crawled.folder, tmp_path / "copy")
    ran = iprwatch("reparse", cwd=folder)
    assert ran.code == 0, ran.err
    assert [stored_files(folder, f"公告第{number}号") for number in OFFERED] == [*map(crawled.files, OFFERED)]


PAGE = Page("https://www.court.gov.cn/fabu/xiangqing/1.html", b"<html>", datetime(2026, 11, 20, tzinfo=UTC))
FILE = Attachment("https://www.court.gov.cn/a.pdf", "公告.pdf")


def fetch(
    tmp_path: Path, answer: Response | Exception, file: Attachment = FILE, page: Page = PAGE
) -> Attachment:
    """What becomes of a file when the downloader answers so."""

    async def download_async(_request: object) -> Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    crawler: Any = SimpleNamespace(
        engine=SimpleNamespace(download_async=download_async), signals=SignalManager()
    )
    notice = make_notice(1, url=page.url, attachments=(file,))
    return asyncio.run(fetch_attachments(crawler, Archive(tmp_path), notice, page, None)).attachments[0]


def test_a_file_that_never_comes_is_given_up(tmp_path: Path) -> None:
    found = fetch(tmp_path, DownloadTimeoutError("took longer than 60.0 seconds"))
    assert found == replace(FILE, note="not fetched: took longer than 60.0 seconds")


def test_a_notice_is_held_when_the_hours_end_before_its_files(tmp_path: Path) -> None:
    asked: list[Request] = []

    async def download_async(request: Request) -> Response:
        """As with a gate that lets no request out whose hours are over."""
        asked.append(request)
        raise OutsideHours("asked only at 22:00-06:00 (Asia/Shanghai)")

    crawler: Any = SimpleNamespace(
        engine=SimpleNamespace(download_async=download_async), signals=SignalManager()
    )
    notice, hours = make_notice(1, attachments=(FILE,)), read_hours("22:00-06:00")
    with pytest.raises(OutsideHours):
        asyncio.run(fetch_attachments(crawler, Archive(tmp_path), notice, PAGE, hours))
    assert [request.meta["hours"] for request in asked] == [hours]


def test_a_file_that_cant_be_archived_has_no_text(tmp_path: Path) -> None:
    (tmp_path / hashlib.sha256(PDF).hexdigest()[:2]).write_text("a file in the folder's place")
    found = fetch(tmp_path, Response(FILE.url, body=PDF))
    assert (found.text, found.sha256) == (None, None)
    assert str(found.note).startswith("not fetched: ")


def test_an_archive_under_an_address_without_a_format_is_not_read(tmp_path: Path) -> None:
    file = Attachment("https://www.court.gov.cn/downfile.jsp?id=7", "附件")
    assert fetch(tmp_path, Response(file.url, body=b"PK\x03\x04" + bytes(90)), file).note == "format not read"


def test_an_article_that_is_a_file_itself_is_not_asked_for_again(tmp_path: Path) -> None:
    page = replace(PAGE, url=FILE.url, body=PDF)
    found = fetch(tmp_path, AssertionError("asked for"), page=page)
    assert (found.size, found.sha256, found.note) == (len(PDF), page.sha256, "its text is the body")


def test_an_address_that_is_no_web_address_is_not_asked_for(tmp_path: Path) -> None:
    found = fetch(tmp_path, AssertionError("asked for"), Attachment("ftp://example.org/a.pdf", "a"))
    assert found.note == "not fetched: its address is no http(s) URL"


def test_reading_again_uses_todays_reader(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    sha256 = hashlib.sha256(PDF).hexdigest()
    archive.keep(sha256, PDF)
    stored = [{"url": FILE.url, "name": "old name", "sha256": sha256, "text": "misread"}]
    (file,) = restore_attachments(make_notice(1, attachments=(FILE,)), PAGE, stored, archive).attachments
    assert (file.name, file.text, file.size) == (FILE.name, LINE, len(PDF))


def test_reading_again_without_the_archived_bytes_is_refused(tmp_path: Path) -> None:
    stored = [{"url": FILE.url, "name": FILE.name, "sha256": "0" * 64}]
    with pytest.raises(ArchiveError):
        restore_attachments(make_notice(1, attachments=(FILE,)), PAGE, stored, Archive(tmp_path))


def test_rules_look_into_attachments() -> None:
    rules = Rules([Rule(name="layouts", words=("集成电路",), send=(Recipient(channel="log"),))])
    notice = make_notice(1, attachments=(replace(FILE, text=LINE),))
    assert [match.rule for match in rules(interpret(notice, CONTEXT), "new")] == ["layouts"]
    assert rules(interpret(make_notice(1, attachments=(FILE,)), CONTEXT), "new") == []


def test_the_topic_filter_looks_into_attachments() -> None:
    bare = make_notice(1, title="公告第1号", body="详见附件。", attachments=(FILE,))
    full = replace(bare, attachments=(replace(FILE, text="侵害商标权纠纷案件审理指南"),))
    context = replace(CONTEXT, only_ip=True)
    assert interpret(bare, context).is_filtered
    assert not interpret(full, context).is_filtered


def test_facts_and_edits_are_those_of_the_text_alone() -> None:
    bare = make_notice(1, attachments=(FILE,))
    full = replace(bare, attachments=(replace(FILE, text="（2026）最高法知民终1号判决赔偿900万元。"),))
    one, other = interpret(bare, CONTEXT), interpret(full, CONTEXT)
    assert (one.facts, one.content_sha256) == (other.facts, other.content_sha256)


def test_a_file_that_a_recorded_web_lacks_is_no_fault(tmp_path: Path) -> None:
    def one(path: str, _n: int) -> Said:
        return Said(200, listing([1]), XML) if path == RECORDS else answer(path, _n)

    with watched(tmp_path, one) as server:
        for number, path in enumerate((RECORDS, "/art/2026/11/18/art_74_1.html")):
            folder = tmp_path / "web" / str(number)
            folder.mkdir(parents=True)
            (folder / "page.html").write_bytes(one(path, 1).body)
            stated = {
                "url": server.url + path,
                "status": 200,
                "headers": {},
                "fetched": "2026-11-20T09:00+08:00",
            }
            (folder / "page.json").write_text(json.dumps(stated), encoding="utf-8")
        ran = iprwatch("crawl", "--replay", "web", "--json", cwd=tmp_path)
        assert server.seen == []
    assert (ran.code, ran.json["sources"][0]["state"]) == (0, "ok")
    assert stored_files(tmp_path, "公告第1号") == [{"note": "not recorded"}] * 2
