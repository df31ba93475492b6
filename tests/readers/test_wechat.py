"""The WeChat reader on pages of every shape that is known, whole and broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from crawlers.errors import Blocked, Gone, LayoutChanged
from crawlers.page import Page
from crawlers.readers import wechat

Load = Callable[[str], Page]

ARTICLES = (
    "article_type_0_2026",
    "article_type_0_2026_short",
    "article_type_0_2020",
    "article_type_0_2018",
    "article_type_8",
    "article_type_10",
    "article_type_10_own_title",
)


@pytest.fixture
def load(samples: Path) -> Load:
    def load_case(case: str) -> Page:
        folder = samples / "wechat" / case
        stated = json.loads((folder / "page.json").read_text(encoding="utf-8"))
        body = next(folder / f"page.{kind}" for kind in ("html", "txt") if (folder / f"page.{kind}").exists())
        return Page(
            stated["url"],
            body.read_bytes(),
            datetime.fromisoformat(stated["fetched"]),
            stated["status"],
            stated["headers"],
        )

    return load_case


def changed(page: Page, old: str, new: str) -> Page:
    assert old.encode() in page.body, f"nothing to change: {old}"
    return replace(page, body=page.body.replace(old.encode(), new.encode()))


def printed(page: Page) -> list[tuple[str, str, str, str]]:
    return [(date.place, date.raw, date.form, date.meaning) for date in wechat.read_article(page).dates]


def padded(page: Page, size: int) -> Page:
    filler = b"<script>" + b"var filler = function () { return 0; };\n" * (size // 40) + b"</script>"
    return replace(page, body=page.body.replace(b"<meta", filler + b"<meta", 1) + filler)


# Recognition


@pytest.mark.parametrize("case", ARTICLES)
def test_an_article_is_recognised_without_its_url(load: Load, case: str) -> None:
    page = replace(load(case), url="")
    assert wechat.recognises(page)
    assert wechat.kind_of(page) == "article"


def test_a_page_of_another_host_is_not_recognised_whatever_it_contains(load: Load) -> None:
    assert not wechat.recognises(replace(load("article_type_0_2026"), url="https://www.court.gov.cn/a.html"))


def test_a_page_without_url_and_marks_is_not_recognised(load: Load) -> None:
    page = replace(load("vue_shell"), url="", body=b"<html><body><p>mp.weixin.qq.com</p></body></html>")
    assert not wechat.recognises(page)


def test_wechat_has_no_lists(load: Load) -> None:
    with pytest.raises(LayoutChanged, match="no lists"):
        wechat.read_list(load("article_type_0_2026"))


# Articles


def test_an_article_of_type_0_is_read_whole(load: Load) -> None:
    notice = wechat.read_article(load("article_type_0_2026"))
    assert notice.title == "“云栖泉”诉“云溪泉”商标侵权案二审改判：赔偿由80万元提高到300万元"
    assert notice.publisher == "知产观察示例"
    assert notice.author == "陈一苇"
    assert notice.account_id == "MzkwMDAwMDAwMQ=="
    assert notice.item_type == "0"
    assert notice.body.startswith("11月18日，浙江省高级人民法院")
    assert notice.body.endswith("延伸阅读：技术秘密案判赔1.2亿元的要点")
    assert "（2026）浙民终318号" in notice.body
    assert notice.body_note is None
    assert notice.images == (
        "https://mmbiz.qpic.cn/mmbiz_png/example-judgment-01/640?wx_fmt=png&from=appmsg",
    )


def test_the_read_more_link_is_a_link_of_the_article(load: Load) -> None:
    assert (
        wechat.read_article(load("article_type_0_2026")).links[-1] == "https://example.com/judgments/2026-318"
    )


def test_both_url_forms_of_an_article_have_one_identity(load: Load) -> None:
    identities = {
        wechat.read_article(load(case)).identity
        for case in ("article_type_0_2026", "article_type_0_2026_short")
    }
    assert identities == {"wechat:MzkwMDAwMDAwMQ==/2650000101/1"}


def test_the_identity_is_what_the_page_states_and_not_what_its_url_says(load: Load) -> None:
    page = replace(load("article_type_8"), url="https://mp.weixin.qq.com/s?__biz=MzAAAA==&mid=1&idx=2")
    assert wechat.read_article(page).identity == "wechat:MzkwMDAwMDAwMQ==/2650000102/1"


def test_ids_that_the_object_lacks_come_from_its_link(load: Load) -> None:
    page = load("article_type_10_own_title")
    assert b"bizuin" not in page.body
    assert wechat.read_article(page).identity == "wechat:MzkwMDAwMDAwMQ==/2650000106/1"


def test_ids_of_a_text_post_with_a_short_link_come_from_its_script(load: Load) -> None:
    page = load("article_type_10_own_title")
    page = changed(page, "link: 'https://mp.weixin.qq.com/s?", "link: 'https://mp.weixin.qq.com/s/x?y=")
    page = changed(page, "__biz=", "b=")
    assert wechat.read_article(page).identity == "wechat:MzkwMDAwMDAwMQ==/2650000106/1"


def test_a_page_that_does_not_state_all_ids_has_no_identity(load: Load) -> None:
    assert wechat.read_article(changed(load("article_type_0_2018"), '"2650000095"', '""')).identity is None


def test_an_id_of_the_wrong_shape_is_no_id(load: Load) -> None:
    page = changed(load("article_type_0_2018"), '"2650000095"', '"26500/../95"')
    assert wechat.read_article(page).identity is None


def test_dates_of_2026_are_the_instant_the_minute_and_the_edit(load: Load) -> None:
    assert printed(load("article_type_0_2026")) == [
        ("script create_timestamp", "1795084227", "unix", "published"),
        ("script create_time", "2026-11-19 18:30", "printed", "published"),
        ("script modify_time", "1795089731", "unix", "modified"),
    ]


def test_dates_of_2025_come_from_variables(load: Load) -> None:
    page = changed(load("article_type_0_2026"), "window.cgiDataNew = {", "window.somethingElse = {")
    assert printed(page) == [
        ("script ct", "1795084227", "unix", "published"),
        ("script createTime", "2026-11-19 18:30", "printed", "published"),
        ("script modify_time", "1795089731", "unix", "modified"),
    ]


def test_dates_of_2018_are_the_instant_and_the_printed_day(load: Load) -> None:
    assert printed(load("article_type_0_2018")) == [
        ("script ct", "1794474340", "unix", "published"),
        ("#post-date", "2026-11-12", "printed", "published"),
    ]


def test_a_relative_word_of_a_page_saved_by_a_browser_is_kept_as_printed(load: Load) -> None:
    assert printed(load("article_type_0_2020"))[1] == ("#publish_time", "昨天", "printed", "published")


def test_the_time_of_the_first_writing_counts_only_where_nothing_else_does(load: Load) -> None:
    page = changed(load("article_type_8"), "create_timestamp: '1794974408'", "create_timestamp: ''")
    page = changed(page, " create_time: JsDecode('2026-11-18 12:00')", " create_time: JsDecode('')")
    assert printed(page) == [("script ori_create_time", "1794974408", "unix", "published")]


def test_everything_of_a_2025_page_comes_from_variables_and_metas(load: Load) -> None:
    page = load("article_type_0_2026")
    older = wechat.read_article(changed(page, "window.cgiDataNew = {", "window.somethingElse = {"))
    newer = wechat.read_article(page)
    assert (older.title, older.publisher, older.author) == (newer.title, newer.publisher, newer.author)
    assert (older.identity, older.links, older.item_type) == (newer.identity, newer.links, newer.item_type)


def test_an_author_that_is_empty_is_unknown(load: Load) -> None:
    assert wechat.read_article(load("article_type_0_2020")).author is None


def test_an_image_post_has_its_text_and_pictures_from_the_object(load: Load) -> None:
    notice = wechat.read_article(load("article_type_8"))
    assert notice.title == "一图读懂：储能电池技术秘密案判赔1.2亿元"
    assert "图纸 & 电子数据" in notice.body
    assert '"保密措施合理即可' in notice.body
    assert [url.split("/")[4] for url in notice.images] == [f"example-secret-{i}" for i in (1, 2, 3)]


def test_an_image_post_without_a_text_says_so(load: Load) -> None:
    page = changed(load("article_type_8"), "content_noencode: JsDecode('", "content_other: JsDecode('")
    notice = wechat.read_article(page)
    assert (notice.body, notice.body_note) == ("", "body not readable: text in images")


def test_a_text_post_without_a_title_is_headed_by_its_first_line(load: Load) -> None:
    notice = wechat.read_article(load("article_type_10"))
    assert notice.title == "快讯：上海知识产权法院今日对“鹿鸣记”与“鹿鸣纪”商标侵权案公开宣判，判赔150万元。"
    assert notice.body.splitlines()[1].startswith("案号（2026）沪73民初552号。")


def test_a_long_first_line_is_headed_by_its_first_sentence(load: Load) -> None:
    page = changed(load("article_type_10"), "判赔150万元。\\x0a\\x0a案号", "判赔150万元。案号")
    assert wechat.read_article(page).title.endswith("判赔150万元。")


def test_a_text_post_keeps_its_own_title(load: Load) -> None:
    notice = wechat.read_article(load("article_type_10_own_title"))
    assert notice.title == "国家知识产权局公布新一批商标恶意注册处理结果"
    assert notice.body.startswith("一批以公众人物姓名")


@pytest.mark.parametrize(
    ("item_type", "note"),
    [("5", "video"), ("6", "music"), ("7", "audio"), ("16", "type 16"), ("17", "short content")],
)
def test_a_shape_without_text_still_has_its_title_date_and_account(
    load: Load, item_type: str, note: str
) -> None:
    page = changed(load("article_type_8"), "real_item_show_type: '8'", f"real_item_show_type: '{item_type}'")
    notice = wechat.read_article(page)
    assert (notice.body, notice.body_note, notice.item_type) == ("", note, item_type)
    assert notice.title
    assert notice.publisher
    assert notice.dates


def test_an_article_of_images_only_says_so(load: Load) -> None:
    page = load("article_type_0_2018")
    start, end = page.body.index(b"<p style"), page.body.index(b"<section style")
    notice = wechat.read_article(replace(page, body=page.body[:start] + page.body[end:]))
    assert (notice.body, notice.body_note) == ("", "body not readable: text in images")


@pytest.mark.parametrize(
    ("element", "note"),
    [("<mpvoice voice_encode_fileid='x'></mpvoice>", "audio"), ("<mpvideo></mpvideo>", "video")],
)
def test_an_article_of_a_recording_only_says_so(load: Load, element: str, note: str) -> None:
    page = load("article_type_0_2018")
    start, end = page.body.index(b"<p style"), page.body.index(b"</section>") + len(b"</section>")
    notice = wechat.read_article(replace(page, body=page.body[:start] + element.encode() + page.body[end:]))
    assert (notice.body, notice.body_note) == ("", note)


def test_titles_are_unescaped_though_they_were_escaped_twice(load: Load) -> None:
    page = changed(
        load("article_type_0_2026"), " title: JsDecode('“", " title: JsDecode('\\x26amp;lt;快讯\\x26gt;“"
    )
    assert wechat.read_article(page).title.startswith("<快讯>“云栖泉”")


# Traps


def test_the_advertising_code_in_front_is_not_the_article(load: Load) -> None:
    page = load("article_type_8")
    assert page.body.index("微信广告".encode()) < page.body.index(b"window.cgiDataNew = {")
    notice = wechat.read_article(page)
    assert (notice.publisher, notice.item_type) == ("知产观察示例", "8")


def test_the_frame_of_a_text_post_is_not_its_body(load: Load) -> None:
    page = load("article_type_10")
    assert b'<div id="js_content">' in page.body
    assert wechat.read_article(page).body.startswith("快讯：")


def test_a_body_that_quotes_wechats_own_code_does_not_decide_anything(load: Load) -> None:
    code = (
        '<p>示例：window.cgiDataNew = { nick_name: "假账号" } var ct = "1"; var biz = "MzFake=="; '
        "var createTime = '1999-01-01 00:00'</p>"
    )
    for case in ("article_type_0_2026", "article_type_0_2020"):
        page = load(case)
        start = page.body.index(b">", page.body.index(b'id="js_content"')) + 1
        quoting = replace(page, body=page.body[:start] + code.encode() + page.body[start:])
        notice, plain = wechat.read_article(quoting), wechat.read_article(page)
        assert (notice.publisher, notice.dates, notice.identity) == (
            plain.publisher,
            plain.dates,
            plain.identity,
        )


def test_a_description_that_quotes_the_object_is_passed_over(load: Load) -> None:
    page = changed(
        load("article_type_8"),
        '<meta name="description" content="',
        '<meta name="description" content="window.cgiDataNew = {…} ',
    )
    assert wechat.read_article(page).publisher == "知产观察示例"


def test_a_page_of_more_than_four_megabytes_is_read_like_a_small_one(load: Load) -> None:
    for case in ("article_type_0_2026", "article_type_0_2018", "article_type_10"):
        page = load(case)
        big = padded(page, 2_100_000)
        assert len(big.body) > 4_200_000
        assert replace(wechat.read_article(big), sha256=page.sha256) == wechat.read_article(page)


def test_the_end_tag_in_a_comment_does_not_end_the_body(load: Load) -> None:
    page = load("article_type_0_2026")
    assert b"<!-- an editor's remark with a </div> in it -->" in page.body
    assert wechat.read_article(changed(page, "<!-- an editor's remark with a </div> in it -->", "")).body == (
        wechat.read_article(page).body
    )


def test_divs_inside_do_not_end_the_body(load: Load) -> None:
    body = wechat.read_article(load("article_type_0_2026")).body
    assert body.index("惩罚性赔偿") < body.index("本判决为终审判决。")


@pytest.mark.parametrize("case", ["article_type_0_2026", "article_type_0_2020", "article_type_0_2018"])
def test_the_tail_of_the_page_is_not_text_even_where_an_end_tag_is_missing(load: Load, case: str) -> None:
    page = load(case)
    start = page.body.index(b">", page.body.index(b'id="js_content"')) + 1
    unclosed = replace(page, body=page.body[:start] + b"<div>" + page.body[start:])
    assert wechat.read_article(unclosed).body == wechat.read_article(page).body


# Refusals


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("deleted_zh", "deleted"),
        ("deleted_en", "deleted"),
        ("violation", "violation"),
        ("account_blocked", "account"),
        ("unavailable", "unavailable"),
        ("expired", "expired"),
    ],
)
def test_a_tombstone_is_gone(load: Load, case: str, kind: str) -> None:
    page = load(case)
    for read in (wechat.kind_of, wechat.read_article):
        with pytest.raises(Gone) as caught:
            read(page)
        assert caught.value.kind == kind


def test_a_redirect_to_the_challenge_is_blocked_whatever_the_page_says(load: Load) -> None:
    with pytest.raises(Blocked) as caught:
        wechat.read_article(replace(load("verification"), body=b"<html></html>"))
    assert caught.value.reason == "verification"


def test_a_challenge_at_the_articles_own_url_is_blocked(load: Load) -> None:
    page = padded(
        replace(load("verification"), url="https://mp.weixin.qq.com/s/Ip0watch0Challenged000"), 1_000_000
    )
    with pytest.raises(Blocked) as caught:
        wechat.kind_of(page)
    assert caught.value.reason == "verification"


@pytest.mark.parametrize(("code", "reason"), [(200013, "frequency"), (200003, "login")])
def test_an_error_answer_is_blocked_by_its_code(load: Load, code: int, reason: str) -> None:
    with pytest.raises(Blocked) as caught:
        wechat.read_article(changed(load("frequency"), "200013", str(code)))
    assert caught.value.reason == reason


def test_an_error_answer_with_an_unknown_code_is_a_change(load: Load) -> None:
    with pytest.raises(LayoutChanged, match="ret 200999"):
        wechat.read_article(changed(load("frequency"), "200013", "200999"))


def test_an_empty_shell_is_a_change_and_not_a_tombstone(load: Load) -> None:
    page = load("vue_shell")
    assert "已被删除".encode() in page.body
    with pytest.raises(LayoutChanged, match="neither"):
        wechat.kind_of(page)


def test_an_unknown_message_page_is_a_change_that_quotes_the_message(load: Load) -> None:
    with pytest.raises(LayoutChanged, match="此账号已迁移"):
        wechat.read_article(changed(load("deleted_zh"), "该内容已被发布者删除", "此账号已迁移"))


@pytest.mark.parametrize(
    "words",
    ["环境异常，去验证", "该内容已被发布者删除", "此内容因违规无法查看", "操作频繁", "wappoc_appmsgcaptcha"],
)
@pytest.mark.parametrize(
    "case", ["article_type_0_2026", "article_type_0_2018", "article_type_8", "article_type_10"]
)
def test_an_article_about_refusals_is_an_article(load: Load, case: str, words: str) -> None:
    page = changed(load(case), "案号", f"{words}。案号")
    assert wechat.kind_of(page) == "article"
    assert words in wechat.read_article(page).body


@pytest.mark.parametrize(
    ("case", "old", "new"),
    [
        ("article_type_0_2026", 'id="js_content"', 'id="js_other"'),
        ("article_type_0_2026", "nick_name: JsDecode(", "nick: JsDecode("),
        ("article_type_0_2026", "nick_name: JsDecode('知产观察示例')", "nick_name: JsDecode('')"),
        ("article_type_0_2026", "real_item_show_type: '0'", "real_item_show_type: '99'"),
        ("article_type_0_2026", "errmsg: JsDecode('ok'),", "errmsg: JsDecode('ok),"),
        ("article_type_8", "picture_page_info_list", "picture_list"),
        ("article_type_10", "text_page_info", "text_info"),
        ("article_type_0_2018", 'var nickname = "知产观察示例"', 'var nickname = ""'),
        ("article_type_0_2018", 'id="activity-name"', 'id="activity"'),
    ],
)
def test_a_page_without_a_mandatory_part_is_refused(load: Load, case: str, old: str, new: str) -> None:
    page = changed(load(case), old, new)
    if case == "article_type_8":
        page = changed(page, "content_noencode: JsDecode('", "content_other: JsDecode('")
    with pytest.raises(LayoutChanged):
        wechat.read_article(page)


def test_an_article_without_any_date_is_refused(load: Load) -> None:
    page = changed(load("article_type_0_2018"), 'var ct = "1794474340"', 'var ct = ""')
    with pytest.raises(LayoutChanged, match="a date"):
        wechat.read_article(changed(page, "2026-11-12</em>", "</em>"))


def test_an_empty_body_is_refused(load: Load) -> None:
    page = load("article_type_0_2018")
    start, end = page.body.index(b"<p style"), page.body.index(b"</section>") + len(b"</section>")
    with pytest.raises(LayoutChanged, match="an empty element"):
        wechat.read_article(replace(page, body=page.body[:start] + page.body[end:]))


@pytest.mark.parametrize("case", ["article_type_0_2026", "article_type_0_2018"])
def test_a_page_that_is_cut_off_is_refused(load: Load, case: str) -> None:
    page = load(case)
    middle = page.body.index(b"</p>", page.body.index(b'id="js_content"'))
    with pytest.raises(LayoutChanged):
        wechat.read_article(replace(page, body=page.body[:middle]))


# Accounts


def test_an_account_page_gives_the_newest_name(load: Load) -> None:
    page = load("account_about")
    assert wechat.kind_of(page) == "account"
    account = wechat.read_account(page)
    assert (account.name, account.account_id) == ("知产观察示例", "MzkwMDAwMDAwMQ==")
    assert account.description == "关注商标、专利与商业秘密裁判，每个工作日一篇。"


def test_an_account_without_a_record_of_names_is_called_by_its_wechat_id(load: Load) -> None:
    assert wechat.read_account(changed(load("account_about"), "名称记录", "其他")).name == "ip-watch-example"


def test_an_account_page_without_any_name_is_refused(load: Load) -> None:
    page = changed(changed(load("account_about"), "名称记录", "其他"), "微信号", "其他")
    with pytest.raises(LayoutChanged, match="名称记录"):
        wechat.read_account(page)


def test_an_account_page_that_nowhere_states_the_account_is_refused(load: Load) -> None:
    with pytest.raises(LayoutChanged, match="__biz"):
        wechat.read_account(replace(changed(load("account_about"), "__biz=", "b="), url=""))


def test_a_tombstone_in_place_of_an_account_page_is_gone(load: Load) -> None:
    with pytest.raises(Gone):
        wechat.read_account(load("deleted_zh"))
