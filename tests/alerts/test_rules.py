"""Rules: which notices they want, and that one which could never work is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from errors import ConfigurationError
from pipeline.alerts.rules import Recipient, Rule, Rules, check_rules
from pipeline.expression.subject import Subject
from pipeline.normalize import fold
from pipeline.record import Record
from pipeline.store.write import Match
from tests.notices import CONTEXT, make_record

SEND = (Recipient(channel="log"),)


@dataclass(frozen=True)
class Watched:
    """A source, as far as rules know one."""

    topics: tuple[str, ...] = ("law",)


def rule(**changes: Any) -> Rule:
    return Rule.model_validate({"name": "Trademarks", "send": SEND, **changes})


def wanted(changed: Rule, record: Record, event: str = "new") -> bool:
    return bool(list(Rules([changed])(record, event)))


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("商标", "侵害商标权纠纷", True),
        ("商标", "侵害商 标权纠纷", False),
        ("专利", "侵害商标权纠纷", False),
        ("AI", "生成式ai的版权", True),
        ("ai", "生成式ＡＩ的版权", True),
        ("AI", "Maintenance of patents", False),
        ("trade secret", "Trade  Secret case", True),
        ("5G", "5G标准必要专利", True),
        ("5G", "15G", False),
        ("粤0192民初2187号", "（2022）粤0192民初2187号", True),
        ("(2022)粤0192", "（2022）粤0192民初2187号", True),
        ("C++", "c++ 软件著作权", True),
        ("a.b", "aXb", False),
        ("ﬁgure", "FIGURE", True),
    ],
)
def test_words_are_compared_folded_and_latin_ones_whole(word: str, text: str, found: bool) -> None:
    assert wanted(rule(words=[word]), make_record(1, title="通知", body=text)) is found


def test_a_word_may_stand_in_the_title_alone() -> None:
    record = make_record(1, title="专利公告", body="全文如下。")
    assert wanted(rule(words=["专利"]), record)


def test_one_of_the_words_is_enough() -> None:
    assert wanted(rule(words=["专利", "商标"]), make_record(1, body="商标"))


def test_words_sources_and_topics_must_all_agree() -> None:
    record = make_record(1, body="商标")
    assert wanted(rule(words=["商标"], sources=[CONTEXT.source_key], topics=["law", "case"]), record)
    assert not wanted(rule(words=["专利"], sources=[CONTEXT.source_key], topics=["law"]), record)
    assert not wanted(rule(words=["商标"], sources=["spp_focus"], topics=["law"]), record)
    assert not wanted(rule(words=["商标"], sources=[CONTEXT.source_key], topics=["case"]), record)


def test_a_rule_that_asks_for_nothing_wants_everything() -> None:
    assert wanted(rule(), make_record(1, context=replace(CONTEXT, topics=())))


@pytest.mark.parametrize(
    ("events", "event", "found"),
    [
        (["new"], "new", True),
        (["new"], "version 2", False),
        (["edited"], "new", False),
        (["edited"], "version 12", True),
        (["new", "edited"], "version 2", True),
    ],
)
def test_an_edit_is_told_only_to_those_who_asked(events: list[str], event: str, found: bool) -> None:
    assert wanted(rule(events=events), make_record(1), event) is found


def test_every_recipient_of_a_rule_gets_a_row_and_none_two() -> None:
    anna, log = Recipient(channel="mail", to="anna@example.org"), Recipient(channel="log")
    matches = list(Rules([rule(send=[anna, log, anna])])(make_record(1), "new"))
    assert matches == [Match("Trademarks", "mail", "anna@example.org"), Match("Trademarks", "log", "")]


def test_two_rules_for_one_notice_are_two_matches() -> None:
    rules = Rules([rule(name="a"), rule(name="b"), rule(name="c", words=["没有"])])
    assert [match.rule for match in rules(make_record(1), "new")] == ["a", "b"]


@given(
    before=st.text(alphabet="商标专利 ，a", max_size=10), after=st.text(alphabet="商标专利 ，b", max_size=10)
)
def test_a_chinese_word_is_found_wherever_it_stands(before: str, after: str) -> None:
    assert wanted(rule(words=["著作权"]), make_record(1, body=f"{before}著作权{after}"))


@given(word=st.text(min_size=1, max_size=20))
def test_a_rule_is_refused_or_finds_its_own_word(word: str) -> None:
    try:
        asked = rule(words=[word])
    except ValidationError:
        assert not fold(word) or any("\ud800" <= character <= "\udfff" for character in word)
        return
    assert asked.wants(Subject.of(make_record(1)), f"。{fold(word)}。", "new")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""}, {"name": " "}, {"name": "x" * 201}, {"words": [""]}, {"words": ["  "]}, {"words": ["\x1f"]},
        {"words": "商标"}, {"events": []}, {"send": []}, {"send": [{"channel": ""}]},
        {"send": [{"channel": "x" * 101}]}, {"send": [{"channel": "log", "to": "x" * 401}]},
        {"send": [{"channel": "log", "cc": "x"}]}, {"colour": "red"},
        {"send": [{"channel": "log"}, {"channel": "log", "quiet": "22:00-08:00"}]},
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_used_is_refused_under_the_name_of_its_fault(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(changes))):
        rule(**changes)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([rule(), rule()], "two rules are called 'Trademarks'"),
        ([rule(name="operators")], "a rule can't be called 'operators'"),
        ([rule(sources=["no_such"])], "no source is called 'no_such'"),
        ([rule(events=["gone"])], "'gone' is no event"),
        ([rule(send=[Recipient(channel="mail")])], "no channel is called 'mail'; there are log"),
        ([rule(topics=["tradmarks"])], "none of its sources has the topic 'tradmarks'; there are case, law"),
        ([rule(query="商标 -topic:tradmarks")], "none of its sources has the topic 'tradmarks'"),
        ([rule(topics=["law"], sources=["spp_focus"])], "has the topic 'law'; there are case"),
        ([rule(send=[Recipient(channel="log", to="a.jsonl")])], "'log' must be left out"),
    ],
)
def test_a_rule_that_could_never_match_is_refused_with_place_and_name(rules: list[Rule], words: str) -> None:
    sources = {"court_spc": Watched(), "spp_focus": Watched(("case",))}
    with pytest.raises(ConfigurationError, match=words) as caught:
        check_rules(rules, {"log": "file"}, sources, "iprwatch.toml")
    assert str(caught.value).startswith("iprwatch.toml: ")


def test_rules_that_can_match_are_taken() -> None:
    sources = {"court_spc": Watched(), "spp_focus": Watched(("case",))}
    rules = [
        rule(topics=["law", "case"]),
        rule(name="b", sources=["spp_focus"], topics=["case"]),
        rule(name="c"),
    ]
    check_rules(rules, {"log": "file"}, sources, "iprwatch.toml")
