"""Courts named in a text, resolved to one name, level and region; abbreviations too (最高法, 北知院, 深圳中院)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.legal.court_codes import (
    Court,
    divisions,
    find_court,
    remember_courts,
    special_courts,
)
from pipeline.legal.fact import Fact, Value, cite
from pipeline.legal.folding import fold, has_english
from pipeline.legal.places import Place, county_before, prefecture_before, province_before, province_of

_TABLE = tomllib.loads(Path(__file__).with_name("courts.toml").read_text(encoding="utf-8"))
_CHAMBERS: dict[str, tuple[str, str]] = {
    name: (code, english) for name, (code, english) in _TABLE["chambers"].items()
}
_TAIL = re.compile(
    r"法院(?:知识产权法庭|国际商事法庭|生产建设兵团分院|伊犁哈萨克自治州分院)?|知识产权法庭|高院|中院|知院|互院|最高院|知产法庭"
    r"|最高法(?!院|定|律|知产|知识产权|[民刑行执商委司知]\D{0,4}\d)"
)
_ENDING = 5  # characters by which the names of the table are told apart
_CLAUSE_ENDS = re.compile(r"[，。；、\n)]")
_ABROAD = re.compile(
    r"(?:美国|德国|法国|英国|日本|韩国|印度|荷兰|欧洲|欧盟|巴西|俄罗斯|加拿大|澳大利亚|新加坡|越南|泰国|意大利|西班牙|以色列"
    r"|土耳其|墨西哥|瑞士|波兰|瑞典|联邦|州|国)(?:的|联邦)?$"
)
_NUMBERED = frozenset("第一二三四五")
_ENGLISH = re.compile(
    r"(?P<supreme>Supreme People[’']s Court)"
    r"|(?P<of>(?:High(?:er)?|Intermediate) People[’']s Court) of (?P<where>[A-Z][A-Za-z'’]+(?: [A-Z][A-Za-z'’]+){0,2})"
    r"|(?P<place>[A-Z][A-Za-z'’]+(?: [A-Z][A-Za-z'’]+){0,5}) "
    r"(?P<kind>High(?:er)? People[’']s Court|Intermediate People[’']s Court"
    r"|(?:First|Second|Third|Fourth|Fifth) Intermediate People[’']s Court|(?:Intellectual Property|IP) Court"
    r"|Internet Court|Financial Court|Maritime Court|People[’']s Court)"
)


@remember_courts
def _named() -> dict[str, Court]:
    """Courts by name or abbreviation, for the names that no division tells."""
    courts = {court.name_zh: court for court in special_courts().values()}
    courts |= {name: special_courts()[code] for name, code in _TABLE["abbreviations"].items()}
    for court in special_courts().values():
        courts.setdefault(court.name_zh.replace("人民法院", "法院"), court)
    return courts


@remember_courts
def _lengths() -> dict[str, tuple[int, ...]]:
    """The lengths of the names of the table, longest first, by their last characters."""
    lengths: dict[str, set[int]] = {}
    for name in (*_named(), *_CHAMBERS):
        lengths.setdefault(name[-_ENDING:], set()).add(len(name))
    return {ending: tuple(sorted(found, reverse=True)) for ending, found in lengths.items()}


def find_courts(text: str) -> list[Fact]:
    """Find the courts that a text names, each once, at its first mention.

    value: `name_zh`, `name_en`, `level` (supreme, high, intermediate, basic), `region`, `court_code`, `chamber_zh`,
    `chamber_en`, `court_method` (table, derived, operator, None). Where a name fits several courts (鼓楼区人民法院),
    code and region are None and the name is as printed.
    """
    folded = fold(text)
    facts: list[Fact] = []
    if "院" in folded or "最高法" in folded or "法庭" in folded:
        for tail in _TAIL.finditer(folded):
            if (fact := _read_name(text, folded, tail)) is not None:
                facts.append(fact)
    if has_english(folded) and "Court" in folded:
        facts += [fact for match in _ENGLISH.finditer(folded) if (fact := _read_english(text, match))]
    return first_mentions(facts, "name_zh", "chamber_zh")


def first_mentions(facts: list[Fact], *keys: str) -> list[Fact]:
    """Keep the first fact of each value."""
    seen: set[tuple[Value, ...]] = set()
    kept = []
    for fact in sorted(facts, key=lambda fact: (fact.start, fact.end)):
        name = tuple(fact.value[key] for key in keys)
        if name not in seen:
            seen.add(name)
            kept.append(fact)
    return kept


def court_before(text: str, position: int) -> Fact | None:
    """Return the court whose name ends in the clause right before `position` (…柯桥区法院作出 before a number)."""
    folded = fold(text)
    found = None
    for tail in _TAIL.finditer(folded, max(0, position - 24), position):
        found = tail
    if found is None or _CLAUSE_ENDS.search(folded, found.end(), position):
        return None
    return _read_name(text, folded, found)


def _read_name(text: str, folded: str, tail: re.Match[str]) -> Fact | None:
    end = tail.end()
    for size in (_ENDING, 4, 3):
        for length in _lengths().get(folded[max(0, end - size) : end], ()):
            fact = _read_listed(text, folded, end - length, end) if length <= end else None
            if fact is not None:
                return None if fact.value["level"] == "supreme" and _is_abroad(folded, fact.start) else fact
    word = tail[0]
    if word == "高院":
        return _read_division(text, folded, end - 2, end, "high")
    if word == "中院":
        return _read_division(text, folded, end - 2, end, "intermediate")
    if not word.startswith("法院"):
        return None
    stop, end = tail.start(), tail.start() + 2
    stop -= 2 * folded.startswith("人民", max(0, stop - 2))
    if folded.startswith("高级", max(0, stop - 2)):
        return _read_division(text, folded, stop - 2, end, "high")
    if folded.startswith("中级", max(0, stop - 2)):
        if folded[stop - 3 : stop - 2] in _NUMBERED:
            return None
        return _read_division(text, folded, stop - 2, end, "intermediate")
    return _read_division(text, folded, stop, end, "basic")


def _read_listed(text: str, folded: str, start: int, end: int) -> Fact | None:
    """Read a name of the table at [start:end]."""
    name = folded[start:end]
    if name in _CHAMBERS:
        code, english = _CHAMBERS[name]
        chamber = name.replace("最高法知", "最高人民法院知").replace("知产", "知识产权")
        value = _describe(find_court(code)) | {"chamber_zh": chamber, "chamber_en": english}
        return cite("court", text, start, end, value, "court table")
    if name in _named() and not (name == "最高法" and folded[start - 1 : start] == ")"):
        return cite("court", text, start, end, _describe(_named()[name]), "court table")
    return None


def _is_abroad(folded: str, start: int) -> bool:
    return not folded.startswith("我国", max(0, start - 2)) and bool(
        _ABROAD.search(folded, max(0, start - 6), start)
    )


def _read_division(text: str, folded: str, before: int, end: int, level: str) -> Fact | None:
    readers = {"high": province_before, "intermediate": prefecture_before, "basic": county_before}
    place = readers[level](folded, before)
    if place is None:
        return None
    courts = [court for code in place.codes if (court := find_court(_court_code(code, level)))]
    if not courts:
        return None
    if len(courts) == 1:
        return cite("court", text, place.start, end, _describe(courts[0]), "division")
    if not _is_full(folded, place, before):
        return None
    value = _describe(None) | {"name_zh": folded[place.start : end], "level": level}
    return cite("court", text, place.start, end, value, "several divisions of that name")


def _is_full(folded: str, place: Place, before: int) -> bool:
    return any(folded[place.start : before].endswith(divisions()[code][0]) for code in place.codes)


def _court_code(division: str, level: str) -> str:
    return province_of(division)[0] + ("" if level == "high" else division[2:])


def _describe(court: Court | None) -> dict[str, Value]:
    return {
        "name_zh": court.name_zh if court else None,
        "name_en": court.name_en if court else None,
        "level": court.level if court else None,
        "region": court.region_zh if court else None,
        "court_code": court.code if court else None,
        "court_method": court.method if court else None,
        "chamber_zh": None,
        "chamber_en": None,
    }


@remember_courts
def _english_names() -> dict[str, tuple[Court, ...]]:
    """Courts by the English name without the province."""
    courts: dict[str, list[Court]] = {}
    derived = [
        find_court(province_of(code)[0] + code[2:]) for code, (_, english) in divisions().items() if english
    ]
    high = [find_court(province_of(code)[0]) for code in {code[:2] for code in divisions()}]
    for court in (*special_courts().values(), *derived, *high):
        if court and court.name_en:
            short = court.name_en.partition(",")[0].removeprefix("the ")
            courts.setdefault(short, []).append(court)
    return {name: tuple(several) for name, several in courts.items()}


def _read_english(text: str, match: re.Match[str]) -> Fact | None:
    if match["supreme"]:
        return cite(
            "court", text, match.start(), match.end(), _describe(special_courts()["最高法"]), "English name"
        )
    if match["of"]:
        return _read_english_reversed(text, match)
    words = match["place"].split(" ")
    following = match.string[match.end() : match.end() + 40]
    for skip in range(len(words)):
        courts = _english_names().get(_as_listed(f"{' '.join(words[skip:])} {match['kind']}"), ())
        if len(courts) > 1:
            courts = tuple(court for court in courts if _region_in_english(court) in following)
        if len(courts) == 1:
            start = match.start() + sum(len(word) + 1 for word in words[:skip])
            return cite("court", text, start, match.end(), _describe(courts[0]), "English name")
    return None


def _read_english_reversed(text: str, match: re.Match[str]) -> Fact | None:
    """Read the Higher People's Court of Jiangsu Province."""
    words = match["where"].split(" ")
    for count in range(len(words), 0, -1):
        courts = _english_names().get(_as_listed(f"{' '.join(words[:count])} {match['of']}"), ())
        if len(courts) == 1:
            count += words[count : count + 1] in (["Province"], ["Municipality"], ["City"])
            end = match.start("where") + len(" ".join(words[:count]))
            return cite("court", text, match.start(), end, _describe(courts[0]), "English name")
    return None


_KINDS_OF_PLACE = re.compile(r" (?:Provincial|Municipal|Province)(?= )")


def _as_listed(printed: str) -> str:
    """Write Jiangsu Provincial Higher People’s Court as the table does: Jiangsu High People's Court."""
    name = _KINDS_OF_PLACE.sub("", printed.replace("’", "'"))
    return name.replace(" Higher ", " High ").replace(" IP ", " Intellectual Property ")


def _region_in_english(court: Court) -> str:
    return (court.name_en or "").rpartition(", ")[2].removesuffix(" Province")
