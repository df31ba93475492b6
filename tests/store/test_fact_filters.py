"""Search by facts: any written form finds the same items, on both databases, and sums compare as numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.store.write import write_records
from query.errors import QueryError
from query.fact_filters import FactFilter
from query.search import search_items
from tests.notices import make_record

TEXTS = {
    1: ("侵害商标权纠纷案改判", "广州互联网法院在（2022）粤0192民初2187号案中判决被告赔偿35万元，依据《商标法》第六十三条。"),
    2: ("Trademark case", "In (2022) Yue 0192 Min Chu No. 2187 the court awarded RMB 9.5 million under the Trademark Law."),
    3: ("关于修改专利审查指南的公告", "国家知识产权局公告第六七五号。根据《中华人民共和国专利法》第六十五条修改。费用为1000000.01元。"),
    4: ("某市法院审结一案", "被告杭州甲乙科技有限公司上诉。（2022）粤0192民初2187号之一裁定，涉及12万美元。法释〔2021〕4号适用。"),
    5: ("English report", "The case (2022) Jin 01 Min Chu No. 5 is pending. 原告：北京丙丁有限公司。"),
    6: ("天津案", "（2022）津01民初5号案与（2022）晋01民初5号案是两案。"),
}  # fmt: skip


@pytest.fixture
def filled(store: Engine) -> Engine:
    write_records(
        store, [make_record(number, title=title, body=body) for number, (title, body) in TEXTS.items()]
    )
    return store


def numbers(store: Engine, **wanted: Any) -> list[int]:
    found = search_items(store, facts=FactFilter(**wanted))
    return sorted(int(hit.url.rsplit("/", 1)[-1].removesuffix(".html")) for hit in found.hits)


@pytest.mark.parametrize(
    "written",
    [
        "（2022）粤0192民初2187号",
        "(2022)粤0192民初2187号",
        "[2022]粤0192民初2187",
        "〔2022〕粤 0192 民初 2187 号",
        "（２０２２）粤０１９２民初２１８７号",
        "(2022) Yue 0192 Min Chu No. 2187",
        "（2022）Yue0192 Minchu No.2187",
        "2022 yue 0192 min chu 2187 hao",
    ],
)
def test_every_form_of_a_case_number_finds_every_form_of_it(filled: Engine, written: str) -> None:
    assert numbers(filled, case_numbers=[written]) == [1, 2, 4]


def test_a_ruling_within_a_case_is_not_the_case(filled: Engine) -> None:
    assert numbers(filled, case_numbers=["（2022）粤0192民初2187号之一"]) == [4]


def test_another_case_number_finds_nothing(filled: Engine) -> None:
    assert numbers(filled, case_numbers=["（2022）粤0192民初218号"]) == []


def test_pinyin_that_fits_two_numbers_finds_both_and_a_number_only_its_own(filled: Engine) -> None:
    assert numbers(filled, case_numbers=["(2022) Jin 01 Min Chu No. 5"]) == [5, 6]
    assert numbers(filled, case_numbers=["（2022）津01民初5号"]) == [5, 6]
    assert numbers(filled, case_numbers=["（2022）津01民初6号"]) == []


@pytest.mark.parametrize("court", ["广州互联网法院", "广互院", "Guangzhou Internet Court"])
def test_a_court_is_found_by_its_names_and_by_its_case_numbers(filled: Engine, court: str) -> None:
    assert numbers(filled, courts=[court]) == [1, 2, 4]


@pytest.mark.parametrize(
    ("least", "most", "currency", "expected"),
    [
        ("350000", None, "CNY", [1, 2, 3]),
        ("350000.01", None, "CNY", [2, 3]),
        ("1000000.01", "1000000.01", "CNY", [3]),
        ("1000000.02", None, "CNY", [2]),
        ("9000000", None, "CNY", [2]),
        (None, "1000000", "CNY", [1]),
        ("0", None, "USD", [4]),
        ("0", None, "usd", [4]),
        ("0", None, "美元", [4]),
        ("350000", None, "RMB", [1, 2, 3]),
        ("10000000", None, "CNY", []),
    ],
)
def test_sums_compare_as_exact_numbers_within_their_currency(
    filled: Engine, least: str | None, most: str | None, currency: str, expected: list[int]
) -> None:
    bounds = {name: Decimal(bound) for name, bound in (("amount_min", least), ("amount_max", most)) if bound}
    assert numbers(filled, currency=currency, **bounds) == expected


@pytest.mark.parametrize(
    ("statute", "expected"),
    [
        ("商标法", [1, 2]),
        ("《中华人民共和国商标法》", [1, 2]),
        ("Trademark Law", [1, 2]),
        ("专利法第六十五条", [3]),
        ("专利法第65条", [3]),
        ("专利法第六十四条", []),
        ("民法典", []),
    ],
)
def test_a_statute_is_found_by_its_titles_and_its_article(
    filled: Engine, statute: str, expected: list[int]
) -> None:
    assert numbers(filled, statutes=[statute]) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("国家知识产权局公告第675号", [3]),
        ("公告第675号", [3]),
        ("CNIPA Announcement No. 675", [3]),
        ("公告第75号", []),
        ("法释[2021]4号", [4]),
        ("法释〔2021〕14号", []),
    ],
)
def test_a_document_number_is_found_in_any_form(filled: Engine, document: str, expected: list[int]) -> None:
    assert numbers(filled, documents=[document]) == expected


def test_a_party_is_found_by_a_part_of_its_name(filled: Engine) -> None:
    assert numbers(filled, parties=["甲乙科技"]) == [4]
    assert numbers(filled, parties=["%"]) == []


def test_of_one_sort_one_value_is_enough_and_every_sort_must_be_met(filled: Engine) -> None:
    assert numbers(filled, ip_types=["trademark", "patent"]) == [1, 2, 3]
    assert numbers(filled, ip_types=["trademark"], courts=["广州互联网法院"], amount_min=Decimal(10**6)) == [
        2
    ]


def test_the_kind_of_a_notice_is_a_filter(filled: Engine) -> None:
    assert numbers(filled, kinds=["law_or_policy"]) == [3]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"case_numbers": ["商标"]}, "is no case number"),
        ({"courts": ["Mars"]}, "is no court's name"),
        ({"ip_types": ["brand"]}, "is no ip type; there are patent"),
        ({"kinds": ["gossip"]}, "is no notice kind; there are hearing"),
        ({"parties": [" "]}, "needs a name"),
        ({"documents": [" "]}, "needs its number"),
        ({"amount_min": Decimal(2), "amount_max": Decimal(1)}, "wrong order"),
        ({"amount_min": Decimal(10) ** 27}, "is no sum"),
        ({"amount_min": Decimal("NaN")}, "is no sum"),
        ({"amount_min": Decimal(1), "currency": "dollars"}, "is no currency"),
        ({"parties": ["\udcff"]}, "is no character"),
        ({"statutes": ["\ud800"]}, "is no character"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(store: Engine, wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        search_items(store, facts=FactFilter(**wanted))
