"""Rules that ask for facts: kinds of right, case numbers, courts and sums."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.alerts.rules import Rule, Rules
from tests.notices import make_record

BODY = "广州互联网法院在（2022）粤0192民初2187号案中判决被告赔偿原告经济损失35万元及12万美元。"
RECORD = make_record(1, title="侵害商标权纠纷案", body=BODY)


def rule(**asked: Any) -> Rule:
    return Rule.model_validate({"name": "r", "send": [{"channel": "log"}], **asked})


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"ip_types": ["trademark"]}, True),
        ({"ip_types": ["patent", "trademark"]}, True),
        ({"ip_types": ["patent"]}, False),
        ({"case_numbers": ["(2022)粤0192民初2187号"]}, True),
        ({"case_numbers": ["(2022) Yue 0192 Min Chu No. 2187"]}, True),
        ({"case_numbers": ["(2022)粤0192民初2188号"]}, False),
        ({"courts": ["广互院"]}, True),
        ({"courts": ["北知院"]}, False),
        ({"amount_min": "350000"}, True),
        ({"amount_min": "350000.01"}, False),
        ({"amount_min": "120000", "currency": "USD"}, True),
        ({"amount_min": "120001", "currency": "USD"}, False),
        ({"amount_min": "1", "currency": "EUR"}, False),
        ({"ip_types": ["trademark"], "courts": ["北知院"]}, False),
        ({"ip_types": ["trademark"], "words": ["专利"]}, False),
        ({"amount_min": "350000", "words": ["赔偿"], "courts": ["广州互联网法院"]}, True),
    ],
)
def test_a_rule_matches_when_every_sort_of_fact_asked_for_is_there(
    asked: dict[str, Any], wanted: bool
) -> None:
    assert bool(list(Rules([rule(**asked)])(RECORD, "new"))) is wanted


def test_a_court_is_known_by_its_case_number_alone() -> None:
    record = make_record(1, body="案号：（2022）粤0192民初2187号。")
    assert list(Rules([rule(courts=["广州互联网法院"])])(record, "new"))


def test_pinyin_that_fits_several_numbers_is_answered_by_each() -> None:
    asked = Rules([rule(case_numbers=["(2022) Jin 01 Min Chu No. 5"])])
    for code in "津晋":
        assert list(asked(make_record(1, body=f"（2022）{code}01民初5号案。"), "new"))
    assert not list(asked(make_record(1, body="（2022）京01民初5号案。"), "new"))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"ip_types": ["brand"]}, "'brand' is no kind of right; there are patent"),
        ({"case_numbers": ["商标"]}, "is no case number"),
        ({"courts": ["Mars"]}, "is no court's name"),
        ({"amount_min": "-1"}, "amount_min"),
        ({"amount_min": "x"}, "amount_min"),
        ({"currency": "yuan"}, "currency"),
    ],
)
def test_a_rule_that_asks_for_what_no_text_can_say_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        rule(**asked)
