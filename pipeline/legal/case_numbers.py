"""Case numbers of courts and procuratorates.

Forms: since 2016 (year) + court code + type code + serial + 号 (法〔2015〕137号); before 2016 (year) + characters
of the court's name + type + 字第 + serial + 号; procuratorates: name + type + 〔year〕 + serial + 号. Joint numbers
(732、733号) and ranges (732-734号) are as many facts as cases. Document numbers are never taken for case numbers:
they have the issuer before the bracket and nothing but the serial behind it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pipeline.legal.court_codes import (
    ABBREVIATIONS,
    PROVINCES,
    Court,
    chamber,
    find_court,
    special_courts,
)
from pipeline.legal.fact import Fact, Value, cite
from pipeline.legal.folding import fold

_MOST_OF_A_RANGE = 50


@dataclass(frozen=True, slots=True)
class CaseType:
    """What a type code says: the kind of case, the instance (None where it says none), its pinyin."""

    kind: str
    instance: str | None
    pinyin: str


@cache
def case_types() -> dict[str, CaseType]:
    """Read the type codes, each also with 知 (intellectual property) before it."""
    with Path(__file__).with_name("case_types.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        types = {row["code"]: CaseType(row["type"], row["instance"] or None, row["pinyin"]) for row in rows}
    return types | {"知" + code: replace(kind, pinyin="Zhi " + kind.pinyin) for code, kind in types.items()}


_CODES = "|".join(sorted(case_types(), key=len, reverse=True))
_PROVINCES = "".join(PROVINCES)
_BRANCH = r"(?:\s?之\s?[一二三四五六七八九十]{1,3})?"
_SEPARATOR = r"(?:、|,|，|和|及|与|-{1,2}|~|至|到)"
_AND_MORE = (
    rf"{_BRANCH}(?P<more>(?:\s?号?{_BRANCH}\s?{_SEPARATOR}\s?第?\d{{1,9}}(?!\d)){{0,60}})"
    rf"\s?号(?P<branch>{_BRANCH})"
)
_SERIALS = r"(?P<first>\d{1,9})" + _AND_MORE
_YEAR = re.compile(r"\(\s?((?:19[5-9]|20\d)\d)\s?年?度?\s?\)\s?")
_MODERN = re.compile(
    rf"(?P<court>最高法|[{_PROVINCES}]\s?(?:\d{{4}}|\d\d)?|兵\s?(?:\d{{4}}|\d\d)?|军\s?\d{{0,2}})\s?"
    rf"(?:(?P<type>{_CODES})|(?P<odd>[\u4e00-\u9fff]{{2,6}}?))\s?(?:(?P<word>字)\s?)?第?\s?(?:{_SERIALS}|"
    rf"(?P<bare>\d{{1,9}})(?![\d.%]))"
)
_OLD = re.compile(rf"(?P<body>[\u4e00-\u9fff()]{{1,16}}?)字\s?第?\s?{_SERIALS}")
_OLD_BODY = re.compile(
    r"(?P<court>[\u4e00-\u9fff]{0,8}?)"
    r"(?P<type>知?(?:民|刑|行|商|经)[一二三四五六]?(?:\([一二三四五六知商]\)|知)?(?:申|再|重)?(?:初|终|再"
    r"|申|提|监|抗|辖终?|保)"
    r"|执(?:行|异|复|恢|监|保)?|知(?:初|终|再)|知行|知民)"
)
_BRACKETLESS = re.compile(rf"20(?<!\d20)([12]\d)\s?(?=[{_PROVINCES}]\d\d|最高法)")
_OF_A_PROCURATORATE = re.compile(
    r"(?P<head>[\u4e00-\u9fff]{0,8}?检(?![发会办技])[\u4e00-\u9fff]{0,6}?)"
    r"(?P<type>刑诉|刑不诉|刑捕|刑抗|刑申|刑执|诉刑诉|公诉|批捕|不批捕|侦监|民监|民抗|民违监|民执监|行监"
    r"|行抗|行执监|知民监|知行监|"
    r"民公|行公|刑附民公诉|刑附民|民支|建|行检建|民检建|公建)字?$"
)
# What stands before the name of a procuratorate and is none of its few characters: 该案系, 检察院以, 文号为.
_BEFORE_HEAD = re.compile(
    r"^.*(?:检察院|检察机关|根据|作出|提起|制作|[的案以系为是号由对])(?=[^检]{0,4}检(?!察))"
)
_LONGEST_PROCURATORATE = 20
# Their own system counts with a Z before the serial, or with twelve and more digits.
_PROCURATORATE_SERIALS = re.compile(r"(?:第\s?)?(?P<system>Z?)(?P<first>\d{1,14})" + _AND_MORE)
_SPLIT = re.compile(rf"({_SEPARATOR})\s?第?(\d{{1,9}})")
_OLD_KINDS = {"民": "civil", "商": "civil", "经": "civil", "刑": "criminal", "行": "administrative"}
_OLD_INSTANCES = {
    "初": "first",
    "终": "second",
    "再": "retrial",
    "提": "retrial",
    "申": "review",
    "监": "supervision",
    "抗": "protest",
    "辖": "jurisdiction",
    "辖终": "jurisdiction_appeal",
}
_PROCURATORATE_KINDS = {"刑": "criminal", "民": "civil", "行": "administrative", "公诉": "criminal"}
# Provinces whose high courts signed with the bare character before 2016; the others share theirs with a city.
_BARE_PROVINCES = frozenset("苏浙鲁鄂闽川冀皖赣辽")
PINYIN_OF_COURTS = dict(
    zip(
        _PROVINCES,
        "Jing Jin Ji Jin Nei Liao Ji Hei Hu Su Zhe Wan Min Gan Lu Yu E Xiang Yue Gui Qiong Yu Chuan Qian Yun "
        "Zang Shan Gan Qing Ning Xin".split(),
        strict=True,
    )
) | {"最高法": "Zui Gao Fa", "兵": "Bing", "军": "Jun"}


def find_case_numbers(text: str) -> list[Fact]:
    """Find the case numbers of a text; one fact a case.

    value: `normalized` （2022）粤0192民初2187号 (without needless zeros, so that one case has one form), `year`,
    `court_code`, `type_code`, `type`, `instance`, `serial`, `suffix` (之一), `pinyin`, `court_zh`, `court_en`,
    `court_level`, `court_region`, `court_method` (table, derived, operator), `chamber_zh`, `chamber_en`. In a joint
    number each fact's span is its own part; in a range all facts have the span of the whole.
    """
    folded = fold(text)
    facts: list[Fact] = []
    if "号" in folded or "(20" in folded or "(19" in folded:
        procuratorates = "检" in folded
        for year in _YEAR.finditer(folded):
            facts += _read_behind_year(text, folded, year.start(), year.end(), int(year[1]))
            if procuratorates:
                facts += _read_of_procuratorate(text, folded, year)
        for year in _BRACKETLESS.finditer(folded):
            modern = _MODERN.match(folded, year.end())
            if modern and modern["type"]:
                facts += _read_modern(text, modern, year.start(), 2000 + int(year[1]), "bracketless")
    return sorted(facts, key=lambda fact: (fact.start, fact.end))


def _read_behind_year(text: str, folded: str, start: int, position: int, year: int) -> list[Fact]:
    modern = _MODERN.match(folded, position)
    numbered = modern is not None and modern["court"][-1].isdecimal()
    if modern and ((numbered and not modern["bare"]) or (modern["type"] and not modern["word"])):
        return _read_modern(text, modern, start, year, "standard")
    old = _OLD.match(folded, position)
    body = _OLD_BODY.fullmatch(old["body"]) if old else None
    if old is None or body is None:
        return []
    court_code, type_code = body["court"], body["type"]
    value = describe_case(
        year=year,
        court_code=court_code,
        type_code=type_code,
        kind=_old_kind(type_code),
        instance=_OLD_INSTANCES.get("辖终" if type_code.endswith("辖终") else type_code[-1]),
        court=_find_old_court(court_code, type_code),
    )
    pattern = "（{year}）" + court_code + type_code.replace("(", "（").replace(")", "）") + "字第{serial}号"
    return _enumerate_cases(text, old, start, value, pattern, "pre-2016")


def _read_modern(text: str, match: re.Match[str], start: int, year: int, method: str) -> list[Fact]:
    court_code = match["court"].replace(" ", "")
    type_code = match["type"] or match["odd"]
    kind = case_types().get(type_code, CaseType("", None, ""))
    value = describe_case(
        year=year,
        court_code=court_code,
        type_code=type_code,
        kind=kind.kind or None,
        instance=kind.instance,
        court=find_court(court_code),
    )
    pattern = "（{year}）" + court_code + type_code + "{serial}号"
    if match["bare"]:
        method = "without 号"
    return _enumerate_cases(text, match, start, value, pattern, method, type_pinyin=kind.pinyin)


def procuratorate_before(folded: str, position: int) -> re.Match[str] | None:
    """Match the name and type of a procuratorate's case number that end at `position`, where its year begins."""
    return _OF_A_PROCURATORATE.search(folded, max(0, position - _LONGEST_PROCURATORATE), position)


