"""What stands in the way of reading is recognised before anything is read."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<title>403 Forbidden</title><h1>403 Forbidden</h1>", "http 403"),
        ("<title>503 Service Temporarily Unavailable</title>nginx", "http 503"),
        ("<title>访问受限</title><p>您的请求未能通过。</p>", "refused"),
        ("<title>Access Denied</title>", "refused"),
        ("<title>网站</title><p>网站防火墙：您的请求带有不合法参数，已被网站管理员设置拦截</p>", "refused"),
        ("<script>document.cookie = 'x=' + f(); location.reload();</script>", "verification"),
        ("<script>var u = location.href; document.cookie = 'x=1';</script>", "verification"),
        (
            '<meta content="q" r="m"><script type="text/javascript" r=\'m\' src="/a.js"></script>',
            "verification",
        ),
        ('<meta http-equiv="refresh" content="1">', "redirect loop"),
    ],
)
def test_an_answer_without_text_is_a_refusal_by_what_it_does(html: str, reason: str) -> None:
    with pytest.raises(Blocked) as refusal:
        refuse_blocked(page(f"<html>{html}</html>"))
    assert refusal.value.reason == reason
    # Around an article the same says nothing.
    refuse_blocked(page(f"<html>{NAVIGATION}{html.replace('title>', 'p>')}</html>"))


def test_a_large_page_of_scripts_may_keep_cookies() -> None:
    script = "<script>document.cookie = 'seen=1'; location.hash = 'a';</script>"
    refuse_blocked(page(f"<html>{script}<script>{'var a = 1;' * 7000}</script></html>"))


def test_a_page_that_shows_its_article_to_members_only_is_a_login() -> None:
    field = '<input type="password">'
    for words in ("登录后查看全文", "登陆后方可继续阅读", "Sign in to continue reading"):
        with pytest.raises(Blocked, match="login"):
            refuse_blocked(page(f"<html>{NAVIGATION}{field}<p>{words}</p></html>"))
    for words in ("登录后查看评论", "登录后查看更多", "Sign in to access your account"):
        refuse_blocked(page(f"<html>{NAVIGATION}{field}<p>{words}</p></html>"))
    refuse_blocked(page(f"<html><p>登录后查看全文</p>{NAVIGATION * 10}{field}</html>"))


def test_a_short_page_with_a_link_may_keep_cookies() -> None:
    script = "<script>document.cookie = 'seen=1'; location.hash = 'a';</script>"
    refuse_blocked(page(f'<html>{script}<p>公告见附件。</p><a href="a.pdf">附件</a></html>'))
