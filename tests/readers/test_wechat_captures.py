"""The WeChat and album readers on real pages of 2018 to 2026, against the list that came with the pages."""

from __future__ import annotations

import csv
import gzip
import json
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest
from lxml import html

from crawlers import readers
from crawlers.errors import Gone
from crawlers.notice import ListPage, Notice
from crawlers.page import Page
from crawlers.readers import wechat

BEIJING = ZoneInfo("Asia/Shanghai")

ARTICLES = tuple(
    f"wechat/{name}"
    for name in (
        "t0_biao_20250331_2247484420.html.gz",
        "t0_biao_20250509_2247484482.html.gz",
        "t0_biao_20250530_2247484503.html.gz",
        "t0_biao_20250627_2247484518.html.gz",
        "t0_biao_20250728_2247484523.html.gz",
        "t0_biao_20251203_2247484540.html.gz",
        "t0_biao_20251220_2247484553.html.gz",
        "t0_biao_20251231_2247484558.html.gz",
        "t0_biao_20260115_2247484563.html.gz",
        "t0_biao_20260309_2247484584.html.gz",
        "t0_gne2020_1.html.gz",
        "t0_normal_01.html.gz",
        "t0_normal_02.html.gz",
        "t0_normal_03.html.gz",
        "t0_share_01.html.gz",
        "t0_share_02.html.gz",
        "t0_share_04.html.gz",
        "t0_sogou2018_backgroud-image.html",
        "t0_sogou2018_mpvoice.html",
        "t0_sogou2018_qqmusic.html",
        "t10_text_01.html.gz",
        "t10_text_02.html.gz",
        "t10_text_03.html.gz",
        "t10_text_c01.html.gz",
        "t10_text_c02.html.gz",
        "t10_text_c04.html.gz",
        "t10_text_c05.html.gz",
        "t8_image_01.html.gz",
        "t8_image_03.html.gz",
        "t8_image_04.html.gz",
        "t8_image_c01.html.gz",
    )
)
ALBUMS = {
    "wechat/album_getalbum_2247483853.json": (16, False),
    "wechat/album_getalbum_2247484063.json": (20, True),
    "wechat/album_getalbum_2247484179.json": (20, True),
    "wechat/album_getalbum_2247484420.json": (20, True),
    "wechat/album_getalbum_2247484477.json": (20, True),
    "wechat/album_getalbum_single_2247484545.json": (1, False),
    "wechat/album_page_20260309.html.gz": (10, True),
}
TOMBSTONES = {
    "wechat/deleted_by_author_01.html": "deleted",
    "wechat/deleted_by_author_06.html": "deleted",
    "wechat/t0_sogou2018_expired.html": "expired",
    "wechat/temporarily_unavailable_01.html": "unavailable",
    "wechat/violation_01.html": "violation",
}
# The list calls these three "list" and notes itself that they are no lists of articles.
ACCOUNTS = {
    "wechat/aboutbiz_MjM5ODMxNzE2NQ.html": "MjM5ODMxNzE2NQ==",
    "wechat/aboutbiz_MzI0Nzg2MTExMA.html": "MzI0Nzg2MTExMA==",
    "wechat/aboutbiz_MzIxMTgzNjE5MA.html": "MzIxMTgzNjE5MA==",
}
BACKEND = "backend_json"  # answers of a logged-in editor's API; no reader of ours is for them

Manifest = dict[str, dict[str, str]]


class Load(Protocol):
    def __call__(self, name: str, *, with_url: bool = True) -> Page: ...


@pytest.fixture(scope="module")
def manifest(captures: Path) -> Manifest:
    with (captures / "MANIFEST.csv").open(encoding="utf-8", newline="") as lines:
        return {row["file"]: row for row in csv.DictReader(lines)}