def _read_of_procuratorate(text: str, folded: str, year: re.Match[str]) -> list[Fact]:
    named = procuratorate_before(folded, year.start())
    serials = _PROCURATORATE_SERIALS.match(folded, year.end()) if named else None
    if named is None or serials is None:
        return []
    head = _BEFORE_HEAD.sub("", named["head"])
    type_code = named["type"]
    kind = _PROCURATORATE_KINDS.get(type_code, _PROCURATORATE_KINDS.get(type_code.lstrip("知诉")[:1]))
    value = describe_case(
        year=int(year[1]), court_code=head, type_code=type_code, kind=kind, instance=None, court=None
    )
    start = named.start() + len(named["head"]) - len(head)
    pattern = head + type_code + "〔{year}〕" + serials["system"] + "{serial}号"
    return _enumerate_cases(text, serials, start, value, pattern, "procuratorate")


def _old_kind(type_code: str) -> str | None:
    if type_code.startswith("执"):
        return "enforcement"
    return _OLD_KINDS.get(type_code.lstrip("知")[:1])


def _find_old_court(court_code: str, type_code: str) -> Court | None:
    if court_code + "知" in ABBREVIATIONS and type_code.startswith("知"):
        return special_courts()[ABBREVIATIONS[court_code + "知"]]
    if court_code in ABBREVIATIONS:
        return find_court(ABBREVIATIONS[court_code])
    if court_code in _BARE_PROVINCES and type_code[-1] in "终申提":
        return replace(found, method="derived") if (found := find_court(court_code)) else None
    if not court_code and type_code[-1] in "提申" and type_code[0] in "民行":
        return special_courts()["最高法"]
    return None


