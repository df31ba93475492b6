"""Verdicts on runs: what a run row says, held against the source's own history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.runs import STATES
from pipeline.health.coverage import add_up, filled_fields, find_emptied, measure
from pipeline.health.rhythm import FEWEST_GAPS, count_own_days, learn_rhythm
from pipeline.health.verdict import VERDICTS, History, RunFacts, judge_run
from pipeline.health.workdays import is_workday
from tests.notices import make_record

FRIDAY = date(2026, 11, 20)


def workdays_before(day: date, step: int = 1) -> list[date]:
    """Every `step`-th workday of a year before a day."""
    days = [day - timedelta(days=number) for number in range(365, 0, -1)]
    return [one for one in days if is_workday(one)][::-1][::step][::-1]


def run(state: str = "ok", *, day: date = FRIDAY, **changes: Any) -> RunFacts:
    counts = {"list_pages": 1, "links": 20} | changes.pop("counts", {})
    facts = RunFacts(1, day, finished=True, state=state, reason="why", counts=counts, coverage={})
    return replace(facts, **changes)


def said(facts: RunFacts, history: History | None = None) -> tuple[str, str | None]:
    verdict = judge_run(facts, history or History())
    assert verdict is not None
    assert verdict.name in VERDICTS
    return verdict.name, verdict.kind


# --- What the run row alone says ---


@pytest.mark.parametrize(
    ("state", "refusal", "verdict"),
    [
        ("blocked", {"kind": "http 412"}, ("blocked", "http 412")),
        ("closed by robots", {"kind": "ClosedByRobots"}, ("blocked", "robots.txt")),
        ("login expired", {"kind": "login"}, ("login expired", "login")),
        ("down", {"kind": "TimeoutError"}, ("down", "TimeoutError")),
        ("changed", {"looked_for": "a list", "found": "none"}, ("layout changed", "list")),
        ("changed", {"kind": "gone"}, ("moved", "gone")),
        ("changed", {"redirected_from": "https://x.cn/list"}, ("moved", "redirected")),
        ("changed", {"status": 404}, ("moved", "http 404")),
        ("failed", None, ("incomplete", "failed")),
        ("incomplete", None, ("incomplete", None)),
        ("a state to come", None, ("incomplete", None)),
    ],
)
def test_a_list_that_was_not_read_has_its_verdict_from_what_came_instead(
    state: str, refusal: dict[str, str] | None, verdict: tuple[str, str | None]
) -> None:
    assert said(run(state, refusal=refusal, counts={"list_pages": 0})) == verdict


def test_a_killed_run_is_incomplete_whatever_it_had_read() -> None:
    assert said(run(finished=False, counts={"new": 3})) == ("incomplete", "killed")


def test_what_was_not_asked_for_says_nothing() -> None:
    for state in ("not recorded", "outside hours"):
        assert judge_run(run(state), History()) is None


@pytest.mark.parametrize("state", STATES)
def test_only_a_list_that_was_read_can_be_well(state: str) -> None:
    verdict = judge_run(run(state, counts={"list_pages": 0}), History())
    assert verdict is None or not verdict.is_well


def test_news_and_edits_are_new_and_what_is_filtered_is_quiet() -> None:
    assert said(run(counts={"new": 1, "fresh": 1})) == ("new", None)
    assert said(run(counts={"edited": 1})) == ("new", None)
    assert said(run(counts={"filtered": 2, "fresh": 2})) == ("quiet as usual", None)


def test_articles_that_none_can_be_read_of_are_a_changed_layout_and_one_of_many_is_not() -> None:
    counts = {"asked": 2, "fresh": 2, "changed": 2}
    assert said(run("incomplete", counts=counts)) == ("layout changed", "articles")
    assert said(run("incomplete", counts={**counts, "changed": 1, "new": 1})) == ("incomplete", "articles")
    # Asked for again, they are no longer fresh.
    again = run("incomplete", counts={**counts, "fresh": 0})
    assert said(again) == ("incomplete", "articles")
    assert said(again, History(before=("layout changed", "articles"))) == ("layout changed", "articles")


# --- Against the history: layout ---


def test_a_list_that_shows_far_fewer_entries_than_ever_is_not_the_list_it_was() -> None:
    history = History(list_lengths=[20] * 10)
    assert said(run(counts={"links": 9}), history) == ("layout changed", "short list")
    assert said(run(counts={"links": 10}), history) == ("quiet as usual", None)
    # An unchanged list was not sent, and a history of few lists proves nothing.
    assert said(run(counts={"links": 0, "lists not modified": 1}), history)[0] == "quiet as usual"
    assert said(run(counts={"links": 9}), History(list_lengths=[20] * 4))[0] == "quiet as usual"


def test_a_field_that_was_always_there_and_is_empty_is_a_changed_layout_in_the_same_run() -> None:
    history = History(coverage={"items": 30, "date": 30, "body": 30, "publisher": 0, "author": 15})
    empty = {"items": 1, "date": 0, "body": 1, "publisher": 0, "author": 0}
    assert said(run(counts={"new": 1}, coverage=empty), history) == ("layout changed", "field date")
    whole = {"items": 3, "date": 3, "body": 3, "publisher": 0, "author": 1}
    assert said(run(counts={"new": 3}, coverage=whole), history) == ("new", None)


def test_a_field_that_was_missing_now_and_then_is_measured_with_those_times() -> None:
    whole, bare = {"items": 1, "author": 1}, {"items": 1, "author": 0}
    assert measure([(True, whole), (False, bare), (True, {}), (True, whole)])["items"] == 3
    # Two in a row were no chance, and nobody knows yet what the last one was.
    assert measure([(True, whole), (False, bare), (False, bare), (True, whole)])["items"] == 2
    assert measure([(True, whole), (False, bare)]) == {
        "items": 1,
        "date": 0,
        "body": 0,
        "publisher": 0,
        "author": 1,
    }


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("short list", run(counts={"links": 9, "new": 1})),
        ("field date", run(counts={"new": 1}, coverage={"items": 1, "date": 0})),
    ],
)
def test_a_change_that_lasts_for_twenty_runs_is_accepted(kind: str, facts: RunFacts) -> None:
    history = History(
        list_lengths=[20] * 10, coverage={"items": 30, "date": 30}, before=("layout changed", kind), same_runs=19
    )  # fmt: skip
    assert said(facts, history) == ("layout changed", kind)
    verdict = judge_run(facts, replace(history, same_runs=20))
    assert verdict is not None
    assert (verdict.name, verdict.accepts) == ("new", True)
    assert verdict.why.startswith("Accepted after 20 runs. ")
    assert said(facts, replace(history, same_runs=20, before=("down", None))) == ("layout changed", kind)


def test_a_walk_through_the_archive_is_not_measured_by_its_length() -> None:
    history = History(list_lengths=[20] * 10)
    assert said(run(counts={"links": 9, "walked pages": 1}), history)[0] == "quiet as usual"


def test_a_changed_layout_lasts_until_an_article_shows_otherwise() -> None:
    history = History(before=("layout changed", "field date"), coverage={"items": 30, "date": 30})
    verdict = judge_run(run(), history)
    assert verdict is not None
    assert (verdict.name, verdict.kind, verdict.conclusive) == ("layout changed", "field date", False)
    assert said(run(counts={"new": 1}, coverage={"items": 1, "date": 1}), history) == ("new", None)
    # A list that can be read again is well at once.
    assert said(run(), replace(history, before=("layout changed", "list")))[0] == "quiet as usual"


def test_none_and_the_empty_text_are_missing() -> None:
    whole = filled_fields(make_record(1, author="张三"))
    assert whole == {"items": 1, "date": 1, "body": 1, "publisher": 1, "author": 1}
    bare = filled_fields(make_record(1, dates=(), body=" \n", publisher="", author=None))
    assert bare == {"items": 1, "date": 0, "body": 0, "publisher": 0, "author": 0}
    assert add_up([whole, bare])["items"] == 2


@given(
    items=st.integers(0, 50),
    known=st.integers(0, 500),
    data=st.data(),
)
def test_fields_that_are_no_emptier_than_before_never_count_as_emptied(
    items: int, known: int, data: st.DataObject
) -> None:
    before = data.draw(st.integers(0, known))
    now = data.draw(st.integers(0, items))
    emptied = find_emptied({"items": items, "date": now}, {"items": known, "date": before})
    if emptied is not None:
        assert emptied.field == "date"
        assert now * known < before * items


# --- Against the history: silence ---


def test_silence_is_usual_up_to_a_share_longer_than_the_longest_before() -> None:
    weekly = workdays_before(FRIDAY, step=5)
    rhythm = learn_rhythm(weekly)
    assert rhythm is not None
    assert (rhythm.usual, rhythm.weekend) == (5, 0)
    assert 9 < rhythm.limit < 10
    verdicts = {}
    day = weekly[-1]
    for number in range(1, 12):
        day += timedelta(days=1)
        while not is_workday(day):
            day += timedelta(days=1)
        verdicts[number] = said(run(day=day), History(news_days=weekly))[0]
    assert {number for number, name in verdicts.items() if name == "quiet as usual"} == set(range(1, 10))
    assert {number for number, name in verdicts.items() if name == "quiet, unusual"} == {10, 11}


def test_a_public_holiday_is_no_silence() -> None:
    before = [*workdays_before(date(2026, 2, 14)), date(2026, 2, 14)]
    # Spring Festival, nine days; three workdays without news after it are too many for a daily source.
    assert said(run(day=date(2026, 2, 24)), History(news_days=before))[0] == "quiet as usual"
    assert said(run(day=date(2026, 2, 28)), History(news_days=before))[0] == "quiet, unusual"


def test_a_source_that_works_on_weekends_is_missed_on_weekends() -> None:
    daily = [FRIDAY - timedelta(days=number) for number in range(200, 0, -1)]
    rhythm = learn_rhythm(daily)
    assert rhythm is not None
    assert rhythm.weekend > 0.9
    assert count_own_days(FRIDAY, FRIDAY + timedelta(days=2), rhythm.weekend) > 1.8


def test_a_page_that_stands_still_while_another_of_the_publisher_moves_is_stale() -> None:
    days = workdays_before(date(2026, 10, 30))
    history = History(news_days=days, sibling=("court_other", FRIDAY))
    verdict = judge_run(run(), history)
    assert verdict is not None
    assert verdict.name == "stale source"
    assert "court_other" in verdict.why
    older = replace(history, sibling=("court_other", days[0]))
    assert said(run(), older)[0] == "quiet, unusual"


def test_without_a_known_rhythm_no_silence_is_unusual() -> None:
    few = workdays_before(date(2026, 1, 10))[-FEWEST_GAPS:]
    assert learn_rhythm(few) is None
    for history in (History(news_days=few), History(), History(news_days=few * 0, has_rhythm=False)):
        assert said(run(), history)[0] == "quiet as usual"


def test_what_people_hand_in_has_no_rhythm() -> None:
    history = History(news_days=workdays_before(date(2026, 10, 1)), has_rhythm=False)
    assert said(run(), history)[0] == "quiet as usual"


def _days(numbers: list[int]) -> Iterator[date]:
    day = date(2025, 3, 3)
    for number in numbers:
        day += timedelta(days=number)
        yield day


@given(st.lists(st.integers(1, 30), min_size=FEWEST_GAPS, max_size=40))
def test_no_silence_is_unusual_that_has_been_before(gaps: list[int]) -> None:
    days = list(_days(gaps))
    rhythm = learn_rhythm(days)
    if rhythm is None:
        return
    assert rhythm.limit > rhythm.usual >= 2
    for before, after in pairwise(days):
        if (days[-1] - before).days <= 400:
            assert count_own_days(before, after, rhythm.weekend) <= rhythm.usual
