"""The files of a notice over real HTTP: what is read of them, and that none costs the article."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import Response
from scrapy.signalmanager import SignalManager

from crawlers.archive import Archive, ArchiveError
from crawlers.attachments import LARGEST, MOST, fetch_attachments, restore_attachments
from crawlers.notice import Attachment
from crawlers.page import Page
from pipeline import interpret
from pipeline.alerts.rules import Recipient, Rule, Rules
from tests.command import iprwatch
from tests.crawl.test_live import HTML, RECORDS, XML, listing, run, watched
from tests.loopback import Said
from tests.notices import CONTEXT, make_notice
from tests.readers.pdf_files import make_pdf

ARTICLE = "/art/2026/11/18/art_74_1.html"
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


def notice_page(*files: str) -> bytes:
    links = "".join(f'<p><a href="{file}">附件{n}</a></p>' for n, file in enumerate(files, 1))
    return f"""<html><head><meta name="ArticleTitle" content="公告第1号">
<meta name="PubDate" content="2026-11-18 10:00"></head><body><h1>公告第1号</h1>
<div class="article-content"><!--<$[信息内容]>begin-->{links}<!--<$[信息内容]>end--></div></body></html>""".encode()


def site(files: dict[str, Said], robots: bytes = b"") -> Callable[[str, int], Said]:
    """A column with one announcement, which offers these files and says nothing itself."""

    def answer(path: str, _n: int) -> Said:
        if path == "/robots.txt":
            return Said(200, robots)
        if path == RECORDS:
            return Said(200, listing([1]), XML)
        return Said(200, notice_page(*files), HTML) if path == ARTICLE else files[path]

    return answer


def crawl_files(tmp_path: Path, files: dict[str, Said], robots: bytes = b"") -> list[dict[str, Any]]:
    """The stored attachments after a crawl that must be well."""
    with watched(tmp_path, site(files, robots)):
        code, source = run(tmp_path)
    assert (code, source["state"]) == (0, "ok"), source
    (hit,) = iprwatch("search", "公告第1号", "--json", cwd=tmp_path).json["items"]
    shown = iprwatch("show", hit["uid"], "--json", cwd=tmp_path).json
    return stored_attachments(shown)


def stored_attachments(shown: dict[str, Any]) -> list[dict[str, Any]]:
    (field,) = (field for field in shown["fields"] if field["field"] == "attachments")
    return [
        {name: value for name, value in file.items() if name not in ("url", "name")}
        for file in field["value"]
    ]


def test_a_notice_is_found_by_the_text_of_its_pdf(tmp_path: Path) -> None:
    (file,) = crawl_files(tmp_path, {"/a.pdf": Said(200, PDF, REST)})
    assert file == {"size": len(PDF), "text": LINE, "sha256": hashlib.sha256(PDF).hexdigest()}
    assert iprwatch("search", "蓝鲸集成电路", "--json", cwd=tmp_path).json["total"] == 1


def test_the_bytes_of_a_file_are_archived(tmp_path: Path) -> None:
    (file,) = crawl_files(tmp_path, {"/a.pdf": Said(200, PDF, REST)})
    assert Archive(tmp_path / "data/archive").open_page(file["sha256"]) == PDF


def test_the_text_of_a_docx_is_read(tmp_path: Path) -> None:
    (file,) = crawl_files(tmp_path, {"/a.docx": Said(200, make_docx("申报书"), REST)})
    assert file["text"] == "申报书"


def test_a_format_that_isnt_read_is_listed_with_its_size(tmp_path: Path) -> None:
    (file,) = crawl_files(tmp_path, {"/a.zip": Said(200, b"PK\x03\x04" + bytes(5000), REST)})
    assert file == {"size": 5004, "note": "format not read"}


def test_a_file_that_is_too_large_is_listed_with_its_size(tmp_path: Path) -> None:
    body = b"%PDF-" + bytes(LARGEST)
    (file,) = crawl_files(tmp_path, {"/a.pdf": Said(200, body, REST)})
    assert file == {"size": LARGEST + 5, "note": "too large"}


@pytest.mark.parametrize(
    ("said", "note"),
    [
        (Said(404, b"none", HTML), "not fetched: the server answered 404"),
        (Said(500, PDF, REST), "not fetched: the server answered 500"),
        (
            Said(200, b"<html>gone</html>", HTML),
            "not fetched: a web page or nothing came in place of the file",
        ),
        (Said(200, b"", REST), "not fetched: a web page or nothing came in place of the file"),
    ],
)
def test_a_file_that_doesnt_come_keeps_its_name_and_says_why(tmp_path: Path, said: Said, note: str) -> None:
    assert crawl_files(tmp_path, {"/a.pdf": said}) == [{"note": note}]


def test_a_connection_that_breaks_costs_the_file_only(tmp_path: Path) -> None:
    broken, whole = crawl_files(tmp_path, {"/a.pdf": Said(close=True), "/b.pdf": Said(200, PDF, REST)})
    assert broken["note"].startswith("not fetched: ")
    assert whole["text"] == LINE


def test_a_file_that_comes_slowly_is_waited_for(tmp_path: Path) -> None:
    (file,) = crawl_files(tmp_path, {"/a.pdf": Said(200, PDF, REST, pause=1.5)})
    assert file["text"] == LINE


def test_a_file_that_robots_txt_closes_is_not_fetched(tmp_path: Path) -> None:
    files = {"/attach/a.pdf": Said(200, PDF, REST)}
    with watched(tmp_path, site(files, b"User-agent: *\nDisallow: /attach/\n")) as server:
        assert run(tmp_path)[0] == 0
        assert "/attach/a.pdf" not in server.paths()
    assert iprwatch("search", "公告第1号", "--json", cwd=tmp_path).json["total"] == 1


def test_a_pdf_without_text_says_so(tmp_path: Path) -> None:
    (file,) = crawl_files(tmp_path, {"/a.pdf": Said(200, make_pdf([]), REST)})
    assert (file["note"], "text" in file) == ("no text in the file", False)


def test_only_some_files_of_a_notice_are_asked_for_readable_ones_first(tmp_path: Path) -> None:
    files = {f"/{n}.zip": Said(200, b"PK", REST) for n in range(MOST)} | {"/last.pdf": Said(200, PDF, REST)}
    *zips, last = crawl_files(tmp_path, files)
    assert last["text"] == LINE
    assert [file["note"] for file in zips] == ["format not read"] * (MOST - 1) + [
        f"not fetched: only {MOST} files of a notice are"
    ]


def test_reading_again_keeps_the_texts(tmp_path: Path) -> None:
    before = crawl_files(tmp_path, {"/a.pdf": Said(200, PDF, REST), "/b.zip": Said(404)})
    ran = iprwatch("reparse", cwd=tmp_path)
    assert ran.code == 0, ran.err
    (hit,) = iprwatch("search", "蓝鲸集成电路", "--json", cwd=tmp_path).json["items"]
    assert stored_attachments(iprwatch("show", hit["uid"], "--json", cwd=tmp_path).json) == before


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
    return asyncio.run(fetch_attachments(crawler, Archive(tmp_path), notice, page)).attachments[0]


def test_a_file_that_never_comes_is_given_up(tmp_path: Path) -> None:
    found = fetch(tmp_path, DownloadTimeoutError("took longer than 60.0 seconds"))
    assert found == replace(FILE, note="not fetched: took longer than 60.0 seconds")


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
    with watched(tmp_path, site({"/a.pdf": Said(200, PDF, REST)})) as server:
        pages = {RECORDS: listing([1]), ARTICLE: notice_page("/a.pdf")}
        for number, (path, body) in enumerate(pages.items()):
            folder = tmp_path / "web" / str(number)
            folder.mkdir(parents=True)
            (folder / "page.html").write_bytes(body)
            stated = {
                "url": server.url + path,
                "status": 200,
                "headers": {},
                "fetched": "2026-11-20T09:00:00+08:00",
            }
            (folder / "page.json").write_text(json.dumps(stated), encoding="utf-8")
        ran = iprwatch("crawl", "--replay", "web", "--json", cwd=tmp_path)
        assert server.seen == []
    assert (ran.code, ran.json["sources"][0]["state"]) == (0, "ok")
    (hit,) = iprwatch("search", "公告第1号", "--json", cwd=tmp_path).json["items"]
    shown = iprwatch("show", hit["uid"], "--json", cwd=tmp_path).json
    assert stored_attachments(shown) == [{"note": "not recorded"}]