def describe_case(
    *,
    year: int,
    court_code: str,
    type_code: str,
    kind: str | None,
    instance: str | None,
    court: Court | None,
) -> dict[str, Value]:
    """The value of a case number as facts carry it: its parts, its canonical and pinyin forms, its court."""
    room = chamber(court_code, type_code)
    return {
        "normalized": None,
        "year": year,
        "court_code": court_code,
        "type_code": type_code,
        "type": kind,
        "instance": instance,
        "serial": None,
        "suffix": None,
        "pinyin": None,
        "court_zh": court.name_zh if court else None,
        "court_en": court.name_en if court else None,
        "court_level": court.level if court else None,
        "court_region": court.region_zh if court else None,
        "court_method": court.method if court else None,
        "chamber_zh": room[0] if room else None,
        "chamber_en": room[1] if room else None,
    }


def _enumerate_cases(
    text: str,
    match: re.Match[str],
    start: int,
    value: dict[str, Value],
    pattern: str,
    method: str,
    *,
    type_pinyin: str = "",
) -> list[Fact]:
    """Make one fact a case of a (joint) number; `pattern` holds {year} and {serial}."""
    groups = match.groupdict()
    if groups.get("bare"):
        serials = [(int(match["bare"]), start, match.end("bare"), "")]
    else:
        serials = _split_serials(match, start)
    if len(serials) > 1:
        method = "range" if serials[0][1:3] == serials[1][1:3] else "joint"
    facts = []
    for serial, begin, end, branch in serials:
        normalized = pattern.format(year=value["year"], serial=serial) + branch
        described = value | {"normalized": normalized, "serial": serial, "suffix": branch or None}
        code = str(value["court_code"])
        if type_pinyin and (court_pinyin := _spell_court(code)):
            described["pinyin"] = f"({value['year']}) {court_pinyin} {type_pinyin} No. {serial}"
        facts.append(cite("case_number", text, begin, end, described, method))
    return facts


def _split_serials(match: re.Match[str], start: int) -> list[tuple[int, int, int, str]]:
    """Return (serial, start, end, branch) for every case that the number joins."""
    branch = match["branch"].replace(" ", "")
    first = int(match["first"])
    more = list(_SPLIT.finditer(match.string, match.start("more"), match.end("more")))
    if not more:
        return [(first, start, match.end(), branch)]
    joined = [(first, start, match.end("first"), "")]
    for number, part in enumerate(more):
        last = number == len(more) - 1
        serial, end = int(part[2]), match.end() if last else part.end(2)
        previous = joined[-1]
        if part[1][0] in "-~至到":
            serial = _complete(previous[0], part[2])
            if not previous[0] < serial <= previous[0] + _MOST_OF_A_RANGE:
                return [(first, start, match.end(), branch)]
            joined[-1] = (previous[0], previous[1], end, "")
            joined += [(between, previous[1], end, "") for between in range(previous[0] + 1, serial + 1)]
        else:
            joined.append((serial, part.start(2), end, branch if last else ""))
    return joined


def _complete(first: int, printed: str) -> int:
    """Read the 34 of 732-34 as 734."""
    last = int(printed)
    if last < first and len(printed) < len(str(first)):
        return int(str(first)[: -len(printed)] + printed)
    return last


def _spell_court(code: str) -> str | None:
    """Write a court code in pinyin: Yue 0192."""
    if code in PINYIN_OF_COURTS:
        return PINYIN_OF_COURTS[code]
    head = PINYIN_OF_COURTS.get(code[:1])
    return f"{head} {code[1:]}" if head and code[1:].isdecimal() else None
