"""Counts agree with what is stored, and charts show them as text that a browser renders."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine

from crawlers.notice import PrintedDate
from pipeline.expression import read_words
from pipeline.store.write import write_records
from query.charts import bar_chart
from query.search import find_conditions
from query.stats import BY, Group, count_items
from tests.notices import make_record

SVG = "{http://www.w3.org/2000/svg}"
TEXTS = [
    ("2026-08-03", "最高人民法院判决赔偿10万元，案号（2026）最高法民再87号，侵害商标权。"),
    ("2026-08-30", "最高人民法院判决赔偿30万元，另有2万元，侵害商标权和专利权。"),
    ("2026-08-31", "广州知识产权法院判决赔偿20万元，侵害专利权。"),
    ("2026-11-01", "没有金额的消息。"),
    (None, "没有日期，赔偿100万美元，侵害专利权。"),
]  # fmt: skip


@pytest.fixture
def filled(store: Engine) -> Engine:
    write_records(
        store,
        [
            make_record(number, title=f"消息{number}", publisher="某报", body=body, dates=(PrintedDate(day, "x"),) if day else ())
            for number, (day, body) in enumerate(TEXTS, start=1)
        ],
    )  # fmt: skip
    return store


def counted(engine: Engine, by: str, *words: str) -> dict[str, int]:
    conditions = find_conditions(engine.dialect.name, read_words(words))
    return {group.label: group.items for group in count_items(engine, conditions, by)}


def test_months_are_counted_in_order_without_gaps_and_undated_items_are_last(filled: Engine) -> None:
    assert list(counted(filled, "month").items()) == [
        ("2026-08", 3), ("2026-09", 0), ("2026-10", 0), ("2026-11", 1), ("unknown", 1),
    ]  # fmt: skip


def test_an_item_counts_once_under_each_thing_that_it_names(filled: Engine) -> None:
    assert counted(filled, "ip_type") == {"patent": 3, "trademark": 2}
    assert counted(filled, "court") == {"最高人民法院": 2, "广州知识产权法院": 1}
    assert counted(filled, "source") == {"court_spc_interpretations": 5}


def test_filters_of_a_search_hold_for_counts(filled: Engine) -> None:
    assert counted(filled, "ip_type", "广州") == {"patent": 1}
    assert counted(filled, "month", "无此词语") == {}


def test_sums_are_exact_and_one_currency_and_one_an_item(filled: Engine) -> None:
    assert count_items(filled, [], "amount") == [
        Group("2026-08", 3, Decimal(200_000), Decimal(300_000)),
    ]  # fmt: skip


@pytest.mark.parametrize("by", BY)
def test_nothing_stored_is_counted_as_nothing(store: Engine, by: str) -> None:
    assert count_items(store, [], by) == []


def test_a_chart_is_drawn_to_scale_with_labels_as_text() -> None:
    chart = ElementTree.fromstring(
        bar_chart("按法院", [("最高人民法院", 4), ("广州知识产权法院", 1), ("无", 0)])
    )
    texts = [element.text for element in chart.iter(f"{SVG}text")]
    assert texts == ["按法院", "最高人民法院", "4", "广州知识产权法院", "1", "无", "0"]
    widths = [float(bar.get("width", "")) for bar in list(chart.iter(f"{SVG}rect"))[1:]]
    assert widths == [widths[0], widths[0] / 4, 0.0]
    assert widths[0] > 0


def test_sums_are_printed_in_full_and_nothing_stands_outside_the_chart() -> None:
    bars = [("2026-08", Decimal("200000.0000")), ("2026-09", Decimal("1E+3")), ("W" * 90, 1_234_567_890_123)]
    chart = ElementTree.fromstring(bar_chart("Median of the sums: " + "惩罚性赔偿 " * 30, bars))
    width, height = float(chart.get("width", "")), float(chart.get("height", ""))
    shown = [(element, element.text or "") for element in chart.iter(f"{SVG}text")]
    assert [text for _, text in shown[-6:]] == [
        "2026-08", "200,000", "2026-09", "1,000", "W" * 31 + "…", "1,234,567,890,123",
    ]  # fmt: skip
    lines = [text for _, text in shown[:-6]]
    assert len(lines) > 2
    assert "".join(lines).replace(" ", "") == "Medianofthesums:" + "惩罚性赔偿" * 30
    for element, text in shown:
        size = int(element.get("font-size", 13))
        wide = sum(size if ord(character) > 255 else size * 0.6 for character in text)
        x = float(element.get("x", "")) - (wide if element.get("text-anchor") else 0)
        assert x >= 0
        assert x + wide <= width
        assert float(element.get("y", "")) <= height


def test_a_label_can_not_leave_its_text() -> None:
    chart = bar_chart("<script>alert(1)</script>", [('"/><script>alert(1)</script>\x00', 1)])
    root = ElementTree.fromstring(chart)
    assert list(root.iter(f"{SVG}script")) == []
    assert [element.text for element in root.iter(f"{SVG}text")][:2] == [
        "<script>alert(1)</script>",
        '"/><script>alert(1)</script>',
    ]


def test_a_chart_of_nothing_is_a_chart() -> None:
    assert ElementTree.fromstring(bar_chart("无", [])).tag == f"{SVG}svg"
