"""Recorded webs: what can be used, what is refused by name, and that a spider can't tell them from live."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import HtmlResponse, Response, XmlResponse

from crawlers.replay import NotRecorded, ReplayHandler, find_recordings, open_recorded_web, read_recording
from errors import ConfigurationError

URL = "https://www.example.cn/news/view?id=1&page=2"
NOTE: dict[str, Any] = {
    "url": URL,
    "status": 200,
    "headers": {"Content-Type": "text/html; charset=utf-8"},
    "fetched": "2026-11-20T09:00:00+08:00",
}


def record(folder: Path, body: bytes = b"<html></html>", name: str = "page.html", **changes: Any) -> Path:
    """A recorded page in a folder of its own; the path of its note."""
    folder.mkdir(parents=True)
    (folder / name).write_bytes(body)
    note = folder / "page.json"
    note.write_text(json.dumps({**NOTE, **changes}), encoding="utf-8")
    return note


def answer(web: Path, url: str) -> Response:
    crawler = Crawler(Spider, {"IPRWATCH_REPLAY": str(web)})
    return asyncio.run(ReplayHandler(crawler).download_request(Request(url)))


def test_a_recording_tells_what_was_served_and_when(tmp_path: Path) -> None:
    page = read_recording(record(tmp_path / "a", b"\xce\xc4")).open_page()
    assert (page.url, page.body, page.status) == (URL, b"\xce\xc4", 200)
    assert page.headers == {"content-type": "text/html; charset=utf-8"}
    assert page.fetched_at == datetime.fromisoformat("2026-11-20T09:00:00+08:00")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://[1"}, "Invalid IPv6"),
        ({"url": "http://x.cn:99999/"}, "Port"),
        ({"status": "fine"}, "'fine'"),
        ({"status": None}, "TypeError"),
        ({"status": 10**12}, "no HTTP status"),
        ({"headers": []}, "AttributeError"),
        ({"headers": None}, "AttributeError"),
        ({"fetched": "yesterday"}, "yesterday"),
        ({"fetched": 5}, "TypeError"),
        ({"fetched": "2026-11-20T09:00:00"}, "needs a zone"),
    ],
)
def test_a_note_that_cannot_be_used_is_named_with_its_fault(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    note = record(tmp_path / "a", **changes)
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_recording(note)
    assert str(note) in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "{", '{"url": 1}'])
def test_a_note_that_is_no_note_is_named(tmp_path: Path, text: str) -> None:
    note = record(tmp_path / "a")
    note.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"page\.json: can't be used"):
        read_recording(note)


@pytest.mark.parametrize("files", [(), ("page.html", "page.xml")])
def test_a_note_without_exactly_one_page_is_refused(tmp_path: Path, files: tuple[str, ...]) -> None:
    note = record(tmp_path / "a")
    (tmp_path / "a/page.html").unlink()
    for name in files:
        (tmp_path / "a" / name).touch()
    with pytest.raises(ConfigurationError, match=f"there are {len(files)}"):
        read_recording(note)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no recorded page"):
        list(find_recordings(tmp_path))


def test_recordings_come_in_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b", "a/2", "a/1"):
        record(tmp_path / name, url=f"https://example.cn/{name}")
    found = [recording.url.removeprefix("https://example.cn/") for recording in find_recordings(tmp_path)]
    assert found == ["a/1", "a/2", "b"]


@pytest.mark.parametrize("url", [URL, URL + "#top", URL.replace("&", "&amp;"), URL.replace("www", "WWW")])
def test_one_url_recorded_twice_is_refused(tmp_path: Path, url: str) -> None:
    record(tmp_path / "a")
    record(tmp_path / "b", url=url)
    with pytest.raises(ConfigurationError, match=r"is recorded at .*a/page\.html too"):
        open_recorded_web(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        URL,
        URL.replace("&", "&amp;"),
        URL + "#comments",
        "https://www.example.cn/news/view?page=2&id=1",
        "https://WWW.EXAMPLE.cn/news/view?id=1&page=2",
    ],
)
def test_a_request_is_answered_however_its_url_is_written(tmp_path: Path, url: str) -> None:
    record(tmp_path / "a", b"<html>it</html>")
    assert answer(tmp_path, url).body == b"<html>it</html>"


@pytest.mark.parametrize(
    "url", [URL.replace("id=1", "id=2"), URL.replace("https", "http"), "https://www.example.cn/"]
)
def test_a_page_that_is_not_recorded_is_not_made_up(tmp_path: Path, url: str) -> None:
    record(tmp_path / "a")
    with pytest.raises(NotRecorded, match="is not among the recorded pages"):
        answer(tmp_path, url)


def test_robots_txt_that_is_not_recorded_is_absent_from_the_site(tmp_path: Path) -> None:
    record(tmp_path / "a")
    assert answer(tmp_path, "https://www.example.cn/robots.txt").status == 404


def test_a_recorded_robots_txt_counts(tmp_path: Path) -> None:
    record(tmp_path / "a", b"User-agent: *", "page.txt", url="https://www.example.cn/robots.txt")
    said = answer(tmp_path, "https://www.example.cn/robots.txt")
    assert (said.status, said.body) == (200, b"User-agent: *")


def test_status_headers_and_kind_are_those_of_the_recording(tmp_path: Path) -> None:
    record(tmp_path / "a", b"<?xml version='1.0'?><a/>", "page.xml", status=412, headers={"X-One": "1"})
    said = answer(tmp_path, URL)
    assert (said.status, said.headers["X-One"]) == (412, b"1")
    assert isinstance(said, XmlResponse)


def test_the_time_of_the_recording_stands_for_the_clock(tmp_path: Path) -> None:
    record(tmp_path / "a")
    crawler = Crawler(Spider, {"IPRWATCH_REPLAY": str(tmp_path)})
    request = Request(URL)
    asyncio.run(ReplayHandler(crawler).download_request(request))
    assert request.meta["recorded_at"] == datetime.fromisoformat(NOTE["fetched"])


def test_a_body_that_was_unpacked_when_recorded_is_not_unpacked_again(tmp_path: Path) -> None:
    record(tmp_path / "a", headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})
    said = answer(tmp_path, URL)
    assert b"Content-Encoding" not in said.headers
    assert isinstance(said, HtmlResponse)
