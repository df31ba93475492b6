"""Identity and text: what is one article, and what only looks like one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from crawlers.errors import PageError
from crawlers.notice import Attachment, ListEntry, ListPage, Notice, PrintedDate
from crawlers.readers import read
from crawlers.replay import read_recording
from pipeline import interpret
from pipeline.normalize import fold, identify_url, make_storable, normalize, title_key
from pipeline.store.tables import Run
from pipeline.store.write import write_records
from query.search import search_items
from tests.notices import CONTEXT, FETCHED, make_notice

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NOTES = sorted(SAMPLES.rglob("page.json"))
LONG = "https://mp.weixin.qq.com/s?__biz=MzAxMDAwMDAwMA==&mid=2650000001&idx=1&sn=0123456789abcdef"
HEX = "0123456789abcdef0123456789abcdef"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"

# Each line: the key, then URLs of the same article.
SAME = {
    "court.gov.cn:436481": [
        "https://www.court.gov.cn/fabu/xiangqing/436481.html",
        "https://www.court.gov.cn/zixun/xiangqing/436481.html",
        "http://www.court.gov.cn/shenpan-xiangqing-436481.html",
        "http://www.court.gov.cn:80/fabu-xiangqing-436481.html?from=timeline#top",
        "https://court.gov.cn//fabu/xiangqing/436481.html",
        "https://WWW.COURT.GOV.CN./fabu/xiangqing/436481.html",
    ],
    "spp:730692": [
        "https://www.spp.gov.cn/spp/zdgz/202611/t20261118_730692.shtml",
        "http://www.spp.gov.cn/xwfbh/wsfbt/202611/t20261118_730692.shtml#1",
        "https://spp.gov.cn:443//zdgz/t20261118_730692.html",
    ],
    "cnipa:207729": [
        "https://www.cnipa.gov.cn/art/2026/11/18/art_53_207729.html",
        "http://www.cnipa.gov.cn/art/2026/11/18/art_75_207729.html?xxgkhide=1",
        "https://www.cnipa.gov.cn/col/col53/art/2026/11/18/art_53_207729.html",
        "https://cnipa.gov.cn/art/2026/11/8/art_53_207729.htm",
    ],
    "hanweb:ip.example.gov.cn:207729": ["http://ip.example.gov.cn/art/2026/11/18/art_1_207729.html"],
    "chinacourt:7171637": [
        "https://www.chinacourt.org/article/detail/2026/11/id/7171637.shtml",
        "http://www.chinacourt.cn/article/detail/2026/11/id/7171637.shtml?x=1",
    ],
    "chinacourt:bjzcfy.bjcourt.gov.cn:7171637": [
        "https://bjzcfy.bjcourt.gov.cn/article/detail/2026/11/id/7171637.shtml"
    ],
    "gov.cn:7077199": [
        "https://www.gov.cn/zhengce/content/202611/content_7077199.htm",
        "http://www.gov.cn/yaowen/liebiao/202611/content_7077199.htm",
    ],
    "ipc.court.gov.cn:5999": [
        "https://ipc.court.gov.cn/zh-cn/news/view-5999.html",
        "https://enipc.court.gov.cn/zh-cn/news/view-5999.html",
    ],
    f"samr:{HEX}": [
        f"https://www.samr.gov.cn/xw/mtjj/art/2026/art_{HEX}.html",
        f"https://www.samr.gov.cn:8890/xw/zj/art/2026/art_{HEX}.html",
    ],
    f"sipa:{HEX}": [f"https://sipa.sh.gov.cn/tzgg/20261118/{HEX}.html"],
    "zscqj.beijing:743662423": ["https://zscqj.beijing.gov.cn/zscqj/sjd/tpxw65/743662423/index.html"],
    "ipr.mofcom:1996842": ["http://ipr.mofcom.gov.cn/article/gnxw/zfbm/202611/1996842.html"],
    "iprchn:147888": [
        "http://www.iprchn.com/cipnews/news_content.aspx?newsId=147888",
        "http://iprchn.com/Index_NewsContent.aspx?NewsId=147888",
    ],
    "ipdrc:482": ["https://www.cnipa-ipdrc.org.cn/news_content.aspx?newsId=482&type=3"],
    "trs:www.ncac.gov.cn:51": [
        "https://www.ncac.gov.cn/xxfb/tzgg/202611/t20261118_51.html",
        "https://www.ncac.gov.cn/xxfb/tzgg/202611/t20261118_51_ext.json",
    ],
    "cninfo:1224811111": ["https://static.cninfo.com.cn/finalpage/2026-11-18/1224811111.PDF"],
    "sse:688001_20261118_AB12.pdf": [
        "https://static.sse.com.cn/disclosure/listedinfo/announcement/c/new/2026-11-18/688001_20261118_AB12.pdf",
        "http://www.sse.com.cn/disclosure/listedinfo/announcement/c/688001_20261118_AB12.pdf",
    ],
    "wechat:MzAxMDAwMDAwMA==/2650000001/1": [
        LONG,
        LONG.replace("&", "&amp;"),
        LONG.replace("==", "%3D%3D"),
        LONG.replace("https", "http") + "&chksm=8f00&scene=27&key=&ascene=0&uin=&devicetype=Windows#wechat_redirect",
        LONG.replace("/s?", "/s/?") + "#rd",
        "https://mp.weixin.qq.com/s?sn=ffff&idx=1&mid=2650000001&__biz=MzAxMDAwMDAwMA==&mpshare=1",
    ],
    "wechat-short:AbCdEfGhIj_0123456-xyz": [
        "https://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz",
        "http://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz?scene=1&amp;from=timeline#rd",
    ],
    "url:www.example.cn/news/7.html": [
        "https://www.example.cn/news/7.html",
        "http://www.example.cn/news/7.html#comments",
        "http://www.example.cn:80/news/7.html",
        "https://www.example.cn:443//news///7.html",
        "HTTPS://WWW.Example.CN/news/7.html ",
    ],
    "url:www.example.cn/list?a=1&b=2": [
        "https://www.example.cn/list?a=1&b=2",
        "https://www.example.cn/list?b=2&amp;a=1",
    ],
    "url:www.example.cn/": ["https://www.example.cn", "http://www.example.cn/"],
    "url:www.example.cn/%E6%96%B0": ["https://www.example.cn/新", "https://www.example.cn/%e6%96%b0"],
}  # fmt: skip

DIFFERENT = [
    ("https://www.court.gov.cn/fabu/xiangqing/436481.html", "https://www.court.gov.cn/fabu/xiangqing/436482.html"),
    ("https://www.court.gov.cn/fabu/gengduo/16.html", "https://www.court.gov.cn/fabu/gengduo/16_2.html"),
    ("https://www.court.gov.cn/fabu/xiangqing/1.html", "https://www.spp.gov.cn/fabu/xiangqing/1.html"),
    ("https://www.court.gov.cn/fabu/xiangqing/1.html", "https://www.court.gov.cn.example.cn/fabu/xiangqing/1.html"),
    ("https://www.spp.gov.cn/t20261118_1.shtml", "https://www.spp.gov.cn/t20261118_2.shtml"),
    ("https://www.spp.gov.cn/t20261118_1.shtml", "https://www.ncac.gov.cn/t20261118_1.shtml"),
    ("https://www.cnipa.gov.cn/art/2026/11/18/art_53_1.html", "https://www.cnipa.gov.cn/art/2026/11/18/art_53_2.html"),
    ("https://www.cnipa.gov.cn/art/2026/11/18/art_53_1.html", "https://x.gov.cn/art/2026/11/18/art_53_1.html"),
    ("https://www.cnipa.gov.cn/col/col53/index.html", "https://www.cnipa.gov.cn/col/col74/index.html"),
    ("https://a.court.gov.cn/article/detail/2026/11/id/7.shtml", "https://b.court.gov.cn/article/detail/2026/11/id/7.shtml"),
    ("http://www.iprchn.com/cipnews/news_content.aspx?newsId=1", "http://www.iprchn.com/cipnews/news_content.aspx?newsId=2"),
    ("http://www.iprchn.com/cipnews/news_content.aspx?newsId=1", "https://www.cnipa-ipdrc.org.cn/news_content.aspx?newsId=1"),
    (LONG, LONG.replace("idx=1", "idx=2")),
    (LONG, LONG.replace("mid=2650000001", "mid=2650000002")),
    (LONG, LONG.replace("MzAx", "MzAy")),
    (LONG, "https://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz"),
    ("https://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz", "https://mp.weixin.qq.com/s/abcdefghij_0123456-xyz"),
    ("https://mp.weixin.qq.com/s?__biz=Mz==&mid=1", "https://mp.weixin.qq.com/s?__biz=Mz==&mid=2"),
    ("https://www.example.cn/a", "https://www.example.cn/b"),
    ("https://www.example.cn/a?id=1", "https://www.example.cn/a?id=2"),
    ("https://www.example.cn:8080/a", "https://www.example.cn/a"),
    ("https://www.example.cn/A", "https://www.example.cn/a"),
    ("https://www.example.cn/app#/news/1", "https://www.example.cn/app#/news/2"),
    ("https://www.example.cn:99999/a", "https://www.example.cn/a"),
    ("http://[1/a", "http://[1/b"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "url"), [(key, url) for key, urls in SAME.items() for url in urls])
def test_every_way_to_an_article_gives_its_one_key(key: str, url: str) -> None:
    assert identify_url(url) == key


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_only_looks_alike_keeps_keys_of_its_own(one: str, other: str) -> None:
    assert identify_url(one) != identify_url(other)


@given(st.text(max_size=50) | st.from_regex(r"https?://[\w.\[\]:@-]{0,20}(/[^ ]{0,40})?(\?[^ ]{0,40})?"))
def test_every_text_has_a_key_that_every_database_takes(url: str) -> None:
    key = identify_url(url)
    assert 0 < len(key) <= 500
    assert make_storable(key) == key
    assert identify_url(url) == key


@pytest.mark.parametrize("url", [LONG.replace("MzAx", "M" * 5000), "https://x.cn/" + "a" * 5000])
def test_a_long_url_has_a_short_key_of_its_own(url: str) -> None:
    assert len(identify_url(url)) <= 500
    assert identify_url(url) != identify_url(url.replace("aaa", "aab", 1).replace("MMM", "MMN", 1))


@pytest.mark.parametrize("note", NOTES, ids=lambda note: str(note.parent.relative_to(SAMPLES)))
def test_a_reader_and_the_url_state_the_same_identity(note: Path) -> None:
    try:
        result = read(read_recording(note).open_page())
    except PageError:
        return
    if isinstance(result, ListPage):
        stated = [(entry.identity, entry.url) for entry in result.entries]
    elif isinstance(result, Notice):
        stated = [(result.identity, result.url)]
    else:
        return
    for identity, url in stated:
        key = identify_url(url)
        # A short link hides the id that only the page or the feed tells.
        assert identity is None or key.startswith("wechat-short:") or key == identity


# --- Text ---


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("text", ["T\u0308\u05b0", "\u0345\u0301", "ΐ\u0327", "İ", "ẞ", "ﬁ", "㈱"])
def test_folding_is_final_also_for_marks_that_move(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_folded_text_has_single_spaces_and_no_capitals(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    assert folded.lower() == folded or not text.isascii()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("（２０２２）粤０１９２民初２１８７号", "(2022)粤0192民初2187号"),
        ("Trade\u3000Secret\n案", "trade secret 案"),
        ("商 标", "商 标"),
        ("", ""),
    ],
)
def test_folding_makes_one_form_of_widths_cases_and_spaces(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_a_title_key_holds_letters_and_digits_only_and_is_final(title: str) -> None:
    key = title_key(title)
    assert key == "" or key.isalnum()
    assert title_key(key) == key


@given(
    title=st.text(alphabet="商标案2026ab", min_size=1),
    space=st.sampled_from(["", " ", "　", "——", "“", "】"]),
)
def test_a_title_set_differently_has_the_same_key(title: str, space: str) -> None:
    assert title_key(space + space.join(title) + space) == title_key(title.upper()) != ""


@pytest.mark.parametrize(("one", "other"), [("第612号公告", "第613号公告"), ("商标", "专利"), ("V1", "V2")])
def test_titles_that_differ_in_a_letter_or_digit_have_different_keys(one: str, other: str) -> None:
    assert title_key(one) != title_key(other)


# --- The step ---


@given(st.text())
def test_storable_text_can_be_encoded_and_keeps_every_place(text: str) -> None:
    storable = make_storable(text)
    assert "\x00" not in storable.encode().decode()
    assert len(storable) == len(text)
    assert all(new in (old, UNKNOWN) for old, new in zip(text, storable, strict=True))


def test_no_text_of_a_notice_keeps_what_a_database_refuses() -> None:
    bad = "商\x00标\ud800"
    good = f"商{UNKNOWN}标{UNKNOWN}"
    date = PrintedDate(f"2026-11-19 {bad}", "labelled text")
    entry = ListEntry(f"https://example.cn/{bad}", bad, date, 0)
    notice = make_notice(
        1, title=bad, body=bad, publisher=bad, author=bad, dates=(date,), links=(bad,), images=(bad,),
        attachments=(Attachment(bad, bad),), entry=entry, body_note=bad,
    )  # fmt: skip
    record = normalize(notice, CONTEXT)
    assert (record.title, record.body, record.publisher) == (good, good, good)
    assert repr(record).count(UNKNOWN) == 2 * repr(record).count(good)
    assert make_storable(str(record)) == str(record)
    assert "\\x00" not in repr(record)
    assert "\\ud800" not in repr(record)


def test_a_page_with_such_characters_is_stored_and_found_again(engine: Engine) -> None:
    with engine.begin() as connection:
        run_id = connection.execute(
            insert(Run).values(
                source_key="x", started_at=FETCHED, finished_at=None, list_read_at=None, state="running",
                reason=None, baseline=False, counts={},
            ).returning(Run.id)
        ).scalar_one()  # fmt: skip
    context = replace(CONTEXT, run_id=run_id)
    notice = make_notice(1, title="商标\x00公告", body="第\ud800一段", author="\x00")
    for outcome in ("new", "known"):
        (written,) = write_records(engine, [interpret(notice, context)])
        assert written.outcome == outcome
    (hit,) = search_items(engine, ["公告"]).hits
    assert hit.title == f"商标{UNKNOWN}公告"


def test_a_notice_that_can_be_stored_is_left_as_it_is() -> None:
    notice = make_notice(1)
    assert normalize(notice, CONTEXT).notice is notice


def test_identity_is_what_the_page_states_and_every_url_is_an_address() -> None:
    short = "https://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz"
    entry = ListEntry(short, "x", None, 0, identity="wechat:Mz==/1/1")
    record = normalize(make_notice(1, url=LONG, identity="wechat:Mz==/1/1", entry=entry), CONTEXT)
    assert record.identity == "wechat:Mz==/1/1"
    assert set(record.addresses) == {"wechat:Mz==/1/1", identify_url(LONG), identify_url(short)}


def test_without_a_stated_identity_the_url_is_the_identity() -> None:
    record = normalize(make_notice(1, identity=None), CONTEXT)
    assert (record.identity, record.addresses) == ("court.gov.cn:1", ("court.gov.cn:1",))


def test_an_identity_longer_than_its_column_is_shortened_to_one_of_its_own() -> None:
    one, other = (normalize(make_notice(1, identity="sse:" + "x" * 900 + end), CONTEXT) for end in "ab")
    assert len(one.identity) <= 500
    assert one.identity != other.identity


def test_a_publisher_that_the_page_does_not_name_is_that_of_the_source() -> None:
    assert normalize(make_notice(1, publisher=None), CONTEXT).publisher == CONTEXT.publisher_zh
    assert normalize(make_notice(1, publisher=" "), CONTEXT).publisher == CONTEXT.publisher_zh
    assert normalize(make_notice(1, publisher=" 某院 "), CONTEXT).publisher == "某院"


@pytest.mark.parametrize("title", ["", " ", "\n\u3000"])
def test_a_notice_without_a_title_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match="needs a title"):
        normalize(make_notice(1, title=title), CONTEXT)


def test_the_hash_follows_title_and_body_and_nothing_else() -> None:
    digest = normalize(make_notice(1), CONTEXT).content_sha256
    assert normalize(make_notice(1, author="某人"), replace(CONTEXT, run_id=9)).content_sha256 == digest
    assert normalize(make_notice(1, body="别的"), CONTEXT).content_sha256 != digest
    assert normalize(make_notice(1, title="别的"), CONTEXT).content_sha256 != digest
