"""Feeds of every format, whole, hostile and broken; and the real ones, counted by other means."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest

from crawlers.errors import Blocked, LayoutChanged
from crawlers.notice import ListPage, PrintedDate
from crawlers.page import Page
from crawlers.readers import feed
from pipeline.dates import choose

Recorded = Callable[[str], Page]
FEEDS = [
    "wewe_atom",
    "wewe_json",
    "wechat_feeds_rss",
    "we_mp_rss_export",
    "rss_full_text",
    "rss_one",
    "json_feed",
    "empty",
]
WECHAT_FEEDS = [
    "beijing_ip_MzA3OTg4MzcwMg.xml",
    "cavca_av_copyright_MzUzNjk0NzYzNw.xml",
    "chongqing_high_court_MzI1NTczNDA4MA.xml",
    "cnipa_MzA3ODU0NDE4OA.xml",
    "ipr_gov_MzI0OTE3MDAyMg.xml",
    "legal_daily_MzA5NzA3OTEyNg.xml",
    "peoples_court_daily_MzA4MjQ0Njc5OQ.xml",
    "procurators_college_journal_MzAxNjI5NjIzMg.xml",
    "pudong_ip_MzA3MDYxNjU3Nw.xml",
    "qidong_procuratorate_MzI0NjI3ODMxMw.xml",
    "spp_MzA4MjQ5MzIxNQ.xml",
]
FETCHED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def made(body: str, url: str = "https://feeds.example.org/ip.xml") -> Page:
    return Page(url, body.encode(), FETCHED)


def changed(page: Page, old: str, new: str) -> Page:
    assert old.encode() in page.body, f"nothing to change: {old}"
    return replace(page, body=page.body.replace(old.encode(), new.encode()))


def atom(content: str) -> Page:
    return made(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>地理标志</title>'
        f'<link href="https://news.example.org/1"/>{content}</entry></feed>'
    )


@pytest.mark.parametrize("case", FEEDS)
def test_a_feed_is_recognised_by_its_content_alone(recorded: Recorded, case: str) -> None:
    page = recorded(f"feed/{case}")
    assert feed.recognises(replace(page, url=""))
    assert feed.kind_of(page) == "list"


@pytest.mark.parametrize(
    "case", ["cnipa/records_74", "spp/list_zdgz", "wechat/album_json", "media/list_sitemap"]
)
def test_another_list_is_no_feed(recorded: Recorded, case: str) -> None:
    assert not feed.recognises(recorded(case))


def test_an_atom_entry_has_title_link_and_the_date_of_publication(recorded: Recorded) -> None:
    listed = feed.read_list(recorded("feed/wewe_atom"))
    assert [entry.position for entry in listed.entries] == [0, 1, 2]
    entry = listed.entries[0]
    assert entry.title == "云栖茶业“雾里青”商标侵权案二审维持原判 & 赔偿额不变"
    assert entry.url == "https://mp.weixin.qq.com/s/Ip1watch0Feed0Wewe0001"
    assert entry.date == PrintedDate("2026-11-19T10:05:12.000Z", "feed entry")
    assert entry.identity is None


def test_the_updated_date_of_other_feeds_is_one_of_change() -> None:
    entry = feed.read_list(atom("<id>a1</id><updated>2026-11-19T10:05:12Z</updated>")).entries[0]
    assert entry.date == PrintedDate("2026-11-19T10:05:12Z", "feed entry", "modified")


def test_the_only_date_of_wewe_json_is_one_of_publication(recorded: Recorded) -> None:
    entry = feed.read_list(recorded("feed/wewe_json")).entries[0]
    assert entry.date == PrintedDate("2026-11-16T08:20:30.000Z", "feed entry")


def test_a_long_wechat_link_states_the_identity(recorded: Recorded) -> None:
    entry = feed.read_list(recorded("feed/wechat_feeds_rss")).entries[1]
    assert entry.url.startswith("https://mp.weixin.qq.com/s?__biz=MzkwMDAwMDAwMQ==&mid=2650000201&idx=2&sn=")
    assert entry.identity == "wechat:MzkwMDAwMDAwMQ==/2650000201/2"


def test_characters_that_nobody_sees_are_no_part_of_a_title(recorded: Recorded) -> None:
    assert (
        feed.read_list(recorded("feed/wechat_feeds_rss")).entries[1].title == "外观设计专利侵权判定的五个问题"
    )


def test_a_text_that_repeats_the_title_is_no_text(recorded: Recorded) -> None:
    assert feed.read_notices(recorded("feed/wechat_feeds_rss")) == ()


def test_an_export_states_identity_account_and_unix_time(recorded: Recorded) -> None:
    page = recorded("feed/we_mp_rss_export")
    entry = feed.read_list(page).entries[0]
    assert entry.identity == "wechat:MzkwMDAwMDAwMQ==/2650000301/1"
    assert entry.date == PrintedDate("1794974400", "feed entry", form="unix")
    notice = feed.read_notices(page)[0]
    assert (notice.publisher, notice.account_id) == ("知产观察示例", "MzkwMDAwMDAwMQ==")


def test_an_rss_1_feed_in_gb2312_is_read(recorded: Recorded) -> None:
    (entry,) = feed.read_list(recorded("feed/rss_one")).entries
    assert entry.title == "植物新品种权纠纷典型案例发布"
    assert entry.date == PrintedDate("2026-11-12T16:40+08:00", "feed entry")


def test_a_bare_ampersand_and_a_control_character_do_no_harm(recorded: Recorded) -> None:
    page = recorded("feed/rss_full_text")
    assert b"Tea & T" in page.body
    assert b"\x0b" in page.body
    titles = [entry.title for entry in feed.read_list(page).entries]
    assert titles == [
        "Tea & Trademarks: Court Upholds Award to Yunqi",
        "Draft Rules on Geographical Indications Open for Comment",
    ]


def test_a_relative_link_is_made_absolute(recorded: Recorded) -> None:
    entry = feed.read_list(recorded("feed/rss_full_text")).entries[0]
    assert entry.url == "https://blog.example.org/ip/2026/11/tea-and-trademarks/"


def test_a_permanent_guid_is_the_link_where_none_is(recorded: Recorded) -> None:
    entry = feed.read_list(recorded("feed/rss_full_text")).entries[1]
    assert entry.url == "https://blog.example.org/ip/2026/11/gi-draft-rules/"


def test_a_guid_that_is_no_link_does_not_become_one(recorded: Recorded) -> None:
    page = changed(recorded("feed/rss_full_text"), "<guid>", '<guid isPermaLink="false">')
    assert len(feed.read_list(page).entries) == 1


def test_an_entry_without_a_title_is_skipped_with_a_warning(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        listed = feed.read_list(recorded("feed/json_feed"))
    assert [entry.title for entry in listed.entries] == ["Licence dispute over charging patents settled"]
    assert "Skipped entry 1" in caplog.text


def test_a_feed_of_unusable_entries_only_is_a_change(recorded: Recorded) -> None:
    page = changed(recorded("feed/wewe_atom"), "<link href", "<source href")
    with pytest.raises(LayoutChanged, match="3 entries"):
        feed.read_list(page)


def test_a_link_that_is_no_http_link_leads_nowhere() -> None:
    page = made(
        "<rss><channel><item><title>甲</title><link>javascript:alert(1)</link></item>"
        "<item><title>乙</title><link>https://news.example.org/2</link></item></channel></rss>"
    )
    assert [entry.title for entry in feed.read_list(page).entries] == ["乙"]


def test_the_next_page_of_a_json_feed_is_followed(recorded: Recorded) -> None:
    assert (
        feed.read_list(recorded("feed/json_feed")).next_url == "https://news.example.org/ip/feed.json?page=2"
    )


def test_an_atom_feed_names_its_next_page() -> None:
    page = changed(atom(""), "</entry>", '</entry><link rel="next" href="?page=2"/>')
    assert feed.read_list(page).next_url == "https://feeds.example.org/ip.xml?page=2"


def test_an_empty_feed_is_an_empty_list(recorded: Recorded) -> None:
    assert feed.read_list(recorded("feed/empty")) == ListPage(())


def test_a_full_text_becomes_a_notice(recorded: Recorded) -> None:
    (notice,) = feed.read_notices(recorded("feed/rss_full_text"))
    assert notice.body == (
        "The appeal court kept the award of RMB 860,000 to Yunqi Tea.\n"
        "It found the marks confusingly similar; see the judgment (PDF) and this."
    )
    assert notice.author == "Lin Example"
    assert [attachment.url for attachment in notice.attachments] == [
        "https://blog.example.org/ip/files/judgment.pdf"
    ]
    assert notice.links == ()
    assert notice.entry == feed.read_list(recorded("feed/rss_full_text")).entries[0]


def test_a_notice_keeps_the_dates_of_publication_and_of_change(recorded: Recorded) -> None:
    (notice,) = feed.read_notices(recorded("feed/json_feed"))
    assert [(date.raw, date.meaning) for date in notice.dates] == [
        ("2026-11-13T17:30:00+08:00", "published"),
        ("2026-11-14T09:00:00+08:00", "modified"),
    ]


def test_a_text_without_markup_keeps_its_paragraphs(recorded: Recorded) -> None:
    (notice,) = feed.read_notices(recorded("feed/json_feed"))
    assert notice.body.split("\n") == [
        "Qingfeng Power and Beichuan Motors ended their dispute.",
        "The terms were not disclosed.",
    ]


def test_a_failure_to_fetch_is_an_entry_and_no_notice(recorded: Recorded) -> None:
    page = recorded("feed/wewe_atom")
    assert len(feed.read_list(page).entries) == 3
    assert [notice.url[-4:] for notice in feed.read_notices(page)] == ["0001"]


def test_an_article_that_its_author_deleted_is_no_notice(recorded: Recorded) -> None:
    page = recorded("feed/we_mp_rss_export")
    assert len(feed.read_list(page).entries) == 2
    assert [notice.title for notice in feed.read_notices(page)] == ["“松间月”著作权纠纷案：改编与抄袭的界线"]


def test_a_long_text_about_a_failure_is_a_text() -> None:
    about = "平台提示“链接已过期”之后，权利人如何固定侵权证据？" + "律师建议尽早办理公证并保存原始载体。" * 6
    assert len(feed.read_notices(atom(f'<content type="html">{about}</content>'))) == 1


def test_a_teaser_is_no_notice(recorded: Recorded) -> None:
    urls = [notice.url for notice in feed.read_notices(recorded("feed/rss_full_text"))]
    assert "https://blog.example.org/ip/2026/11/gi-draft-rules/" not in urls


def test_a_summary_is_no_text() -> None:
    assert feed.read_notices(atom("<summary>地理标志保护工程在全国启动。</summary>")) == ()


def test_xhtml_content_is_read_without_its_namespace() -> None:
    content = (
        '<content type="xhtml"><x:div xmlns:x="http://www.w3.org/1999/xhtml">'
        '<x:p>第一段</x:p><x:p>第二段<x:a href="/law">条例</x:a></x:p></x:div></content>'
    )
    (notice,) = feed.read_notices(atom(content))
    assert notice.body == "第一段\n第二段条例"
    assert notice.links == ("https://news.example.org/law",)


def test_an_archived_feed_gives_the_article_of_an_entry_again(recorded: Recorded) -> None:
    page = recorded("feed/wewe_atom")
    (notice,) = feed.read_notices(page)
    assert feed.read_article(page, notice.entry) == notice


def test_an_entry_without_text_has_no_article_in_the_feed(recorded: Recorded) -> None:
    page = recorded("feed/wewe_atom")
    with pytest.raises(LayoutChanged, match="full text"):
        feed.read_article(page, feed.read_list(page).entries[2])


def test_a_feed_is_no_article(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="no entry"):
        feed.read_article(recorded("feed/wewe_atom"))


def test_a_document_that_declares_entities_is_refused(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="entities, which are never expanded"):
        feed.read_list(recorded("feed/entity_bomb"))


def test_a_document_in_utf_16_that_declares_entities_is_refused(recorded: Recorded) -> None:
    text = recorded("feed/entity_bomb").text
    with pytest.raises(LayoutChanged, match="entities, which are never expanded"):
        feed.read_list(replace(recorded("feed/entity_bomb"), body=text.encode("utf-16")))


def test_a_file_outside_is_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("机密", encoding="utf-8")
    page = made(
        f'<!DOCTYPE rss SYSTEM "{secret.as_uri()}"><rss><channel><item><title>&secret;</title>'
        "<link>https://news.example.org/1</link></item></channel></rss>"
    )
    assert feed.read_list(page).entries[0].title == "&secret;"


def test_an_article_about_document_types_is_no_document_type() -> None:
    content = '<content type="html"><![CDATA[<p>Do not write <!DOCTYPE x [ in a feed.</p>]]></content>'
    assert len(feed.read_list(atom(content)).entries) == 1


def test_html_entities_that_xml_lacks_are_characters() -> None:
    page = made(
        "<rss><channel><item><title>商标&mdash;专利&nbsp;&#x4E8C;&#11;</title>"
        "<link>https://news.example.org/?a=1&b=2</link></item></channel></rss>"
    )
    (entry,) = feed.read_list(page).entries
    assert entry.title == "商标—专利 二"
    assert entry.url == "https://news.example.org/?a=1&b=2"


def test_an_ampersand_inside_cdata_stays(recorded: Recorded) -> None:
    page = changed(recorded("feed/rss_full_text"), "Lin Example", "Lin & Wu")
    assert feed.read_notices(page)[0].author == "Lin & Wu"


def test_a_feed_that_is_cut_off_is_refused(recorded: Recorded) -> None:
    with pytest.raises(LayoutChanged, match="broken XML"):
        feed.read_list(recorded("feed/cut_off"))


def test_json_that_is_cut_off_is_refused(recorded: Recorded) -> None:
    page = recorded("feed/wewe_json")
    with pytest.raises(LayoutChanged, match="broken JSON"):
        feed.read_list(replace(page, body=page.body[:500]))


@pytest.mark.parametrize(
    "body", ['{"version": "https://jsonfeed.org/version/1", "items": 3}', '["mp_id"]', "", "<rss/>"]
)
def test_what_only_looks_like_a_feed_is_refused(body: str) -> None:
    with pytest.raises(LayoutChanged):
        feed.read_list(made(body))


def test_html_in_place_of_a_feed_is_a_change(recorded: Recorded) -> None:
    for read in (feed.kind_of, feed.read_list, feed.read_notices):
        with pytest.raises(LayoutChanged, match="something else"):
            read(recorded("feed/layout_changed"))


def test_a_challenge_in_place_of_a_feed_is_blocked(recorded: Recorded) -> None:
    for read in (feed.kind_of, feed.read_list, feed.read_notices):
        with pytest.raises(Blocked):
            read(recorded("feed/blocked"))


def test_a_refusing_status_is_blocked_whatever_came_with_it(recorded: Recorded) -> None:
    with pytest.raises(Blocked, match="http 503"):
        feed.read_list(replace(recorded("feed/wewe_atom"), status=503))


def test_an_entry_that_names_an_error_page_does_not_end_the_feed() -> None:
    page = changed(atom(""), "地理标志", "404 Not Found 商标纠纷案宣判")
    assert feed.read_list(page).entries[0].title == "404 Not Found 商标纠纷案宣判"


@pytest.mark.parametrize("name", WECHAT_FEEDS)
def test_a_real_feed_gives_what_its_text_holds(captures: Path, name: str) -> None:
    body = (captures / "wechat_feeds" / name).read_bytes()
    text = body.decode("utf-8")
    items = re.findall(
        r"<item><title>(.*?)</title><link>(.*?)</link>.*?<pubDate>(.*?)</pubDate></item>", text, re.S
    )
    assert len(items) == text.count("<item>")
    page = Page("", body, FETCHED)
    listed = feed.read_list(page)
    assert [(entry.title, entry.url, entry.date.raw if entry.date else None) for entry in listed.entries] == [
        (" ".join(unescape(title).replace("\u200b", "").split()), unescape(url), date)
        for title, url, date in items
    ]
    assert feed.read_notices(page) == ()


@pytest.mark.parametrize("name", WECHAT_FEEDS)
def test_a_real_date_is_read_to_the_second_with_its_zone(captures: Path, name: str) -> None:
    listed = feed.read_list(Page("", (captures / "wechat_feeds" / name).read_bytes(), FETCHED))
    for entry in listed.entries:
        assert entry.date is not None
        best = choose([entry.date], FETCHED).best
        assert best is not None
        assert best.precision == "second"
        assert isinstance(best.value, datetime)
        assert best.value == datetime.strptime(entry.date.raw, "%a, %d %b %Y %H:%M:%S %z")


def test_a_real_export_gives_what_its_json_holds(captures: Path) -> None:
    body = (captures / "wechat_feeds" / "we_mp_rss_export.json").read_bytes()
    stated = json.loads(body)
    page = Page("", body, FETCHED)
    entries = feed.read_list(page).entries
    assert [(entry.title, entry.url) for entry in entries] == [(one["title"], one["url"]) for one in stated]
    moments = [choose([entry.date], FETCHED).best for entry in entries if entry.date]
    assert [best.value for best in moments if best] == [
        datetime.fromtimestamp(one["publish_time"], UTC) for one in stated
    ]
    notices = feed.read_notices(page)
    assert [notice.publisher for notice in notices] == [one["mp_name"] for one in stated]
    assert all(len(notice.body) > 20 for notice in notices)
