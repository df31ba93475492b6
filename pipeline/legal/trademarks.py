"""Trademark registration numbers with the mark and the Nice classes that the text names beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.legal.fact import Fact, Value, cite, find_overlap
from pipeline.legal.folding import fold, has_english
from pipeline.legal.numerals import read_chinese_integer

_NUMBER = re.compile(r"(?P<digits>\d\d{4,8}[A-Z]?)\s?号(?P<certificate>商标注册证)?")
_QUOTE = r"(?:[“\"「『](?P<mark>[^”\"」』\n]{1,40})[”\"」』])"
_MARK_BEHIND = re.compile(rf"\s?{_QUOTE}?\s?(?:及图|图形|文字|系列|等)?\s?(?:国际)?(?:注册)?商标")
_QUOTE_BEHIND = re.compile(rf"\s?{_QUOTE}")
_NOT_A_MARK = re.compile(r".{0,8}(?:决定|公证|判决|裁定|专利|公告|案)")
_MARK_BEFORE = re.compile(
    r"商标(?:注册证?)?(?:号码?|证号)?\s?(?:分别)?(?:为|即|是|系|:|与|及|、|,|，|\()?\s?(?:国际注册)?$|国际注册\s?$"
)
_INTERNATIONAL = re.compile(r"国际注册\s?第?\s?$")
_NEXT_IN_LIST = re.compile(r"\s?(?:[、,，和及与]|以及)\s?$")
_COUNT = r"(?:\d{1,2}|[一二三四五六七八九十]{1,4})"
_AND = r"(?:[、,，和及与]|以及)"
_CLASS = re.compile(rf"第\s?{_COUNT}\s?类?(?:{_AND}\s?第?\s?{_COUNT}\s?类?)*(?<=类)")
_MEMBER = re.compile(_COUNT)
_LABELLED = re.compile(
    r"(?:商标(?:注册)?(?:号码?|证号)|注册号|申请号)\s?(?:为|是|:)?\s?(?P<number>G?\d{5,9}[A-Z]?)(?![\dA-Za-z.号])"
)
_ENGLISH = re.compile(
    r"(?i:trademark|trade mark)\s(?i:registration\s)?(?:(?i:no|nos|number)\.?)\s?(?P<number>G?\d{5,9})"
    r"(?!\d)(?:[^.;]{0,60}?\b(?i:class)\s(?P<class>\d{1,2})(?!\d))?"
)
_SENTENCE = 150  # characters in which the classes of a mark are looked for


@dataclass(frozen=True, slots=True)
class _Candidate:
    """第1234567号 at [start:end]; `method` says which words make it a trademark's, None if none do."""

    start: int
    end: int
    number: str
    method: str | None


def find_trademarks(text: str) -> list[Fact]:
    """Find trademark registration numbers, each mention.

    value: `number` (digits, G before international ones), `mark` (the quoted sign or None), `classes` (Nice classes
    named in the same sentence, "9,35", or None), `international`.
    """
    folded = fold(text)
    facts: list[Fact] = []
    if "商标" in folded:
        found = [_read_candidate(folded, match) for match in _NUMBER.finditer(folded)]
        candidates = _decide_lists(folded, [candidate for candidate in found if candidate])
        for index, candidate in enumerate(candidates):
            if candidate.method:
                limit = candidates[index + 1].start if index + 1 < len(candidates) else len(folded)
                facts.append(_read(text, folded, candidate, limit))
        taken = [(fact.start, fact.end) for fact in facts]
        for match in _LABELLED.finditer(folded) if "号" in folded else ():
            start, end = match.span("number")
            if find_overlap(taken, start, end) is None and _is_of_a_mark(folded, match):
                classes = _find_classes(folded, end, end + 12)
                value = _describe(match["number"], None, classes)
                facts.append(cite("trademark", text, start, end, value, "label before"))
    if "rade" in folded and has_english(folded):
        for match in _ENGLISH.finditer(folded):
            classes = str(int(match["class"])) if _is_class(match["class"]) else None
            value = _describe(match["number"], None, classes)
            facts.append(cite("trademark", text, match.start(), match.end("number"), value, "English label"))
    return sorted(facts, key=lambda fact: fact.start)