@pytest.fixture
def load(captures: Path, manifest: Manifest) -> Load:
    def load_file(name: str, *, with_url: bool = True) -> Page:
        body = (captures / name).read_bytes()
        if name.endswith(".gz"):
            body = gzip.decompress(body)
        url = manifest[name]["original_url"] if with_url else ""
        return Page(url, body, datetime(2026, 11, 20, 1, 5, tzinfo=UTC))

    return load_file


READ: dict[tuple[str, str], Notice] = {}


def article(page: Page) -> Notice:
    """What is read of a page, once for all tests: real pages are long."""
    notice = READ.get((page.url, page.sha256)) or readers.read(page)
    assert isinstance(notice, Notice)
    return READ.setdefault((page.url, page.sha256), notice)


def letters(text: str) -> str:
    return re.sub(r"[\s\u200b-\u200d\u2060\ufeff]+", "", text)


def test_every_wechat_page_of_the_list_has_a_test(manifest: Manifest) -> None:
    listed = {name for name, row in manifest.items() if name.startswith("wechat/") and row["kind"] != BACKEND}
    assert listed == {*ARTICLES, *ALBUMS, *TOMBSTONES, *ACCOUNTS}


@pytest.mark.parametrize("with_url", [True, False])
@pytest.mark.parametrize("name", ARTICLES)
def test_an_article_has_the_title_of_the_list(
    load: Load, manifest: Manifest, name: str, with_url: bool
) -> None:
    notice = article(load(name, with_url=with_url))
    assert notice.reader == "wechat"
    listed = manifest[name]["title"]
    if name in ("wechat/t10_text_02.html.gz", "wechat/t10_text_03.html.gz"):
        # The list says that the page has no og:title. It has one, which holds the whole text with its line
        # breaks spelled `\n`: these posts have no title, so their first line is it.
        page = load(name)
        assert listed == ""
        assert b'property="og:title"' in page.body
        assert notice.title == notice.body.splitlines()[0]
    else:
        # c04, too, is a post without a title: the list gives the whole text, cut, its breaks spelled `\n`.
        assert notice.title == listed.split("\\n")[0]


@pytest.mark.parametrize("name", ARTICLES)
def test_an_article_has_the_account_and_the_instant_of_the_list(
    load: Load, manifest: Manifest, name: str
) -> None:
    notice = article(load(name))
    note = manifest[name]["note"]
    account, instant = re.search(r"account ([^;]+);", note), re.search(r"ct=(\d+)", note)
    assert account
    assert instant
    assert notice.publisher == account[1]
    assert (notice.dates[0].raw, notice.dates[0].form) == (instant[1], "unix")


@pytest.mark.parametrize("name", ARTICLES)
def test_an_article_has_the_minute_of_the_list(load: Load, manifest: Manifest, name: str) -> None:
    notice = article(load(name))
    listed = manifest[name]["published"]
    first = datetime.fromtimestamp(int(notice.dates[0].raw), BEIJING).strftime("%Y-%m-%d %H:%M")
    if listed == "昨天":
        # Saved by a browser the day after: the word says nothing without the day of saving.
        assert [date.raw for date in notice.dates] == ["1581517074", "昨天"]
    else:
        assert first.startswith(listed)
        assert notice.dates[1].raw == listed


@pytest.mark.parametrize("name", ARTICLES)
def test_the_body_is_all_of_the_article_and_nothing_else(load: Load, name: str) -> None:
    page = load(name)
    notice = article(page)
    if notice.item_type in ("8", "10"):
        start = page.body.index(b"window.cgiDataNew = {")
        block = page.body[start : page.body.index(b"</script", start)].decode()
        fields = re.findall(r"\bcontent_noencode: (?:JsDecode\()?'(.*)'\)?,\n", block)
        expected = next(text for text in reversed(fields) if text)
        expected = re.sub(r"\\x(..)", lambda code: chr(int(code[1], 16)), expected)
    else:
        document = html.document_fromstring(
            page.body, parser=html.HTMLParser(encoding="utf-8", huge_tree=True)
        )
        element = document.get_element_by_id("js_content")
        for script in list(element.iter("script", "style")):
            script.drop_tree()
        expected = element.text_content()
    assert letters(notice.body) == letters(expected)
    assert notice.body_note is None


