"""What stands in the way of reading is recognised before anything is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.notice import Attachment
from crawlers.page import Page
from crawlers.readers import reader_for
from crawlers.readers.body import Body
from crawlers.readers.refusals import MARKERS, note_empty_body, refuse_blocked

Recorded = Callable[[str], Page]
URL = "https://www.example.gov.cn/col/col1/index.html"
LONG_SCRIPT = "var visits = 1;" * 3000
NAVIGATION = "<ul>" + "<li>公告与通知</li>" * 60 + "</ul>"


def page(html: str, status: int = 200) -> Page:
    return Page(URL, html.encode(), datetime(2026, 11, 20, tzinfo=UTC), status=status)


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_in_a_page_without_text_is_a_challenge(marker: str) -> None:
    with pytest.raises(Blocked) as refusal:
        refuse_blocked(page(f"<html><script>var a = 1; /* {marker} */</script></html>"))
    assert refusal.value.reason == MARKERS[marker]
    assert refusal.value.evidence == marker


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_in_a_page_full_of_text_is_none(marker: str) -> None:
    refuse_blocked(page(f"<html>{NAVIGATION}<p>文章谈到 {marker}。</p></html>"))


@pytest.mark.parametrize("status", [401, 403, 412, 429, 503, 521])
def test_a_refusing_status_is_blocked_whatever_the_page_says(status: int) -> None:
    with pytest.raises(Blocked, match=f"http {status}"):
        refuse_blocked(page(f"<html>{NAVIGATION}</html>", status))


def test_a_redirect_that_was_not_followed_is_blocked() -> None:
    answer = replace(page("", 302), headers={"location": URL})
    with pytest.raises(Blocked) as refusal:
        refuse_blocked(answer)
    assert (refusal.value.reason, refusal.value.evidence) == ("redirect loop", f"http 302 to {URL}")
    with pytest.raises(Blocked) as refusal:
        refuse_blocked(replace(answer, headers={"location": URL, "set-cookie": "CT6T=1; path=/"}))
    assert (refusal.value.reason, refusal.value.evidence) == ("verification", "CT6T")


def test_a_cookie_that_comes_with_challenges_only_counts_where_there_is_no_text() -> None:
    headers = {"set-cookie": "C3VK=1; path=/"}
    with pytest.raises(Blocked, match="C3VK"):
        refuse_blocked(replace(page("<html><script>location.reload()</script></html>"), headers=headers))
    refuse_blocked(replace(page(f"<html>{NAVIGATION}</html>"), headers=headers))


@pytest.mark.parametrize("field", ['type="password"', "type='password'", "name=p type=password"])
def test_a_login_page_is_one_however_much_it_says_beside(field: str) -> None:
    form = f"<form><input name=u><input {field}></form>"
    with pytest.raises(Blocked, match="login"):
        refuse_blocked(page(f"<html><title>统一身份认证</title>{form}{NAVIGATION}</html>"))
    with pytest.raises(Blocked, match="login"):
        refuse_blocked(page(f"<html><title>某局</title>{form}</html>"))
    refuse_blocked(
        page(f"<html><title>登录难问题的答复</title><p>输入框 type=password</p>{NAVIGATION}</html>")
    )
    refuse_blocked(page(f"<html><title>某局公告</title>{form}{NAVIGATION}</html>"))


@pytest.mark.parametrize("words", ["网站防火墙", "您的请求已被网站管理员设置拦截"])
def test_the_notice_of_a_firewall_is_a_refusal(words: str) -> None:
    with pytest.raises(Blocked) as refusal:
        refuse_blocked(page(f"<html><title>提示</title><p>{words}</p></html>"))
    assert refusal.value.reason == "refused"


def test_a_script_with_status_202_is_a_challenge() -> None:
    with pytest.raises(Blocked, match="http 202 with a script"):
        refuse_blocked(page("<html><script>var a = 1;</script></html>", 202))
    refuse_blocked(page(f"<html><script>var a = 1;</script>{NAVIGATION}</html>", 202))


@pytest.mark.parametrize("case", ["article_type_0_2026", "album_json"])
def test_what_wechat_sends_with_a_refusing_status_is_no_content(recorded: Recorded, case: str) -> None:
    shown = recorded(f"wechat/{case}")
    _, reader = reader_for(shown)
    for status, refused in ((403, Blocked), (404, Gone)):
        with pytest.raises(refused):
            reader.kind_of(replace(shown, status=status))


@pytest.mark.parametrize("status", [404, 410])
def test_a_missing_page_is_gone_not_blocked(status: int) -> None:
    with pytest.raises(Gone) as refusal:
        refuse_blocked(page(f"<html>{NAVIGATION}</html>", status))
    assert refusal.value.kind == "unavailable"


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("403 Forbidden", "http 403"),
        ("405", "http 405"),
        ("502 Bad Gateway", "http 502"),
        ("500 - 内部服务器错误", "http 500"),
        ("Access Denied | www.example.org", "refused"),
        ("您的访问被拒绝", "refused"),
    ],
)
def test_a_refusal_that_comes_as_a_success_is_known_by_its_title(title: str, reason: str) -> None:
    with pytest.raises(Blocked) as refusal:
        refuse_blocked(page(f"<html><title>{title}</title><p>请联系管理员。</p></html>"))
    assert refusal.value.reason == reason
    refuse_blocked(page(f"<html><title>{title}</title>{NAVIGATION}</html>"))


@pytest.mark.parametrize(
    "title",
    [
        "500 强企业的专利",
        "500强",
        "商务部就一国以安全为由禁止访问我国网站的问题答记者问",
        "502 patents in one year",
    ],
)
def test_a_headline_over_little_text_is_no_refusal(title: str) -> None:
    refuse_blocked(page(f"<html><title>{title}</title><img src='/1.png'></html>"))


@pytest.mark.parametrize(
    "source",
    [
        "<script>document.cookie = 'k=' + f(); location.reload();</script>",
        f"<script>document.cookie='k=1';{LONG_SCRIPT}window.location.href='/a'</script>",
        "<meta id=x content=y r='m'><script r='m' src='/z.js'></script>",
        "<meta http-equiv='refresh' content='1'>",
        '<meta content="0;" http-equiv="Refresh"/>',
    ],
)
def test_a_challenge_without_a_known_name_is_known_by_what_it_does(source: str) -> None:
    with pytest.raises(Blocked):
        refuse_blocked(page(f"<html><head>{source}</head><body></body></html>"))
    refuse_blocked(page(f"<html><head>{source}</head><body>{NAVIGATION}</body></html>"))
    refuse_blocked(page(f"<html><head>{source}</head><body><a href='/1.pdf'>公告</a></body></html>"))


@pytest.mark.parametrize(
    "source",
    [
        "<script>document.cookie = 'seen=1';</script><script>location.href = '/m/';</script>",
        "<script>if (document.cookie == '') { count(location.host); }</script>",
        "<meta http-equiv='refresh' content='0;url=/new/'>",
    ],
)
def test_scripts_of_an_ordinary_page_are_no_challenge(source: str) -> None:
    refuse_blocked(page(f"<html><head>{source}</head><body><img src='/1.png'></body></html>"))


@pytest.mark.parametrize(
    "filling",
    [
        "<script>var a = '1';</script>",
        "<script>document.cookie = a;</script>",
        "<meta a=b>",
        "<meta http-equiv=refresh ",
        "<script ",
        "<title>500 ",
        "<title ",
        "<input type=",
    ],
)
def test_a_large_page_without_text_is_judged_in_a_moment(filling: str) -> None:
    started = time.perf_counter()
    refuse_blocked(page(f"<html><style>{filling * (1_000_000 // len(filling))}"))
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("登录后可继续阅读", True),
        ("登陆后查看全文", True),
        ("登录后方可访问", True),
        ("Please log in to continue", True),
        ("Sign in or register to read this article", True),
        ("登录后可查看办件进度", False),
        ("登录后才能查看评论", False),
        ("Log in to access your account", False),
    ],
)
def test_a_text_behind_a_login_is_none(words: str, asked: bool) -> None:
    form = f"<form><p>{words}</p><input type=password></form>"
    source = f"<html><title>某报</title>{form}{NAVIGATION}</html>"
    if asked:
        with pytest.raises(Blocked, match="login"):
            refuse_blocked(page(source))
    else:
        refuse_blocked(page(source))
    far = f"<html><title>某报</title><form><input type=password></form>{NAVIGATION}<p>{words}</p></html>"
    refuse_blocked(page(far))


def test_an_error_page_with_status_200_is_gone() -> None:
    with pytest.raises(Gone):
        refuse_blocked(page(f"<html><title>您访问的页面不存在</title>{NAVIGATION}</html>"))


def test_a_figure_in_a_headline_is_no_error_page() -> None:
    refuse_blocked(page(f"<html><title>商标侵权案判赔404万元</title>{NAVIGATION}</html>"))


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (Body("正文", (), (), ()), None),
        (Body("", (), (Attachment(URL, "公告.pdf"),), ()), "full text in attachment"),
        (Body("", (), (), (URL,)), "body not readable: text in images"),
    ],
)
def test_an_empty_body_says_why(body: Body, note: str | None) -> None:
    assert note_empty_body(page(""), body) == note


def test_an_empty_body_that_nothing_explains_is_a_changed_layout() -> None:
    with pytest.raises(LayoutChanged):
        note_empty_body(page(""), Body("", (), (), ()))


def test_a_challenge_of_a_site_that_no_reader_knows_is_a_challenge() -> None:
    strange = replace(page("<html><script>$_ts=1</script></html>"), url="https://www.example.org/a/1.html")
    with pytest.raises(Blocked, match=r"\$_ts"):
        reader_for(strange)
    with pytest.raises(Blocked, match="http 403"):
        reader_for(replace(strange, status=403))
    with pytest.raises(LayoutChanged, match="none of them recognises"):
        reader_for(replace(strange, body=NAVIGATION.encode()))