def _read_candidate(folded: str, match: re.Match[str]) -> _Candidate | None:
    start = match.start()
    if folded[max(0, start - 1) : start].isdecimal():
        return None
    start -= folded.startswith("G", max(0, start - 1))
    number = folded[start : match.end("digits")]
    ordinal = start - 1 - folded.startswith(" ", max(0, start - 1))
    if start and folded[max(0, ordinal)] == "第":
        start = ordinal
    end = match.end() - len(match["certificate"] or "")
    return _Candidate(
        start, end, number, _decide(folded, start, end, certified=match["certificate"] is not None)
    )


def _decide(folded: str, start: int, end: int, *, certified: bool) -> str | None:
    if certified:
        return "certificate"
    before = folded[max(0, start - 1) : start]
    if (before.isalnum() and before.isascii()) or before == ")":
        return None
    if _MARK_BEHIND.match(folded, end):
        return "mark behind"
    if folded[start] != "第" and "商标" not in folded[max(0, start - 8) : start]:
        return None
    if _MARK_BEFORE.search(folded, max(0, start - 16), start):
        return "label before"
    quoted = _QUOTE_BEHIND.match(folded, end)
    return "quoted sign" if quoted and not _NOT_A_MARK.match(folded, quoted.end()) else None


def _decide_lists(folded: str, candidates: list[_Candidate]) -> list[_Candidate]:
    """Of 第1234567号、第2345678号商标 what decides the last one decides those before it, and the other way round."""
    decided = list(candidates)
    for index in (*range(len(decided) - 2, -1, -1), *range(1, len(decided))):
        for other in (index + 1, index - 1):
            if decided[index].method or not 0 <= other < len(decided) or not decided[other].method:
                continue
            first, second = sorted((decided[index], decided[other]), key=lambda candidate: candidate.start)
            if _listed(folded, first, second):
                own = decided[index]
                decided[index] = _Candidate(own.start, own.end, own.number, "list")
    return decided


def _listed(folded: str, first: _Candidate, second: _Candidate) -> bool:
    between = folded[first.end : second.start]
    quoted = _QUOTE_BEHIND.match(between)
    return bool(_NEXT_IN_LIST.fullmatch(between[quoted.end() :] if quoted else between))


def _is_of_a_mark(folded: str, match: re.Match[str]) -> bool:
    """Say whether a registration or application number is a trademark's: the words around it say so, no patent does."""
    if match[0].startswith("商标"):
        return True
    around = folded[max(0, match.start() - 40) : match.end() + 40]
    return "商标" in around and "专利" not in around and "登记" not in around


def _read(text: str, folded: str, candidate: _Candidate, limit: int) -> Fact:
    quoted = _QUOTE_BEHIND.match(text, candidate.end)
    value = _describe(
        candidate.number, quoted["mark"] if quoted else None, _find_classes(folded, candidate.end, limit)
    )
    if _INTERNATIONAL.search(folded, max(0, candidate.start - 8), candidate.start):
        value["international"] = True
    return cite("trademark", text, candidate.start, candidate.end, value, candidate.method or "")


def _find_classes(folded: str, position: int, limit: int) -> str | None:
    """Read the Nice classes that are named up to `limit` in the rest of the sentence."""
    limit = min(limit, position + _SENTENCE)
    stop = min(
        (place for mark in "。；\n" if (place := folded.find(mark, position, limit)) >= 0), default=limit
    )
    named = _CLASS.search(folded, position, stop)
    # A list that begins before `limit` may end behind it.
    found = _CLASS.match(folded, named.start()) if named else None
    if found is None:
        return None
    numbers = [
        int(raw) if raw.isdecimal() else read_chinese_integer(raw) for raw in _MEMBER.findall(found[0])
    ]
    if any(number is None or not 1 <= number <= 45 for number in numbers):
        return None
    return ",".join(str(number) for number in numbers)


def _is_class(raw: str | None) -> bool:
    return raw is not None and 1 <= int(raw) <= 45


def _describe(number: str, mark: str | None, classes: str | None) -> dict[str, Value]:
    return {"number": number, "mark": mark, "classes": classes, "international": number.startswith("G")}
