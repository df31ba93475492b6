"""Whole notices in which every fact was marked by hand: nothing invented, next to nothing missed."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from pipeline.legal import find_facts

ARTICLES = tomllib.loads((Path(__file__).parent / "articles.toml").read_text(encoding="utf-8"))["article"]
NUMBERED = {
    "case_number",
    "document_number",
    "amount",
    "patent",
    "trademark",
    "copyright_registration",
    "plant_variety",
    "statute",
    "statistic",
    "date",
}
Span = tuple[str, int, int]


def unmark(marked: str) -> tuple[str, list[Span]]:
    """Take the marks ⟦kind|words⟧ out: the text, and (kind, start, end) for each of them."""
    text = ""
    opened: list[tuple[str, int]] = []
    spans: list[Span] = []
    position = 0
    while position < len(marked):
        character = marked[position]
        if character == "⟦":
            bar = marked.index("|", position)
            opened.append((marked[position + 1 : bar], len(text)))
            position = bar
        elif character == "⟧":
            kinds, start = opened.pop()
            spans += [(kind, start, len(text)) for kind in kinds.split(",")]
        else:
            text += character
        position += 1
    assert not opened
    return text, spans


def compare() -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Count by kind what was rightly found, invented and missed over all articles."""
    right: Counter[str] = Counter()
    invented: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for article in ARTICLES:
        text, spans = unmark(article["marked"])
        found = Counter((fact.kind, fact.start, fact.end) for fact in find_facts(text))
        marked = Counter(spans)
        right.update(kind for kind, _, _ in (found & marked).elements())
        invented.update(kind for kind, _, _ in (found - marked).elements())
        missed.update(kind for kind, _, _ in (marked - found).elements())
    return right, invented, missed


def test_nothing_is_invented_in_whole_articles() -> None:
    _, invented, _ = compare()
    assert invented == Counter()


def test_at_least_97_of_100_marked_facts_are_found() -> None:
    right, _, missed = compare()
    print("found by kind:", dict(right))
    print("missed by kind:", dict(missed))
    assert right.total() >= 0.97 * (right.total() + missed.total())


def test_the_articles_hold_every_kind() -> None:
    from pipeline.legal import KINDS

    marked = {kind for article in ARTICLES for kind, _, _ in unmark(article["marked"])[1]}
    assert marked == set(KINDS)


@pytest.mark.parametrize("article", ARTICLES, ids=[article["name"] for article in ARTICLES])
def test_an_article_without_its_numbers_yields_no_numbers(article: dict[str, str]) -> None:
    text, spans = unmark(article["marked"])
    for raw in sorted(
        (text[start:end] for kind, start, end in spans if kind in NUMBERED), key=len, reverse=True
    ):
        text = text.replace(raw, "")
    assert [fact for fact in find_facts(text) if fact.kind in NUMBERED] == []


def test_a_court_named_before_an_old_number_is_the_court_of_that_case() -> None:
    text = "绍兴市柯桥区人民法院作出（2014）绍柯知初字第231号民事判决"
    number = next(fact for fact in find_facts(text) if fact.kind == "case_number")
    assert number.value["court_zh"] == "浙江省绍兴市柯桥区人民法院"
    assert number.value["court_method"] == "text"


def test_a_court_of_another_clause_is_not_the_court_of_the_case() -> None:
    text = "绍兴市柯桥区人民法院不服，参见（2014）绍柯知初字第231号民事判决"
    number = next(fact for fact in find_facts(text) if fact.kind == "case_number")
    assert number.value["court_zh"] is None
