"""What must hold for any text and any number."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.legal import (
    KINDS,
    find_amounts,
    find_case_numbers,
    find_document_numbers,
    find_facts,
    find_in_pinyin,
    find_patents,
)
from pipeline.legal.case_numbers import case_types
from pipeline.legal.court_codes import divisions, find_court, special_courts
from pipeline.legal.courts import find_courts
from pipeline.legal.document_numbers import ISSUERS
from pipeline.legal.fact import cite
from pipeline.legal.folding import fold
from pipeline.legal.numerals import read_chinese_integer
from pipeline.legal.patents import check_digit
from pipeline.legal.places import province_of

NUMBERED = {"case_number", "document_number", "amount", "patent", "trademark", "statute", "statistic", "date"}
COURT_CODES = sorted(special_courts()) + sorted(province_of(code)[0] + code[2:] for code in divisions())
TYPES = sorted(case_types())
FRAGMENTS = [
    *"（）()〔〕[]【】第号条款项之一二三十百万亿元余、，。；：-—~年月日0123456789",
    *(
        "粤0192",
        "京73",
        "最高法",
        "民初",
        "知民终",
        "刑终",
        "字第",
        "执",
        "法释",
        "公告",
        "局令",
        "检例",
        "检",
        "刑诉",
    ),
    *("人民币", "US$", "RMB ", " million", "约", "不超过", "以上", "赔偿", "判令", "请求", "罚款"),
    *(
        "某",
        "公司",
        "有限公司",
        "原告",
        "被告人",
        "诉",
        "第三人",
        "张某",
        "《",
        "》",
        "商标法",
        "“",
        "”",
        "商标",
        "类",
    ),
    *(
        "法院",
        "人民法院",
        "中级",
        "高院",
        "广东省",
        "江门市",
        "蓬江区",
        "知识产权局",
        "检察院",
        "ZL",
        "CN",
        ".",
        "X",
    ),
    *(
        "受理",
        "同比增长",
        "%",
        "件",
        "占比",
        "不",
        "构成侵权",
        "驳回",
        "诉讼请求",
        "維持",
        "號",
        "\n",
        " ",
        "\u3000",
        "\x00",
    ),
    *(
        "(2022) Yue 0192 Min Chu No. ",
        "Article 10 of the Patent Law",
        "plaintiff Acme Inc. ",
        "No. 5 cases ",
        "İ",
        "𝟙",
        "٣",
    ),
]
SPLICED = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)


@given(st.one_of(st.text(max_size=200), SPLICED))
def test_any_text_is_read_and_every_span_is_its_raw_text(text: str) -> None:
    facts = find_facts(text)
    assert all(text[fact.start : fact.end] == fact.raw and fact.raw for fact in facts)
    assert {fact.kind for fact in facts} <= set(KINDS)
    assert [(fact.start, fact.end) for fact in facts] == sorted((fact.start, fact.end) for fact in facts)


@given(SPLICED)
def test_values_are_json_and_methods_are_named(text: str) -> None:
    for fact in find_facts(text):
        assert json.loads(json.dumps(fact.value)) == fact.value
        assert fact.method


@given(st.text(max_size=100))
def test_folding_moves_no_character(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


@given(
    year=st.integers(2016, 2049),
    court=st.sampled_from(COURT_CODES),
    kind=st.sampled_from(TYPES),
    serial=st.integers(1, 999_999),
    brackets=st.sampled_from(["（）", "()", "〔〕", "［］", "[]", "【】"]),
    gap=st.sampled_from(["", " ", "\u3000"]),
)
def test_a_case_number_comes_back_whatever_its_brackets_and_spaces(
    year: int, court: str, kind: str, serial: int, brackets: str, gap: str
) -> None:
    printed = f"{brackets[0]}{gap}{year}{gap}{brackets[1]}{gap}{court}{gap}{kind}{gap}{serial}{gap}号"
    (fact,) = find_case_numbers(f"案号：{printed}。")
    assert fact.raw == printed
    assert fact.value["normalized"] == f"（{year}）{court}{kind}{serial}号"
    assert (fact.value["court_code"], fact.value["type_code"]) == (court, kind)
    assert find_case_numbers(str(fact.value["normalized"]))[0].value == fact.value


@given(year=st.integers(2016, 2049), court=st.sampled_from(COURT_CODES), kind=st.sampled_from(TYPES))
def test_pinyin_never_leads_to_another_case(year: int, court: str, kind: str) -> None:
    # These two hear no criminal cases, so that Xing can only be 行 there.
    assume(not (court in ("京73", "最高法") and "刑" in kind))
    (fact,) = find_case_numbers(f"（{year}）{court}{kind}12号")
    assert fact.value["pinyin"] is not None
    (read,) = find_in_pinyin(f"in {fact.value['pinyin']}.")
    assert read.value["pinyin"] == fact.value["pinyin"]
    assert read.value["normalized"] in (None, fact.value["normalized"])


@given(st.lists(st.integers(1, 99_999), min_size=2, max_size=8, unique=True))
def test_a_joint_number_is_as_many_facts_as_cases(serials: list[int]) -> None:
    facts = find_case_numbers(f"（2021）京73民初{'、'.join(map(str, serials))}号")
    assert [fact.value["serial"] for fact in facts] == serials
    assert len({(fact.start, fact.end) for fact in facts}) == len(serials)


@given(first=st.integers(1, 9_000), more=st.integers(1, 40), dash=st.sampled_from("-－—~～至"))
def test_a_range_is_as_many_facts_as_cases(first: int, more: int, dash: str) -> None:
    facts = find_case_numbers(f"（2021）京73民初{first}{dash}{first + more}号")
    assert [fact.value["serial"] for fact in facts] == list(range(first, first + more + 1))


@given(
    number=st.decimals(min_value="0.01", max_value="999999", places=2),
    scale=st.sampled_from([("", 0), ("万", 4), ("亿", 8), ("百万", 6), ("万亿", 12)]),
    currency=st.sampled_from(
        [("元", "CNY"), ("美元", "USD"), ("欧元", "EUR"), ("日元", "JPY"), ("港元", "HKD")]
    ),
)
def test_amounts_are_exact(number: Decimal, scale: tuple[str, int], currency: tuple[str, str]) -> None:
    (fact,) = find_amounts(f"支付{number}{scale[0]}{currency[0]}。")
    assert Decimal(str(fact.value["amount"])) == number * 10 ** scale[1]
    assert fact.value["currency"] == currency[1]


@given(number=st.integers(10, 10**12 - 1), suffix=st.sampled_from(["元", "元整", "元人民币", "美元"]))
def test_amounts_in_chinese_numerals_are_exact(number: int, suffix: str) -> None:
    (fact,) = find_amounts(f"支付{spell(number)}{suffix}。")
    assert fact.value["amount"] == str(number)
    assert fact.raw == spell(number) + suffix


@given(
    issuer=st.sampled_from(sorted(ISSUERS)),
    year=st.integers(1985, 2049),
    serial=st.integers(1, 99_999),
    brackets=st.sampled_from(["〔〕", "（）", "[]"]),
    before=st.sampled_from(["", "（", "根据", "\n"]),
)
def test_a_document_number_comes_back_and_is_no_case_number(
    issuer: str, year: int, serial: int, brackets: str, before: str
) -> None:
    printed = f"{issuer}{brackets[0]}{year}{brackets[1]}{serial}号"
    (fact,) = find_document_numbers(before + printed)
    assert (fact.raw, fact.value["normalized"]) == (printed, f"{issuer}〔{year}〕{serial}号")
    assert find_case_numbers(before + printed) == []


@given(court=st.sampled_from(COURT_CODES), kind=st.sampled_from(TYPES), serial=st.integers(1, 99_999))
def test_a_case_number_is_no_document_number(court: str, kind: str, serial: int) -> None:
    assert find_document_numbers(f"法院作出（2022）{court}{kind}{serial}号判决") == []


@given(st.integers(10, 10**12 - 1))
def test_chinese_numerals_come_back(number: int) -> None:
    assert read_chinese_integer(spell(number)) == number


def spell(number: int) -> str:
    """Write a number in Chinese numerals, the long way."""
    digits = "零一二三四五六七八九"
    if number >= 10**4:
        unit, name = (10**8, "亿") if number >= 10**8 else (10**4, "万")
        rest = number % unit
        gap = "零" if rest and rest < unit // 10 else ""
        return spell(number // unit) + name + gap + (spell(rest) if rest else "")
    out = ""
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            out += digits[digit] + name
        elif out and number and not out.endswith("零"):
            out += "零"
    return out


@given(year=st.integers(1985, 2029), right=st.sampled_from("12389"), serial=st.integers(0, 9_999_999))
def test_the_check_digit_of_a_patent_tells_right_from_wrong(year: int, right: str, serial: int) -> None:
    digits = f"{year}{right}{serial:07d}"
    check = check_digit(digits)
    wrong = "0" if check != "0" else "1"
    assert find_patents(f"ZL{digits}.{check}")[0].value["check_valid"] is True
    assert find_patents(f"ZL{digits}.{wrong}")[0].value["check_valid"] is False
    assert find_patents(f"编号{digits}.{wrong}") == []


@pytest.mark.parametrize(
    ("number", "check"),
    [("85100001", "0"), ("200610000001", "1"), ("201410123456", "7"), ("202330111222", "0")],
)
def test_the_check_digit_is_weighted_as_the_standard_says(number: str, check: str) -> None:
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
    assert check_digit(number) == "0123456789X"[total % 11] == check


@given(st.sampled_from(COURT_CODES))
def test_the_full_name_of_a_court_leads_back_to_its_code(code: str) -> None:
    court = find_court(code)
    assert court is not None
    (fact,) = find_courts(f"由{court.name_zh}审理")
    assert (fact.raw, fact.value["court_code"]) == (court.name_zh, code)


DIGITS = st.integers(1, 9_999).map(str)
DECOYS = st.one_of(
    DIGITS.map(lambda n: f"电话010-6208{n:0>4}"),
    DIGITS.map(lambda n: f"手机1381234{n:0>4}"),
    DIGITS.map(lambda n: f"ISSN 1674-{n:0>4}"),
    DIGITS.map(lambda n: f"ISBN 978-7-5130-{n:0>4}-5"),
    DIGITS.map(lambda n: f"邮编10{n:0>4}"),
    DIGITS.map(lambda n: f"2026年第{n}期"),
    DIGITS.map(lambda n: f"表{n}"),
    DIGITS.map(lambda n: f"第{n}页"),
    DIGITS.map(lambda n: f"第{n}条"),
    DIGITS.map(lambda n: f"GB/T {n}-2020"),
    DIGITS.map(lambda n: f"某路{n}号"),
    DIGITS.map(lambda n: f"图{n}（2022）"),
    DIGITS.map(lambda n: f"京ICP备{n:0>8}号"),
    DIGITS.map(lambda n: f"{n}年第3卷"),
)


@given(st.lists(DECOYS, min_size=1, max_size=12), st.sampled_from(["，", "。", "；", "\n", " "]))
def test_decoys_are_no_facts(decoys: list[str], mark: str) -> None:
    assert [fact for fact in find_facts(mark.join(decoys)) if fact.kind in NUMBERED] == []


def test_a_fact_cites_the_text_itself() -> None:
    assert cite("amount", "赔偿35万元", 2, 6, {}, "test").raw == "35万元"
