"""Rules that ask in the query language."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, select

from errors import ConfigurationError
from pipeline.alerts.compose import compose
from pipeline.alerts.message import Sentence
from pipeline.alerts.rules import Rule, Rules, check_rules
from pipeline.store.tables import Delivery
from pipeline.store.write import write_records
from tests.notices import CONTEXT, make_record

RECORD = make_record(1, title="侵害商標權糾紛案", body="原告是澄禾公司。被告應賠償35万元。")


def rule(**asked: Any) -> Rule:
    return Rule.model_validate({"name": "r", "send": [{"channel": "log"}], **asked})


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"query": "商标"}, True),
        ({"query": "专利"}, False),
        ({"query": "NOT 专利"}, True),
        ({"query": "商标 amount>=30万"}, True),
        ({"query": "商标", "words": ["澄禾"]}, True),
        ({"query": "商标", "words": ["别家"]}, False),
        ({"query": "商标", "sources": ["elsewhere"]}, False),
        ({"query": "商标", "amount_min": "36万".replace("万", "0000")}, False),
        ({"query": "商标", "events": ["edited"]}, False),
    ],
)
def test_a_rule_wants_what_meets_its_query_and_its_lists(asked: dict[str, Any], wanted: bool) -> None:
    assert bool(list(Rules([rule(**asked)])(RECORD, "new"))) is wanted


def test_rules_with_and_without_queries_answer_in_their_order() -> None:
    rules = Rules(
        [
            rule(name="a", words=["澄禾"]),
            rule(name="b", query="商标"),
            rule(name="c", query="专利"),
            rule(name="d"),
        ]
    )
    assert [match.rule for match in rules(RECORD, "new")] == ["a", "b", "d"]


def test_rules_can_be_handed_to_another_process() -> None:
    for rules in (Rules([]), Rules([rule()]), Rules([rule(query="商标 -专利")])):
        again = pickle.loads(pickle.dumps(rules))
        assert list(again(RECORD, "new")) == list(rules(RECORD, "new"))


def test_a_query_that_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(
        ValidationError, match=r"query\n.*bracket that opens here is not closed.*\n.*\n {8,}\^"
    ):
        rule(query="商标 (专利")


def test_a_query_that_names_an_unknown_source_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no source is called 'elsewhere'"):
        check_rules([rule(query="商标 -source:elsewhere")], {"log": "file"}, {}, "iprwatch.toml")


def test_a_query_that_names_a_source_is_asked_of_a_second_source_too() -> None:
    asked = Rules(
        [
            rule(name="a", query="source:spp_focus"),
            rule(name="b", query="商标"),
            rule(name="c", query="-topic:x"),
        ]
    )
    named = asked.naming_sources()
    assert named is not None
    record = replace(RECORD, context=replace(CONTEXT, source_key="spp_focus"))
    assert [match.rule for match in named(record, "new")] == ["a", "c"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"query": "澄禾 OR 公司"}, Sentence("原告是", "澄禾", "公司。")),
        ({"words": ["３５万", "公司"]}, Sentence("原告是澄禾", "公司", "。")),
        ({"query": "35万", "words": ["公司"]}, Sentence("被告應賠償", "35万", "元。")),
        ({"words": ["糾紛"]}, Sentence("侵害商標權", "糾紛", "案")),
        ({}, None),
    ],
)
def test_the_sentence_that_matched_is_kept_for_the_alert(
    store: Engine, asked: dict[str, Any], sentence: Sentence | None
) -> None:
    write_records(store, [RECORD], Rules([rule(**asked)]))
    with store.connect() as connection:
        (delivery_id,) = connection.scalars(select(Delivery.id)).all()
        assert compose(connection, delivery_id).sentence == sentence


def test_marks_of_the_text_are_no_marks_of_a_match(store: Engine) -> None:
    write_records(
        store, [make_record(1, body="【裁判要旨】被告侵害【商标】权。")], Rules([rule(words=["侵害"])])
    )
    with store.connect() as connection:
        (delivery_id,) = connection.scalars(select(Delivery.id)).all()
        assert compose(connection, delivery_id).sentence == Sentence(
            "【裁判要旨】被告", "侵害", "【商标】权。"
        )
