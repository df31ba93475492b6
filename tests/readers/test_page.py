"""The text of a page is what its bytes are, whatever the server declares."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawlers.page import Page

CHINESE = "<html><title>关于商标代理的通知</title><p>为加强商标代理管理，现就有关事项通知如下。</p></html>"
WESTERN = "<html><title>Café “Étoile”</title><p>Résumé of a ruling: the mark Müller & Søn was naïvely copied.</p></html>"


def text(body: bytes, charset: str) -> str:
    headers = {"content-type": f"text/html; charset={charset}"}
    return Page("https://www.example.org/", body, datetime(2026, 11, 20, tzinfo=UTC), headers=headers).text


@pytest.mark.parametrize(
    "declared", ["gb2312", "utf-8", "iso-8859-1", "windows-1252", "us-ascii", "iso-8859-15", "none-such"]
)
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_chinese_is_read_whatever_is_declared(encoding: str, declared: str) -> None:
    assert text(CHINESE.encode(encoding), declared) == CHINESE


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1252"])
def test_a_western_text_is_not_taken_for_chinese(declared: str) -> None:
    assert text(WESTERN.encode("cp1252"), declared) == WESTERN


def test_tags_that_refusals_look_at_are_found_in_any_case() -> None:
    body = b"<!doctype html><HTML><title>a</title><inputs><Input type=text><htm><TITLE >html</TITLE></html>"
    openings = Page("", body, datetime(2026, 11, 20, tzinfo=UTC)).openings
    assert {tag: [body[place:][:6] for place in places] for tag, places in openings.items()} == {
        "html": [b"<HTML>"],
        "input": [b"<Input"],
        "title": [b"<title", b"<TITLE"],
    }


def test_a_declared_encoding_of_east_asia_is_believed() -> None:
    assert text("商標法修正草案".encode("big5"), "big5") == "商標法修正草案"


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("1<!-- 2 -->3", "13"),
        ("1<!-->2<!-- 3 -->4", "124"),
        ("1<!--->2<!-- 3 -->4", "124"),
        ("1<!---->2", "12"),
        ("1<!-- 2 --!>3<!-- 4 -->5", "135"),
        ("1<!-- 2 - -- > --->3", "13"),
        ("1<!-- 2", "1"),
        ("1<script>2</script >3", "13"),
        ("1<SCRIPT src=a>2</scripts></script a>3", "13"),
        ("1<script/>2</script/>3", "13"),
        ("1<script>2</script", "1"),
        ("1<script>2</script a", "1"),
        ("1<style-x>2</style-x>3<style>4</style>5", "1<style-x>2</style-x>35"),
        ("1<textarea>2<b>3</textarea>4", "14"),
    ],
)
def test_what_is_seen_of_a_page_is_what_browsers_show(source: str, seen: str) -> None:
    assert Page("", source.encode(), datetime(2026, 11, 20, tzinfo=UTC)).seen == seen
