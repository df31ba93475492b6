"""The language: what an expression means, and that a wrong one is refused at its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.expression import ExpressionError, read_query, read_words
from pipeline.expression.evaluate import is_met
from pipeline.expression.fields import CHINESE_NAMES, FIELDS
from pipeline.expression.parse import DEEPEST, LONGEST, MOST
from pipeline.expression.places import find_patterns, find_places, show_places, word_pattern
from pipeline.expression.subject import Subject
from pipeline.expression.tree import And, Filter, Not, Or, Term
from tests.notices import make_record


def shape(node: Any) -> Any:
    """A tree without its places."""
    match node:
        case Term():
            return f'"{node.text}"' if node.exact else node.text
        case Filter():
            return f"{node.field}{node.operator}{node.value}"
        case Not():
            return ("not", shape(node.part))
        case And():
            return ("and", *map(shape, node.parts))
        case Or():
            return ("or", *map(shape, node.parts))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("商标", "商标"),
        ("商标 侵权", ("and", "商标", "侵权")),
        ("商标 AND 侵权", ("and", "商标", "侵权")),
        ("商标　ＡＮＤ　侵权", ("and", "商标", "侵权")),
        ("商标 OR 专利 侵权", ("or", "商标", ("and", "专利", "侵权"))),
        ("商标|专利", ("or", "商标", "专利")),
        ("商标｜专利", ("or", "商标", "专利")),
        ("（商标 OR 专利）侵权", ("and", ("or", "商标", "专利"), "侵权")),
        ("商标 -专利", ("and", "商标", ("not", "专利"))),
        ("商标 NOT 专利", ("and", "商标", ("not", "专利"))),
        ("NOT （商标 专利）", ("not", ("and", "商标", "专利"))),
        ("－商标", ("not", "商标")),
        ("x-ray", "x-ray"),
        ("“澄禾” 商标", ("and", '"澄禾"', "商标")),
        ("「trade secret」", '"trade secret"'),
        ("and or", ("and", "and", "or")),
        ("court：北知院", "court:北知院"),
        ("法院：北知院", "法院:北知院"),
        ("商标：侵权", "商标：侵权"),
        ("amount ≥ 100万", "amount>=100万"),
        ("amount＞＝100万", "amount>=100万"),
        ('publisher:"State Council" 商标', ("and", "publisher:State Council", "商标")),
        ("case:（2022）粤0192民初2187号", "case:（2022）粤0192民初2187号"),
        ("(2022) yue 0192 min chu 2187 OR x", ("or", "(2022) yue 0192 min chu 2187", "x")),
        ("((2022)粤0192民初2187号)", "(2022)粤0192民初2187号"),
        ("法释〔2021〕4号", "法释〔2021〕4号"),
        ("(2022 OR 2023)", ("or", "2022", "2023")),
    ],
)
def test_an_expression_is_taken_apart(text: str, expected: Any) -> None:
    assert shape(read_query(text).tree) == expected


@pytest.mark.parametrize("text", ["商标.*专利", "商标 ^专利", r"\d+件", "/商标/", "a.+b", "[^商]标"])
def test_what_looks_like_a_regular_expression_is_refused_but_in_quotes(text: str) -> None:
    with pytest.raises(ExpressionError, match="looks like a regular expression"):
        read_query(text)
    assert read_query(f'"{text}"').condition


@pytest.mark.parametrize("text", ["3.5", "C++", "US$5", "商标*", "and/or"])
def test_other_signs_do_not_make_a_regular_expression(text: str) -> None:
    assert read_query(text).condition


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "a word, a field or “(” was expected, not the end"),
        ("商标 \ud800", 3, "no character but a part of one"),
        ("商标 AND", 6, "expected, not the end"),
        ("商标 OR OR 专利", 6, "expected, not “OR”"),
        ("(商标", 0, "bracket that opens here is not closed"),
        ("商标)", 2, "a word, a field or the end was expected, not “)”"),
        ("商标 “澄禾", 3, "quotation mark that opens here is not closed"),
        ("商标 sorce:x", 3, "Did you mean “source”"),
        ("zzzz:x", 0, "The fields are amount, case"),
        ("court:", 6, "a value was expected"),
        ("court:Mars", 6, "is no court's name"),
        ("a court>=北知院", 9, "isn't compared"),
        ("amount>=much", 8, "is no sum"),
        ("amount>=12美元CNY", 8, "is no currency"),
        ("amount>=¥12美元", 8, "two currencies"),
        ("amount:5万..1万", 7, "wrong order"),
        ("date>=2026-13", 6, "is no day, month or year"),
        ("date:2026..2025", 5, "wrong order"),
        ("ip:brand", 3, "is no ip type; there are patent"),
        ("ip:,", 3, "A value was expected"),
        ("lang:fr", 5, "there are zh and en"),
        ("level:low", 6, "there are supreme"),
        ("region:Mars", 7, "is no province"),
        ("《》", 0, "no letter or digit"),
        ("(" * (DEEPEST + 2) + "a", DEEPEST + 1, f"{DEEPEST} deep"),
        ("-" * (DEEPEST + 2) + "a", DEEPEST + 1, f"{DEEPEST} deep"),
        ("a " * (MOST + 1), MOST * 2, f"{MOST} words and fields"),
        ("a" * (LONGEST + 1), LONGEST, f"{LONGEST} characters"),
    ],
)
def test_a_wrong_expression_is_refused_at_its_place(text: str, position: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_query(text)
    assert words in caught.value.reason
    assert caught.value.position == position
    sentence, shown, caret = str(caught.value).splitlines()
    assert f"(character {position + 1})" in sentence
    assert len(shown) <= 130
    assert caret.strip() == "^"


def test_the_caret_stands_below_the_place_also_behind_wide_characters() -> None:
    with pytest.raises(ExpressionError) as caught:
        read_query("商标 sorce:x")
    assert str(caught.value).splitlines()[1:] == ["    商标 sorce:x", " " * 9 + "^"]


@given(st.text(alphabet='商a()（“"-|:>=AND ORT,.〔]2022号No粤', max_size=60))
def test_any_text_is_read_or_refused_inside_of_itself(text: str) -> None:
    try:
        read_query(text)
    except ExpressionError as refused:
        position = refused.position
    else:
        position = 0
    assert 0 <= position <= len(text)


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_an_example_that_is_read_and_a_chinese_name(name: str) -> None:
    example = FIELDS[name].example
    assert example.startswith(name)
    (chinese,) = [word for word, field in CHINESE_NAMES.items() if field == name]
    assert read_query(example).condition == read_query(example.replace(name, chinese, 1)).condition


def met(text: str, **changes: Any) -> bool:
    return is_met(
        read_query(text).condition, Subject.of(make_record(1, **{"title": "通知", "body": "。", **changes}))
    )


@pytest.mark.parametrize(
    ("text", "body", "found"),
    [
        ("商标", "商標註冊", True),
        ("商標", "商标注册", True),
        ("商标", "a trademark case", True),
        ('"商标"', "商標註冊", False),
        ('"商标"', "a trademark case", False),
        ("trade secret", "商業秘密", True),
        ("trade secret", "the secret of trade", True),
        ('"trade secret"', "the secret of trade", False),
        ("国知局", "國家知識產權局", True),
        ("CNIPA", "国家知识产权局", True),
        ("最高法", "Supreme People's Court", True),
        ("最高人民法院", "最高法裁定", True),
        ("深圳中院", "深圳市中级人民法院判决", True),
        ("ＡＩ", "ai技术", True),
        ("AI", "Maintenance", False),
        ("(2022)粤0192民初2187", "（2022）Yue 0192 Min Chu No. 2187 is pending.", True),
        ("(2022) yue 0192 min chu 2187", "（2022）粤0192民初2187号", True),
        ("(2022) yue 0192 minchu 2187", "（2022）粤0192民初2188号", False),
        ("（2022）Yue 0192 Min Chu No. 2187", "（2022）粤0192民初2187号", True),
        ("(2022) yue 0192 min chu 2187 hao", "（2022）粤0192民初2187号", True),
        ("(2019) Zuigaofa Zhiminzhong No. 22", "（2019）最高法知民终22号", True),
        ("类型:商标", "原告主张商标权", True),
        ("ip:實用新型", "原告主张专利权", True),
        ("ip:商标", "原告主张专利权", False),
        ("法释[2021]4号", "法释〔2021〕4号", True),
        ("zl201410123456.7", "专利号ZL201410123456.7", True),
        ("商标 -专利", "商标与专利", False),
    ],
)
def test_a_word_is_found_in_every_form_and_in_quotes_as_it_is_written(
    text: str, body: str, found: bool
) -> None:
    assert met(text, body=body, title="通知 notice") is found


@pytest.mark.parametrize(
    ("text", "found"),
    [("amount>=35万", True), ("amount>35万", False), ("amount<=350,000元", True), ("amount<35万", False),
     ("amount:35万", True), ("amount:30万..40万", True), ("amount:..34万", False), ("amount>=1 美元", False),
     ("amount>=USD1", False), ("amount>=人民币三十五万元", True), ("amount>=35萬", True), ("amount>=36萬元", False)],
)  # fmt: skip
def test_sums_are_compared_in_their_currency(text: str, found: bool) -> None:
    try:
        assert met(text, body="判决被告赔偿原告经济损失35万元。") is found
    except ExpressionError:
        assert text == "amount>=1 美元"


def test_arguments_of_a_command_are_words_phrases_or_parts() -> None:
    assert read_words([]) is None

    def tree_of(*words: str) -> Any:
        query = read_words(words)
        assert query is not None
        return shape(query.tree)

    assert tree_of("商标", "赔偿") == ("and", "商标", "赔偿")
    assert tree_of("trade secret", "商标") == ("and", '"trade secret"', "商标")
    assert tree_of("商标 OR 专利") == ("or", "商标", "专利")
    assert tree_of("商标", "OR", "专利") == ("or", "商标", "专利")
    assert tree_of("(2022) Yue 0192 Min Chu No. 2187") == "(2022) Yue 0192 Min Chu No. 2187"


def test_what_was_read_can_be_shown() -> None:
    word, field = read_query("国知局 court:北知院").widened
    assert word.forms[:3] == ("国知局", "國知局", "国家知识产权局")
    assert word.facts == ("agency 国家知识产权局",)
    assert "court 北京知识产权法院" in field.facts


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("商标 -专利", "原告主张【商標】权。"),
        ('"商標" amount>=1万', "原告主张【商標】权。"),
        ("amount>=1万", "法院判赔【35万元】。"),
        ("TRADE", "The 【trade】 mark is known."),
        ('"trade mark"', "The 【trade mark】 is known."),
        ("ip:copyright", "【著作权】保护通知"),
        ("NOT 专利", ""),
        ("商标 35万", "原告主张【商標】权。"),
    ],
)
def test_the_sentence_of_a_match_is_shown_with_the_match_marked(text: str, sentence: str) -> None:
    record = make_record(
        1, title="著作权保护通知", body="原告主张商標权。法院判赔35万元。\nThe trade mark is known. End."
    )
    subject = Subject.of(record)
    condition = read_query(text).condition
    assert show_places(find_places(condition, subject), subject).marked == sentence


@given(
    before=st.text(alphabet="商标 ，aＡ。\n", max_size=12), after=st.text(alphabet="标商 ，bﬁ。", max_size=12)
)
def test_every_span_holds_what_was_asked_for(before: str, after: str) -> None:
    subject = Subject.of(make_record(1, title="通知", body=f"{before}。著作权。{after}。"))
    condition = read_query('"著作权"').condition
    ((start, end),) = find_places(condition, subject).body
    assert subject.body[start:end] == "著作权"


@pytest.mark.parametrize(
    ("text", "body", "marked"),
    [
        ('"标 权"', "商标权与商标 权", "商标权与商【标 权】"),
        ("dition", "une édition", ""),
        ("ai", "Maintenance of ＡＩ.", "Maintenance of 【ＡＩ】."),
        ("侵权 商标", "不侵权\u3000商标权，商标。", "不【侵权】 【商标】权，【商标】。"),
        ('"1 1"', "In 21 1 1, 1 12 and 11.", "In 21 【1 1】, 1 12 and 11."),
        ('"2020 苏"', "于2020苏，2020年苏", "于【2020苏】，2020年苏"),
    ],
)
def test_only_what_the_index_finds_is_marked(text: str, body: str, marked: str) -> None:
    subject = Subject.of(make_record(1, title="通知", body=body))
    assert show_places(find_places(read_query(text).condition, subject), subject).marked == marked


def test_words_of_a_rule_are_found_folded_and_latin_ones_whole() -> None:
    places = find_patterns(
        [word_pattern("shop"), word_pattern("trade mark")], "The bishop", "a shop, Trade\n Mark"
    )
    assert (places.title, places.body) == ((), ((2, 6), (8, 19)))
