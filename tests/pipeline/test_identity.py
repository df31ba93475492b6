"""Identity: which URLs lead to one article, and which only look as if they did."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.errors import PageError
from crawlers.notice import ListEntry, ListPage, Notice
from crawlers.readers import read
from crawlers.replay import read_recording
from pipeline.normalize import identify_url, make_storable, normalize
from pipeline.normalize.identity import are_two_articles, site_identity, wechat_identity
from tests.notices import CONTEXT, make_notice

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NOTES = sorted(SAMPLES.rglob("page.json"))
LONG = "https://mp.weixin.qq.com/s?__biz=MzAxMDAwMDAwMA==&mid=2650000001&idx=1&sn=0123456789abcdef"
SHORT = "https://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz"
HEX = "0123456789abcdef0123456789abcdef"

# Each line: the key, then URLs of the same article.
SAME = {
    "court.gov.cn:436481": [
        "https://www.court.gov.cn/fabu/xiangqing/436481.html",
        "https://www.court.gov.cn/zixun/xiangqing/436481.html",
        "http://www.court.gov.cn/shenpan-xiangqing-436481.html",
        "http://www.court.gov.cn:80/fabu-xiangqing-436481.html?from=timeline#top",
        "https://court.gov.cn//fabu/xiangqing/436481.html",
        "https://www.court.gov.cn/zixun/xiangqing/436481.html;jsessionid=0A1B?x=1",
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
        "https://www.cnipa.gov.cn/art/2026/11/18/art_53_207729.html%20",
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
        "https://gov.cn/gongbao/2026/issue_12766/202611/content_7077199.html",
    ],
    "ipc.court.gov.cn:5999": [
        "https://ipc.court.gov.cn/zh-cn/news/view-5999.html",
        "https://enipc.court.gov.cn/zh-cn/news/view-5999.html",
        "http://ipc.court.gov.cn/zh-cn/news/view-5999.html?from=singlemessage#detail",
    ],
    f"samr:{HEX}": [
        f"https://www.samr.gov.cn/xw/mtjj/art/2026/art_{HEX}.html",
        f"https://www.samr.gov.cn:8890/xw/zj/art/2026/art_{HEX}.html",
        f"http://www.samr.gov.cn:1935/xw/mtjj/art/2026/art_{HEX}.html",
    ],
    f"sipa:{HEX}": [f"https://sipa.sh.gov.cn/tzgg/20261118/{HEX}.html"],
    "zscqj.beijing:743662423": ["https://zscqj.beijing.gov.cn/zscqj/sjd/tpxw65/743662423/index.html"],
    "ipr.mofcom:1996842": ["http://ipr.mofcom.gov.cn/article/gnxw/zfbm/202611/1996842.html"],
    "iprchn:147888": [
        "http://www.iprchn.com/cipnews/news_content.aspx?newsId=147888",
        "http://iprchn.com/Index_NewsContent.aspx?NewsId=147888",
        "http://www.iprchn.com/Index_NewsContent.aspx?type=2&newsid=147888#top",
    ],
    "ipdrc:482": ["https://www.cnipa-ipdrc.org.cn/news_content.aspx?newsId=482&type=3"],
    "trs:ncac.gov.cn:51": [
        "https://www.ncac.gov.cn/xxfb/tzgg/202611/t20261118_51.html",
        "https://www.ncac.gov.cn/xxfb/tzgg/202611/t20261118_51_ext.json",
        "http://ncac.gov.cn/xxfb/ywxx/202611/t20261118_51.shtml?spm=a.b",
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
        LONG.replace("==", ""),
        LONG.replace("&", "&amp;amp;"),
        LONG.replace("mid=", "appmsgid=").replace("idx=", "itemidx=").replace("com/s?", "com//s?"),
        LONG.replace("https://mp.weixin.qq.com", "http://mp.weixin.qq.com:80"),
        LONG + "&subscene=126&sessionid=1764000000&clicktime=1764000001&enterid=1764000001&pass_ticket=x%2B1&wx_header=1",
        "http://mp.weixin.qq.com/mp/appmsg/show?__biz=MzAxMDAwMDAwMA==&appmsgid=2650000001&itemidx=1&sign=ab#wechat_redirect",
        LONG.replace("https", "http") + "&chksm=8f00&scene=27&key=&ascene=0&uin=&devicetype=Windows#wechat_redirect",
        LONG.replace("/s?", "/s/?") + "#rd",
        "https://mp.weixin.qq.com/s?sn=ffff&idx=1&mid=2650000001&__biz=MzAxMDAwMDAwMA==&mpshare=1",
    ],
    "wechat-short:AbCdEfGhIj_0123456-xyz": [
        "https://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz",
        "http://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz?scene=1&amp;from=timeline#rd",
        "https://mp.weixin.qq.com/s/AbCdEfGhIj_0123456-xyz/",
    ],
    "url:example.cn/news/7.html": [
        "https://www.example.cn/news/7.html",
        "http://www.example.cn/news/7.html#comments",
        "http://www.example.cn:80/news/7.html",
        "https://example.cn/news/7.html",
        "https://www.example.cn/news/7.html?utm_source=newsletter&utm_medium=email",
        "https://www.example.cn/news/7.html?from=singlemessage&isappinstalled=0&nsukey=aBc%3D",
        "https://www.example.cn/news/7.html?spm=5176.1.2&hmsr=toutiao",
        "https://www.example.cn/news/7.html;jsessionid=1A2B3C?fbclid=xyz",
        "https://www.example.cn:443//news///7.html",
        "HTTPS://WWW.Example.CN/news/7.html ",
    ],
    "url:example.cn/list?a=1&b=2": [
        "https://www.example.cn/list?a=1&b=2",
        "https://www.example.cn/list?b=2&amp;a=1",
        "https://www.example.cn/list?utm_campaign=x&b=2&a=1&gclid=1",
    ],
    "url:example.cn/": ["https://www.example.cn", "http://www.example.cn/"],
    "url:xn--fiqs8s.example.cn/a": ["https://中国.example.cn/a", "http://xn--fiqs8s.example.cn/a"],
    "url:example.cn/%E6%96%B0": ["https://www.example.cn/新", "https://www.example.cn/%e6%96%b0"],
}  # fmt: skip

DIFFERENT = [
    ("https://www.court.gov.cn/fabu/xiangqing/436481.html", "https://www.court.gov.cn/fabu/xiangqing/436482.html"),
    ("https://www.court.gov.cn/fabu/gengduo/16.html", "https://www.court.gov.cn/fabu/gengduo/16_2.html"),
    ("https://www.court.gov.cn/fabu/xiangqing/1.html", "https://www.spp.gov.cn/fabu/xiangqing/1.html"),
    ("https://www.court.gov.cn/fabu/xiangqing/1.html", "https://www.court.gov.cn.example.cn/fabu/xiangqing/1.html"),
    ("https://www.spp.gov.cn/t20261118_1.shtml", "https://www.spp.gov.cn/t20261118_2.shtml"),
    ("https://www.spp.gov.cn/t20261118_1.shtml", "https://www.ncac.gov.cn/t20261118_1.shtml"),
    # The same document under two numbers stays two articles.
    ("https://www.gov.cn/zhengce/content/202611/content_7077199.htm", "https://www.gov.cn/zhengce/202611/content_7077200.htm"),
    ("https://ipc.court.gov.cn/zh-cn/news/view-5999.html", "https://ipc.court.gov.cn/en-us/news/view-5999.html"),
    ("https://ipc.court.gov.cn/zh-cn/news/view-5999.html", "https://www.court.gov.cn/fabu/xiangqing/5999.html"),
    ("https://www.chinacourt.org/article/detail/2026/11/id/7.shtml", "https://b.court.gov.cn/article/detail/2026/11/id/7.shtml"),
    (f"https://www.samr.gov.cn/xw/art/2026/art_{HEX}.html", f"https://www.samr.gov.cn/xw/art/2026/art_{HEX[:-1]}0.html"),
    ("https://static.cninfo.com.cn/finalpage/2026-11-18/1.PDF", "https://static.cninfo.com.cn/finalpage/2026-11-18/2.PDF"),
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
    ("https://www.example.cn/a?from=1", "https://www.example.cn/a?from=2"),
    ("https://www.example.cn/a?source=court", "https://www.example.cn/a?source=office"),
    ("https://www.example.cn/a?utm=1", "https://www.example.cn/a?utm=2"),
    ("https://news.example.cn/a", "https://www.example.cn/a"),
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


# --- From an article to its keys ---


def test_only_the_page_ties_a_short_link_to_the_long_one() -> None:
    entry = ListEntry(SHORT, "x", None, 0)
    stated = wechat_identity("MzAxMDAwMDAwMA==", "2650000001", "1")
    read_by_short_link = normalize(make_notice(1, url=SHORT, identity=stated, entry=entry), CONTEXT)
    assert read_by_short_link.identity == identify_url(LONG)
    assert set(read_by_short_link.addresses) == {identify_url(LONG), identify_url(SHORT)}


def test_a_page_that_states_no_id_has_that_of_the_link_that_shows_one() -> None:
    entry = ListEntry(LONG, "x", None, 0)
    record = normalize(make_notice(1, url=SHORT, identity=None, entry=entry), CONTEXT)
    assert record.identity == identify_url(LONG)
    assert set(record.addresses) == {identify_url(LONG), identify_url(SHORT)}


def test_a_link_that_was_redirected_to_another_article_is_no_address_of_it() -> None:
    entry = ListEntry(
        "https://www.court.gov.cn/fabu/xiangqing/2.html", "x", None, 0, identity="court.gov.cn:2"
    )
    record = normalize(make_notice(1, entry=entry), CONTEXT)
    assert record.addresses == ("court.gov.cn:1",)


def test_a_link_elsewhere_that_was_redirected_to_an_article_is_an_address_of_it() -> None:
    entry = ListEntry("https://t.example.cn/x7", "x", None, 0)
    record = normalize(make_notice(1, entry=entry), CONTEXT)
    assert record.addresses == ("court.gov.cn:1", "url:t.example.cn/x7")


@pytest.mark.parametrize(
    ("one", "other", "two"),
    [
        ("court.gov.cn:1", "court.gov.cn:2", True),
        ("trs:ncac.gov.cn:1", "trs:ncac.gov.cn:2", True),
        ("wechat:Mz==/1/1", "wechat:Mz==/1/2", True),
        ("court.gov.cn:1", "court.gov.cn:1", False),
        ("trs:ncac.gov.cn:1", "trs:sbj.cnipa.gov.cn:2", False),
        ("url:example.cn/1", "url:example.cn/2", False),
        ("wechat-short:AAAAAAAAAA", "wechat-short:BBBBBBBBBB", False),
        ("wechat-short:AAAAAAAAAA", "wechat:Mz==/1/1", False),
    ],
)
def test_two_ids_of_one_site_are_two_articles(one: str, other: str, two: bool) -> None:
    assert are_two_articles(one, other) is are_two_articles(other, one) is two


@pytest.mark.parametrize(
    "parts",
    [("", "1", "1"), ("Mz==", "", "1"), ("Mz==", "1", "0"), ("中文文文", "1", "1"), ("MzAxM", "x", "1")],
)
def test_a_wechat_identity_needs_all_of_its_parts(parts: tuple[str, str, str]) -> None:
    assert wechat_identity(*parts) is None


def test_a_site_that_is_not_asked_for_states_no_identity() -> None:
    url = "https://www.court.gov.cn/fabu/xiangqing/1.html"
    assert site_identity(url) == site_identity(url, "spp", "court.gov.cn") == "court.gov.cn:1"
    assert site_identity(url, "spp") is site_identity("https://[x", "spp") is None
