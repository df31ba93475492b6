"""What counts as an edit of a page, and how a change between two versions is shown."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedupe import Text, is_edit
from pipeline.dedupe.changes import find_changes, render_change, summarise_changes

TITLE = "关于调整商标注册收费标准的公告"
BODY = (
    "为进一步优化营商环境，现就商标注册收费标准公告如下。\n"
    "一、商标注册申请费由每件300元调整为270元，自2026年12月1日起施行。\n"
    "二、电子申请的续展注册费按每件450元收取；纸质申请仍为500元。\n"
    "三、本公告由国家知识产权局负责解释。"
)


def page(body: str, *, above: str = "", below: str = "") -> str:
    return "\n".join(part for part in (above, body, below) if part)


def shown(old: str, new: str, *, title: str = TITLE) -> list[str]:
    changes = find_changes(Text(TITLE, old, None), Text(title, new, None))
    return [render_change(change) for change in changes]


def brief(old: str, new: str, *, title: str = TITLE) -> str:
    return summarise_changes(find_changes(Text(TITLE, old, None), Text(title, new, None)))


# --- The frame of a page is no edit ---


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(page(BODY, below="阅读 103"), page(BODY, below="阅读 10万+"), id="read count"),
        pytest.param(
            page(BODY, above="来源：某局 浏览次数：12次"), page(BODY, above="来源：某局 浏览次数：2045次"), id="counter"
        ),
        pytest.param(page(BODY, below="点赞 3 在看 5 3小时前"), page(BODY, below="点赞 81 在看 61 2天前"), id="ago"),
        pytest.param(
            page(BODY, below="附件：https://a.example/f.pdf?token=8a1f&ts=1764000000"),
            page(BODY, below="附件：https://a.example/f.pdf?token=77bc&ts=1764099999"),
            id="token",
        ),
        pytest.param(BODY, page(BODY, above="发布时间：2026-11-18 10:00\n来源：国家知识产权局"), id="new header"),
        pytest.param(
            page(BODY, above="来源：某局\n责任编辑：王某"), page(BODY, below="责任编辑：王某"), id="header moved below"
        ),
        pytest.param(BODY, page(BODY, above="字号：大 中 小", below="【打印本页】 【关闭窗口】"), id="buttons"),
        pytest.param(
            page(BODY, below="上一篇：甲地开展检查\n下一篇：乙地召开会议"),
            page(BODY, below="上一篇：甲地开展检查\n下一篇：丙地发布年报"),
            id="neighbours",
        ),
        pytest.param(
            page(BODY, below="相关阅读\n某地法院审结一起商标案\n某局发布年报"),
            page(BODY, below="相关阅读：\n另一地法院开庭"),
            id="related articles",
        ),
        pytest.param(BODY, page(BODY, below="喜欢此内容的人还喜欢\n12人喜欢"), id="wechat furniture"),
        pytest.param(BODY, BODY.replace("\n", "\n\n　　"), id="paragraph spacing"),
        pytest.param(BODY, BODY.replace("\n", ""), id="paragraphs run together"),
        pytest.param(BODY, BODY.replace("，", ",").replace("；", ";"), id="widths"),
        pytest.param(BODY, html.escape(BODY).replace("元", "&#20803;"), id="entities"),
        pytest.param(BODY, BODY.replace("商标", "商\u200b标").replace("申请", "申请\ufeff"), id="invisible characters"),
    ],
)  # fmt: skip
def test_what_surrounds_a_text_is_no_edit_and_no_change(old: str, new: str) -> None:
    assert not is_edit(old, new)
    assert not is_edit(new, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BODY, BODY.replace("270元", "240元")),
        (BODY, BODY.replace("不", "").replace("仍为", "不再为")),
        (BODY, BODY + "\n四、此前规定与本公告不一致的，以本公告为准。"),
        (BODY, BODY.removesuffix("三、本公告由国家知识产权局负责解释。")),
        (page(BODY, above="来源：甲报"), page(BODY, above="来源：乙报")),
        (page(BODY, below="时间：2026年12月1日9时"), page(BODY, below="时间：2026年12月2日9时")),
        (page(BODY, below="联系电话：010-1"), BODY),
        # A heading is no list of others where a text follows it.
        (
            page(BODY, below="相关链接\n本案一审判决已生效。"),
            page(BODY, below="相关链接\n本案一审判决被撤销。"),
        ),
    ],
)
def test_what_the_text_says_otherwise_is_an_edit(old: str, new: str) -> None:
    assert is_edit(old, new)
    assert shown(old, new)


# --- How it is shown ---


def test_a_changed_number_is_shown_whole_with_what_stands_around_it() -> None:
    assert shown(BODY, BODY.replace("270元", "240元")) == [
        "…标注册申请费由每件300元调整为[-270-]{+240+}元，自2026年12月1日起施行…"
    ]


def test_a_brief_says_what_changed_into_what() -> None:
    new = BODY.replace("270元", "240元").replace("12月1日", "12月15日")
    assert (
        brief(BODY, new)
        == "“件300元调整为270元” → “件300元调整为240元”; “2026年12月1日起施行” → “2026年12月15日起施行”"
    )


def test_a_paragraph_that_comes_or_goes_is_shown_as_one() -> None:
    more = BODY + "\n四、此前规定与本公告不一致的，以本公告为准。"
    assert brief(BODY, more) == "added “四、此前规定与本公告不一致的，以本公告为准。”"
    assert brief(more, BODY) == "removed “四、此前规定与本公告不一致的，以本公告为准。”"
    (change,) = find_changes(Text(TITLE, BODY, None), Text(TITLE, more, None))
    assert change.paragraph == 5


def test_a_changed_title_is_said_to_be_one() -> None:
    (change,) = find_changes(Text(TITLE, BODY, None), Text(TITLE + "（修订）", BODY, None))
    assert (change.field, change.paragraph, change.added) == ("title", 0, "（修订）")
    assert brief(BODY, BODY, title=TITLE + "（修订）") == "title: added “（修订）”"


def test_a_counter_beside_an_edit_is_not_shown() -> None:
    old, new = page(BODY, below="阅读 103"), page(BODY.replace("450元", "400元"), below="阅读 981")
    assert brief(old, new) == "“续展注册费按每件450元收取” → “续展注册费按每件400元收取”"


def test_a_text_that_was_only_parted_otherwise_beside_an_edit_is_not_shown_as_changed() -> None:
    new = BODY.replace("\n", "").replace("450元", "400元")
    assert len(shown(BODY, new)) == 1


def test_many_changes_are_counted_in_brief() -> None:
    old = "".join(f"第{n}条规定如下内容甲乙丙丁戊，" for n in range(10))
    new = "".join(f"第{n}条规定如下内容甲乙庚丁戊，" for n in range(10))
    assert brief(old, new).endswith("; and 6 more places")


def test_what_is_shown_is_one_line_whatever_the_text_holds() -> None:
    new = BODY + "\n\r四、甲\x0b乙\u2028丙"
    assert all("\n" not in line and "\u2028" not in line for line in [*shown(BODY, new), brief(BODY, new)])


texts = st.text(alphabet="商标案权利人赔偿10万元。，\n 9a", max_size=120)


@given(texts, texts)
def test_the_changes_turn_one_text_into_the_other(old: str, new: str) -> None:
    """What is removed stood in the old text and what is added stands in the new one, in order."""
    changes = find_changes(Text("", old, None), Text("", new, None))
    for part, text in (("removed", old), ("added", new)):
        place = 0
        for change in changes:
            piece = "".join(getattr(change, part).split())
            squeezed = "".join(text.split())
            place = squeezed.find(piece, place)
            assert place >= 0
            place += len(piece)
    assert bool(changes) or not is_edit(old, new)


@given(texts)
def test_a_text_has_no_change_against_itself(text: str) -> None:
    assert find_changes(Text(text, text, None), Text(text, text, None)) == ()
