"""Trademark registration numbers with the mark and the Nice classes that the text names beside them."""

from __future__ import annotations

import re

from pipeline.legal.fact import Fact, Value, cite
from pipeline.legal.folding import fold
from pipeline.legal.numerals import read_chinese_integer

_NUMBER = re.compile(r"第?\s?(?P<number>G?\d{5,9})\s?(?P<end>号)(?P<certificate>商标注册证)?")
_QUOTE = r"(?:[“\"「『](?P<mark>[^”\"」』\n]{1,40})[”\"」』])"
_MARK_BEHIND = re.compile(rf"\s?{_QUOTE}?\s?(?:及图|图形|文字|系列|等)?\s?(?:注册)?商标")
_QUOTE_BEHIND = re.compile(rf"\s?{_QUOTE}")
_NOT_A_MARK = re.compile(r".{0,8}(?:决定|公证|判决|裁定|专利|公告|案)")
_MARK_BEFORE = re.compile(
    r"商标(?:注册证?)?(?:号码?|证号)?\s?(?:分别)?(?:为|即|是|系|:|与|及|、|,|，|\()?\s?(?:国际注册)?$|国际注册\s?$"
)
_NEXT_IN_LIST = re.compile(r"\s?(?:[、,，和及与]|以及)\s?$")
_CLASS = re.compile(
    r"第\s?(?P<classes>(?:\d{1,2}|[一二三四五十]{1,4})(?:[、,，和]\s?第?(?:\d{1,2}"
    r"|[一二三四五十]{1,4}))*)\s?类"
)
_MEMBER = re.compile(r"\d{1,2}|[一二三四五六七八九十]{1,4}")
_LABELLED = re.compile(r"商标(?:注册)?(?:号码?|证号)\s?(?:为|:)\s?(?P<number>G?\d{5,9})(?![\d号])")
_ENGLISH = re.compile(
    r"(?i:trademark|trade mark)\s(?i:registration\s)?(?:(?i:no|nos|number)\.?)\s?(?P<number>G?\d{5,9})"
    r"(?!\d)(?:[^.;]{0,60}?\b(?i:class)\s(?P<class>\d{1,2})(?!\d))?"
)


def find_trademarks(text: str) -> list[Fact]:
    """Find trademark registration numbers, each mention.

    value: `number` (digits, G before international ones), `mark` (the quoted sign or None), `classes` (Nice classes
    named in the same sentence, "9,35", or None), `international`.
    """
    folded = fold(text)
    facts: list[Fact] = []
    if "商标" in folded and "号" in folded:
        candidates = list(_NUMBER.finditer(folded))
        accepted = [_decide(folded, candidate) for candidate in candidates]
        # 第1234567号、第2345678号商标: what decides the last one decides those before it, and the other way round.
        for index in range(len(candidates) - 2, -1, -1):
            if (
                not accepted[index]
                and accepted[index + 1]
                and _listed(folded, candidates[index], candidates[index + 1])
            ):
                accepted[index] = "list"
        for index in range(1, len(candidates)):
            if (
                not accepted[index]
                and accepted[index - 1]
                and _listed(folded, candidates[index - 1], candidates[index])
            ):
                accepted[index] = "list"
        for index, candidate in enumerate(candidates):
            method = accepted[index]
            if method:
                limit = candidates[index + 1].start() if index + 1 < len(candidates) else len(folded)
                facts.append(_read(text, folded, candidate, limit, method))
        for match in _LABELLED.finditer(folded):
            value = _describe(match["number"], None, None)
            facts.append(cite("trademark", text, match.start("number"), match.end(), value, "label before"))
    if "rade" in folded:
        for match in _ENGLISH.finditer(folded):
            number = match["number"]
            value = _describe(number, None, str(int(match["class"])) if _is_class(match["class"]) else None)
            facts.append(cite("trademark", text, match.start(), match.end("number"), value, "English label"))
    return sorted(facts, key=lambda fact: fact.start)


def _decide(folded: str, match: re.Match[str]) -> str | None:
    if match["certificate"]:
        return "certificate"
    before = folded[match.start() - 1 : match.start()]
    if (before.isalnum() and before.isascii()) or before == ")":
        return None
    if _MARK_BEHIND.match(folded, match.end()):
        return "mark behind"
    if not match[0].startswith("第") and "商标" not in folded[max(0, match.start() - 8) : match.start()]:
        return None
    if _MARK_BEFORE.search(folded, max(0, match.start() - 16), match.start()):
        return "label before"
    quoted = _QUOTE_BEHIND.match(folded, match.end())
    if quoted and not _NOT_A_MARK.match(folded, quoted.end()):
        return "quoted sign"
    return None


def _listed(folded: str, first: re.Match[str], second: re.Match[str]) -> bool:
    between = folded[first.end() : second.start()]
    quoted = _QUOTE_BEHIND.match(between)
    return bool(_NEXT_IN_LIST.fullmatch(between[quoted.end() :] if quoted else between))


def _read(text: str, folded: str, match: re.Match[str], limit: int, method: str) -> Fact:
    quoted = _QUOTE_BEHIND.match(text, match.end())
    stop = min(
        (place for mark in "。；\n" if (place := folded.find(mark, match.end(), match.end() + 80)) >= 0),
        default=match.end() + 80,
    )
    found = _CLASS.search(folded, match.end(), min(stop, limit))
    classes = None
    if found:
        numbers = [
            int(raw) if raw.isdecimal() else read_chinese_integer(raw)
            for raw in _MEMBER.findall(found["classes"])
        ]
        if all(number is not None and 1 <= number <= 45 for number in numbers):
            classes = ",".join(str(number) for number in numbers)
    value = _describe(match["number"], quoted["mark"] if quoted else None, classes)
    end = match.end("end")
    return cite("trademark", text, match.start(), end, value, method)


def _is_class(raw: str | None) -> bool:
    return raw is not None and 1 <= int(raw) <= 45


def _describe(number: str, mark: str | None, classes: str | None) -> dict[str, Value]:
    return {"number": number, "mark": mark, "classes": classes, "international": number.startswith("G")}
