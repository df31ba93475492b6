"""Public bodies named in a text, other than courts: CNIPA, procuratorates, market regulators, ministries."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.legal.court_codes import divisions, region_of
from pipeline.legal.courts import first_mentions
from pipeline.legal.fact import Fact, Value, cite, find_overlap
from pipeline.legal.folding import fold
from pipeline.legal.places import county_before, prefecture_before, province_before, province_of

_TABLE = tomllib.loads(Path(__file__).with_name("agencies.toml").read_text(encoding="utf-8"))
_NATIONAL = {
    name: agency for agency in _TABLE["national"] for name in (agency["zh"], agency["en"], *agency["names"])
}
_LOCAL: dict[str, tuple[str, str]] = {
    tail: (kind, english) for tail, (kind, english) in _TABLE["local"].items()
}
_CHINESE = re.compile(
    "|".join(sorted((name for name in _NATIONAL if not name.isascii()), key=len, reverse=True))
)
_ENGLISH = re.compile(
    rf"\b({'|'.join(sorted((re.escape(name) for name in _NATIONAL if name.isascii()), key=len, reverse=True))})\b"
)
_LATIN = re.compile(r"[A-Z]{4}|[a-z]{4}")
_TAIL = re.compile("|".join(sorted(_LOCAL, key=len, reverse=True)))
_LEVELS = {"province": "provincial", "prefecture": "prefecture", "county": "county"}


def find_agencies(text: str) -> list[Fact]:
    """Find the public bodies that a text names, each once, at its first mention.

    value: `name_zh`, `name_en` (None where no usual one is known), `level` (national, provincial, prefecture, county,
    international, foreign), `region`, `type`. A name that fits several places isn't emitted.
    """
    folded = fold(text)
    facts = [_cite_national(text, match) for match in _CHINESE.finditer(folded)]
    if _LATIN.search(folded):
        facts += [_cite_national(text, match) for match in _ENGLISH.finditer(folded)]
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
    kind, word_en = _LOCAL[tail[0]]
    word = tail[0].replace("市场监管局", "市场监督管理局")
    word = "人民检察院" if word == "检察院" else word
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
        "name_zh": name + word,
        "name_en": english or None,
        "level": _LEVELS[place.level],
        "region": region_of(province_zh),
        "type": kind,
    }
    return cite("agency", text, place.start, tail.end(), value, "division")
