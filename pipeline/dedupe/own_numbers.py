"""The case or document that an item is about, among all those that it cites.

An item is about at most one: which one is decided strictly, since what is taken for its own joins it to a story.
Where the text leaves a doubt the answer is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pipeline.dedupe.digests import is_digest
from pipeline.legal.fact import Fact

_MOST_JOINED = 5
"""Cases that one judgment may decide together and still be one thing (732、733号)."""

# Court procedure: what comes later in one case. 民事诉讼法 (2023), chapters 12, 14 and 16.
_RANKS = {"first": 1, "second": 2, "review": 3, "protest": 3, "supervision": 3, "retrial": 4}
_HIGHEST_COURT = "最高法"
_NOT_ABOUT_A_CASE = frozenset(("law_or_policy", "statistics", "appointment", "news"))
_SENTENCE_ENDS = "。！？!?\n"
_DECIDING = re.compile(
    r"案号|一案|本案|该案|此案|作出|判决|裁定|裁决|宣判|审结|审理|开庭|调解书|纠纷案|(?:\b[Cc]ase\b|judgment|ruling|decision)"
)
_CITING = re.compile(
    r"同时(?:发布|公布|通报)|一并(?:发布|公布)|参见|参照|参考|援引|引用|类似|例如|比如|诸如|譬如|另案|关联案|先例|在先案"
    r"|入选|收录|见于|(?:cf\.|see also|\bsee\b|cited|precedent)",
    re.IGNORECASE,
)
_ABOUT_ANOTHER_TEXT = re.compile(
    r"解读|答记者问|记者问|理解与适用|问答|图解|一图读懂|学习|宣讲|培训|座谈|贯彻|落实|根据|依据|按照"
)
_LABEL = re.compile(
    r"^[\s(（【\[]*(?:(?:发文|公文|文件)?字?号|文\s*号|公告号|编\s*号|发文字号)\s*[:：]\s*[一-鿿]{0,20}$"
)
_BRACKETS = re.compile(r"^[\s()（）【】\[\]]*$")


def find_own_document(
    title: str, body: str, title_facts: Iterable[Fact], facts: Iterable[Fact]
) -> str | None:
    """The number of the document that the item is or publishes, in normal form; None for a cited one.

    It stands in the headline (not in that of an explanation: 解读, 答记者问), or else in the body on a line of its
    own or behind a label (文号：), as 党政机关公文格式 (GB/T 9704—2012) sets it; the latter not in a digest. Two such
    numbers, and a number without its issuer, are none.
    """
    named = _documents(title_facts)
    if named:
        return _only(named) if not _ABOUT_ANOTHER_TEXT.search(title) else None
    if is_digest(title, body):
        return None
    return _only(fact for fact in _documents(facts) if _stands_alone(body, fact))


def find_own_case(
    title: str, body: str, title_facts: Sequence[Fact], facts: Sequence[Fact]
) -> Sequence[Fact]:
    """The case numbers of the judgment or hearing that the item is about: one, or those decided together.

    - the number in the headline, if there is one case
    - else the last instance of the one case that all numbers of the body are the course of: each an instance of
      its own, at a court above the one before, in no earlier year
    - nothing for a digest, a law, statistics, an appointment or a meeting, and where the number's sentence cites
      (参见, 同时发布) or says nothing of a case or ruling
    """
    if not may_tell_of_one_case(title, body, title_facts):
        return ()
    if in_title := _group(title_facts):
        return in_title[0] if len(in_title) == 1 else ()
    last = _end_of_course(_group(facts))
    if not last:
        return ()
    mentions = [fact for fact in facts if fact.kind == "case_number" and _number(fact) == _number(last[0])]
    sentences = [_sentence(body, fact) for fact in mentions]
    if any(_CITING.search(sentence) for sentence in sentences):
        return ()
    return last if any(_DECIDING.search(sentence) for sentence in sentences) else ()


def may_tell_of_one_case(title: str, body: str, title_facts: Iterable[Fact]) -> bool:
    """False for a digest, and for what its headline says to be a law, statistics, an appointment or a meeting."""
    kinds = {fact.value["notice_kind"] for fact in title_facts if fact.kind == "notice_kind"}
    return kinds.isdisjoint(_NOT_ABOUT_A_CASE) and not is_digest(title, body)


def _documents(facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.kind == "document_number"]


def _only(facts: Iterable[Fact]) -> str | None:
    numbers = {str(fact.value["normalized"]) for fact in facts if fact.value["issuer"] is not None}
    return numbers.pop() if len(numbers) == 1 else None


def _stands_alone(body: str, fact: Fact) -> bool:
    before = body[body.rfind("\n", 0, fact.start) + 1 : fact.start]
    end = body.find("\n", fact.end)
    after = body[fact.end : end if end >= 0 else len(body)]
    return bool(_BRACKETS.match(after)) and bool(_BRACKETS.match(before) or _LABEL.match(before))


def _number(fact: Fact) -> str:
    """The case's number without 之一, which counts rulings within one case."""
    return str(fact.value["normalized"]).removesuffix(str(fact.value["suffix"] or ""))


def _group(facts: Iterable[Fact]) -> list[tuple[Fact, ...]]:
    """The cases, each once; those of one joint number together. A number that pinyin leaves open is left out."""
    groups: dict[tuple[object, ...], dict[str, Fact]] = {}
    for fact in facts:
        if fact.kind == "case_number" and fact.value["normalized"] is not None:
            joined = fact.method in ("joint", "range")
            key = tuple(fact.value[part] for part in ("year", "court_code", "type_code"))
            groups.setdefault((*key, joined or _number(fact)), {}).setdefault(_number(fact), fact)
    return _without_parts([tuple(group.values()) for group in groups.values()])


def _without_parts(groups: list[tuple[Fact, ...]]) -> list[tuple[Fact, ...]]:
    """A text that names a joint number in full and later one of its cases alone still tells of one thing."""
    joint = {_number(fact) for group in groups if len(group) > 1 for fact in group}
    return [group for group in groups if len(group) > 1 or _number(group[0]) not in joint]


def _end_of_course(groups: list[tuple[Fact, ...]]) -> Sequence[Fact]:
    if not groups or any(len(group) > _MOST_JOINED for group in groups):
        return ()
    if len(groups) == 1:
        return groups[0]
    ranks = [_RANKS.get(str(group[0].value["instance"])) for group in groups]
    if None in ranks or len(set(ranks)) < len(ranks):
        return ()
    course = [group for _, group in sorted(zip(ranks, groups, strict=True), key=lambda pair: pair[0] or 0)]
    follows = (_follows(one[0], other[0]) for one, other in pairwise(course))
    return course[-1] if all(follows) else ()


def _follows(earlier: Fact, later: Fact) -> bool:
    """Whether a case may have gone on from one court to the other."""
    one, other = str(earlier.value["court_code"]), str(later.value["court_code"])
    above = other == _HIGHEST_COURT or (bool(other) and one[:1] == other[:1] and len(other) <= len(one))
    years = earlier.value["year"], later.value["year"]
    in_order = isinstance(years[0], int) and isinstance(years[1], int) and years[0] <= years[1]
    return above and in_order and earlier.value["type"] == later.value["type"]


def _sentence(body: str, fact: Fact) -> str:
    start = max(body.rfind(mark, 0, fact.start) for mark in _SENTENCE_ENDS) + 1
    ends = [place for mark in _SENTENCE_ENDS if (place := body.find(mark, fact.end)) >= 0]
    return body[start : min(ends, default=len(body))]