@pytest.mark.parametrize("name", ["t10_text_01", "t10_text_c01", "t8_image_01"])
def test_a_post_agrees_with_its_object_as_a_browser_evaluated_it(
    load: Load, captures: Path, name: str
) -> None:
    notice = article(load(f"wechat/{name}.html.gz"))
    evaluated = json.loads((captures / "derived" / f"cgidatanew_{name}.json").read_text(encoding="utf-8"))
    text = (evaluated.get("text_page_info") or evaluated)["content_noencode"]
    assert letters(notice.body) == letters(text)
    assert notice.title == evaluated["title"]
    assert notice.identity == f"wechat:{evaluated['bizuin']}/{evaluated['mid']}/{evaluated['idx']}"
    pictures = (unescape(picture["cdn_url"]) for picture in evaluated["picture_page_info_list"])
    assert notice.images == tuple(pictures)


@pytest.mark.parametrize("name", ARTICLES)
def test_every_article_states_its_identity(load: Load, name: str) -> None:
    page = load(name)
    notice = article(page)
    assert notice.identity is not None
    assert re.fullmatch(r"wechat:M[\w+/]+={0,2}/\d{10}/\d|wechat:ODUzMjkwMzYx/\d{10}/\d", notice.identity)
    mid = re.search(r"mid=(\d+)", page.url)
    if mid:
        assert notice.identity.split("/")[1] == mid[1]


def test_two_captures_of_one_post_have_one_identity(load: Load) -> None:
    saved = [article(load(f"wechat/t10_text_{number}.html.gz")) for number in ("01", "c05")]
    assert saved[0].identity == saved[1].identity
    assert saved[0].body == saved[1].body


@pytest.mark.parametrize("with_url", [True, False])
@pytest.mark.parametrize("name", TOMBSTONES)
def test_a_tombstone_is_gone(load: Load, name: str, with_url: bool) -> None:
    with pytest.raises(Gone) as caught:
        readers.read(load(name, with_url=with_url))
    assert caught.value.kind == TOMBSTONES[name]


@pytest.mark.parametrize("name", ACCOUNTS)
def test_an_account_page_is_an_account(load: Load, name: str) -> None:
    accounts = readers.read(load(name))
    assert isinstance(accounts, tuple)
    (account,) = accounts
    assert account.account_id == ACCOUNTS[name]
    assert account.name
    assert account.description


@pytest.mark.parametrize("name", ALBUMS)
def test_an_album_lists_every_article(load: Load, manifest: Manifest, name: str) -> None:
    listed = readers.read(load(name))
    assert isinstance(listed, ListPage)
    count, more = ALBUMS[name]
    assert len(listed.entries) == count
    assert (listed.next_url is not None) == more
    assert len({entry.identity for entry in listed.entries}) == count
    assert all(entry.date and entry.date.form == "unix" for entry in listed.entries)
    if name.endswith(".json"):
        assert listed.entries[0].title == manifest[name]["title"].removeprefix("first item: ")
        assert listed.entries[0].date.raw == manifest[name]["published"]  # type: ignore[union-attr]


def test_an_albums_entry_and_its_article_have_one_identity(load: Load) -> None:
    listed = readers.read(load("wechat/album_page_20260309.html.gz"))
    assert isinstance(listed, ListPage)
    newest = article(load("wechat/t0_biao_20260309_2247484584.html.gz"))
    assert (listed.entries[0].identity, listed.entries[0].title) == (newest.identity, newest.title)


@pytest.mark.parametrize("name", ARTICLES)
def test_no_live_article_is_taken_for_anything_else(load: Load, name: str) -> None:
    assert wechat.kind_of(load(name)) == "article"
