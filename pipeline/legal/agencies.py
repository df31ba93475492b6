"""Public bodies named in a text, other than courts: CNIPA, procuratorates, market regulators, ministries."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.legal.court_codes import divisions, region_of
from pipeline.legal.courts import first_mentions
from pipeline.legal.fact import Fact, Value, cite, find_overlap
from pipeline.legal.folding import fold, has_latin
from pipeline.legal.places import county_before, prefecture_before, province_before, province_of

_TABLE = tomllib.loads(Path(__file__).with_name("agencies.toml").read_text(encoding="utf-8"))
_NATIONAL = {
    name: agency for agency in _TABLE["national"] for name in (agency["zh"], agency["en"], *agency["names"])
}
_LOCAL: dict[str, tuple[str, str]] = {
    tail: (kind, english) for tail, (kind, english) in _TABLE["local"].items()
}
# 公安部门 is no ministry, 公安部署 no word for one; 国务院专利行政部门 is another body than 国务院.
_CHINESE = re.compile(
    "(?:"
    + "|".join(sorted((name for name in _NATIONAL if not name.isascii()), key=len, reverse=True))
    + r")(?!(?<=部)[门署])"
    r"(?!(?<=国务院)(?:[^，。；、的\s]{0,12}?部门|反垄断|[^，。；、的\s]{2,24}?(?:委员会|联席会议|领导小组)))"
)
_ENGLISH = re.compile(
    rf"(?:{'|'.join(sorted((re.escape(name) for name in _NATIONAL if name.isascii()), key=len, reverse=True))})\b"
)
_TAIL = re.compile(
    "(?P<word>"
    + "|".join(sorted(_LOCAL, key=len, reverse=True))
    + r")(?P<branch>第[一二三四五六]分院|(?:(?![向对将与和及的在请要求指令把经由并以])[\u4e00-\u9fff]){2,5}?分局)?"
)
_LEVELS = {"province": "provincial", "prefecture": "prefecture", "county": "county"}
_BRANCH_LEVELS = {"分院": "prefecture", "分局": "county"}


def find_agencies(text: str) -> list[Fact]:
    """Find the public bodies that a text names, each once, at its first mention.

    value: `name_zh`, `name_en` (None where no usual one is known), `level` (national, provincial, prefecture, county,
    international, foreign), `region`, `type`. A name that fits several places isn't emitted.
    """
    folded = fold(text)
    facts = [_cite_national(text, match) for match in _CHINESE.finditer(folded)]
    if has_latin(folded):
        facts += [
            _cite_national(text, match)
            for match in _ENGLISH.finditer(folded)
            if not folded[max(0, match.start() - 1) : match.start()].isalnum()
        ]
    taken = sorted((fact.start, fact.end) for fact in facts)
    for tail in _TAIL.finditer(folded):
        if find_overlap(taken, *tail.span()) is None and (fact := _read_local(text, folded, tail)):
            facts.append(fact)
    return first_mentions(facts, "name_zh")


def _cite_national(text: str, match: re.Match[str]) -> Fact:
    agency = _NATIONAL[match[0]]
    level = {"international": "international", "foreign_office": "foreign"}.get(agency["type"], "national")
    value: dict[str, Value] = {
        "name_zh": agency["zh"],
        "name_en": agency["en"],
        "level": level,
        "region": None,
        "type": agency["type"],
    }
    return cite("agency", text, match.start(), match.end(), value, "agency table")


def _read_local(text: str, folded: str, tail: re.Match[str]) -> Fact | None:
    province = province_before(folded, tail.start())
    place = province or prefecture_before(folded, tail.start()) or county_before(folded, tail.start())
    if place is None or len(place.codes) != 1:
        return None
    code = place.codes[0]
    _, province_zh, province_en = province_of(code)
    kind, word_en = _LOCAL[tail["word"]]
    word = tail["word"].replace("市场监管局", "市场监督管理局")
    word = "人民检察院" if word == "检察院" else word
    branch = tail["branch"] or ""
    if place.level == "province":
        name, english = province_zh, f"{province_en.removesuffix(' Province')} {word_en}"
    else:
        own, own_en = divisions()[code]
        city = (
            divisions().get(code[:4], ("", ""))[0] if place.level == "county" and own.endswith("区") else ""
        )
        name = province_zh + city + own
        english = f"{own_en} {word_en}, {province_en}" if own_en else ""
    value: dict[str, Value] = {
        "name_zh": name + word + branch,
        "name_en": (english or None) if not branch else None,
        "level": _BRANCH_LEVELS[branch[-2:]] if branch else _LEVELS[place.level],
        "region": region_of(province_zh),
        "type": kind,
    }
    return cite("agency", text, place.start, tail.end(), value, "division")
