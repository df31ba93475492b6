"""Statutes that a text cites, with article, paragraph and item."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.legal.fact import Fact, Value, cite
from pipeline.legal.folding import fold, has_english
from pipeline.legal.numerals import read_chinese_integer

_TABLE = tomllib.loads(Path(__file__).with_name("statutes.toml").read_text(encoding="utf-8"))["statute"]
_REPUBLIC = "中华人民共和国"
_MOST_OF_A_RANGE = 60


@dataclass(frozen=True, slots=True)
class _Title:
    """The official title, its official English form (None where the table has none), and how they were found."""

    chinese: str
    english: str | None
    method: str


_KNOWN = {
    fold(name): _Title(row["zh"], row.get("en"), "title table")
    for row in _TABLE
    for name in (row["zh"], *row["names"])
}
_LENGTHS = tuple(sorted({len(name) for name in _KNOWN}, reverse=True))
_LAST_CHARACTERS = frozenset(name[-1] for name in _KNOWN)

_COUNT = r"(?:\d{1,4}|[一二三四五六七八九十百千零两]{1,7})"
_AND = r"\s?(?:、|,|，|和|及|以及|与|或者|或)\s?"
_ARTICLE = re.compile(rf"第\s?{_COUNT}\s?条")
_STEP = re.compile(
    rf"第?\s?(?P<numbers>\(?{_COUNT}\)?(?:{_AND}\(?{_COUNT}\)?){{0,9}})\s?(?P<unit>条|款|项)"
    r"(?:之(?P<sub>[一二三四五六七八九十]{1,2}))?"
)
_NUMBER = re.compile(_COUNT)
_NEXT = re.compile(rf"{_AND}(?=第|\(\s?{_COUNT}\s?\)\s?项)")
_LAST_OF_RANGE = re.compile(rf"\s?(?:至|到|-|~)\s?第?\s?(?P<last>{_COUNT})\s?条(?!之|第)")
_LEVELS = ("条", "款", "项")

_TITLED = re.compile(r"《(?P<title>[^《》\n]{2,80}(?:《[^《》\n]{2,40}》[^《》\n]{0,40})?)》")
_BRACKET = r"\((?:[^()\n]|\([^()\n]{0,20}\)){2,60}?\)"
_EDITION = re.compile(rf"(?:\s?{_BRACKET}\s?){{1,2}}")
_EDITION_BEFORE = re.compile(rf"{_BRACKET}\s?$")
_ALIAS = re.compile(
    r"\s?\((?:[^()\n]|\([^()\n]{0,20}\)){0,40}?(?:以下简称|以下称|以下统称|下称|简称)\s?[《“\"]?"
    r"(?P<alias>[^《》“”\"()，,。\n]{2,20})[》”\"]?\s?\)"
)
_LAW = re.compile(
    r"(?:法|法典|条例|细则|解释(?:\([一二三四五]\))?|公约|条约|议定书|若干规定|规定|办法|规则)(?:\((?:试行|修订"
    r"|修正)\))?$"
)
_NO_LAW = re.compile(
    r"宪法日|征求意见|问答|解读|释义|使用办法|送审|草案|用法(?!律)|(?:看法|方法|书法|说法|魔法|算法|技法|手法|笔法|兵法|语法|刀法)$"
    r"|(?:合同|协议|章程|范本|合同书|协议书|判决书|裁定书|决定书|公证书)(?:\([^()]*\))?$"
)
# 《规定》 alone is the one that the text gave this name; without that it is none that anybody knows.
_GENERIC = frozenset("规定 办法 条例 解释 细则 实施细则 实施条例 规则 意见 通知 决定 法 若干规定".split())
_ABROAD = re.compile(
    r"(?:日本|美国|德国|英国|法国|韩国|印度|欧盟|欧洲|俄罗斯|越南|新加坡|泰国|马来西亚|印度尼西亚|菲律宾|加拿大|澳大利亚|新西兰"
    r"|巴西|墨西哥|意大利|西班牙|荷兰|瑞士|瑞典|以色列|土耳其|香港|澳门|台湾|外国|各国)(?:地区|联邦|现行)?的?[“\"]?$"
)

_ENGLISH_TITLES = {
    **{
        row["en"].removesuffix(" of the People's Republic of China"): _KNOWN[fold(row["zh"])]
        for row in _TABLE
        if "en" in row
    },
    **{name: _KNOWN[name] for row in _TABLE for name in row["names"] if name.isascii()},
}
_ENGLISH = re.compile(
    "(?P<title>"
    + "|".join(sorted(map(re.escape, _ENGLISH_TITLES), key=len, reverse=True))
    + r")(?P<republic> of (?:China|the People[’']s Republic of China))?(?! of [A-Z])"
)
_ENGLISH_HINT = re.compile(
    r"Law|Code|Regulations|Convention|Treaty|Protocol|Agreement|Guidelines|Outline|Provisions"
)
_ARTICLE_OF = re.compile(
    r"(?:Paragraph (?P<first>\d{1,2}),? (?:of )?)?Articles? (?P<articles>\d{1,3}(?:(?:, | and |, and )\d{1,3}){0,9})"
    r"(?:\((?P<inner>\d{1,2})\)|\.(?P<dotted>\d{1,2})|,? [Pp]aragraph (?P<paragraph>\d{1,2}))?,? of (?:the )?"
    r"(?:PRC |China[’']s |Chinese )?$"
)
_ENGLISH_ABROAD = re.compile(
    r"(?:Japanese|US|U\.S\.|American|Korean|European|EU|German|French|British|UK|Indian|Italian|Spanish|Dutch|Swiss|Swedish"
    r"|Russian|Brazilian|Mexican|Taiwan(?:ese)?|Hong Kong|Maca[uo]|Singapore(?:an)?|Vietnamese|Thai|Australian|Canadian"
    r"|Turkish|[Ff]oreign|[Ff]ederal) $"
)


def find_statutes(text: str) -> list[Fact]:
    """Find the cited statutes, one fact an article; a title without article once, at its first mention.

    value: `title_zh` (the official title where the table knows it, else as printed), `title_en` (None where the table
    has none), `article`, `sub_article` (the 一 of 第二百一十九条之一 as 1), `paragraph`, `item`. A short name that the
    text itself defines (以下简称《条例》) stands for the title it was defined for. Laws of other countries are none.
    """
    folded = fold(text)
    facts: list[Fact] = []
    seen: set[str] = set()
    titles: Mapping[str, _Title] = _KNOWN
    if "《" in folded:
        titled = list(_TITLED.finditer(folded))
        titles = _define_names(text, folded, titled)
        for match in titled:
            facts += _read_titled(text, folded, match, titles, seen)
    if "条" in folded:
        facts += _find_untitled(text, folded, titles)
    if has_english(folded) and _ENGLISH_HINT.search(folded):
        facts += _find_english(text, folded, seen)
    return sorted(facts, key=lambda fact: (fact.start, fact.end))


def _define_names(text: str, folded: str, titled: list[re.Match[str]]) -> Mapping[str, _Title]:
    """The titles of the table with the short names that the text defines for its own titles."""
    own: dict[str, _Title] = {}
    for match in titled:
        printed = match["title"]
        title = _KNOWN.get(printed) or _Title(text[slice(*match.span("title"))], None, "title in marks")
        if printed not in _KNOWN and printed.startswith(_REPUBLIC):
            own[printed.removeprefix(_REPUBLIC)] = title
        alias = _ALIAS.match(folded, match.end())
        if alias:
            own[alias["alias"]] = _Title(title.chinese, title.english, "name defined in the text")
    return (
        {**own, **_KNOWN, **{name: title for name, title in own.items() if name in _GENERIC}}
        if own
        else _KNOWN
    )


def _read_titled(
    text: str, folded: str, match: re.Match[str], titles: Mapping[str, _Title], seen: set[str]
) -> list[Fact]:
    printed = match["title"]
    known = titles.get(printed)
    end = match.end()
    edition = _EDITION.match(folded, end)
    behind = edition.end() if edition else end
    has_article = _ARTICLE.match(folded, behind) is not None
    if known is None:
        if printed in _GENERIC or _NO_LAW.search(printed) or not (has_article or _LAW.search(printed)):
            return []
        known = _Title(text[slice(*match.span("title"))], None, "title in marks")
    elif _ABROAD.search(folded, max(0, match.start() - 8), match.start()):
        return []
    if has_article:
        seen.add(known.chinese)
        return _read_articles(text, folded, match.start(), behind, known)
    if known.chinese in seen:
        return []
    seen.add(known.chinese)
    return [cite("statute", text, match.start(), end, _describe(known), known.method)]


def _find_untitled(text: str, folded: str, titles: Mapping[str, _Title]) -> list[Fact]:
    """Find the articles with a title of the table, or a name defined in the text, right before them: 专利法第十一条."""
    facts: list[Fact] = []
    lengths = _LENGTHS if titles is _KNOWN else sorted({len(name) for name in titles}, reverse=True)
    for article in _ARTICLE.finditer(folded):
        end = article.start()
        if folded[end - 1 : end] == ")":
            edition = _EDITION_BEFORE.search(folded, max(0, end - 50), end)
            end = edition.start() if edition else end
        end -= folded[end - 1 : end] == " "
        if titles is _KNOWN and folded[end - 1 : end] not in _LAST_CHARACTERS:
            continue
        for length in lengths:
            start = end - length
            if start < 0 or (title := titles.get(folded[start:end])) is None:
                continue
            if folded[start:end] not in _GENERIC and not _ABROAD.search(folded, max(0, start - 8), start):
                named = _Title(title.chinese, title.english, "short title")
                facts += _read_articles(text, folded, start, article.start(), named)
            break
    return facts


def _read_articles(text: str, folded: str, start: int, position: int, title: _Title) -> list[Fact]:
    """Read 第十条、第十一条第二款、第三款: the first fact reaches from the title on, the others are articles alone."""
    facts: list[Fact] = []
    place: dict[str, int | None] = {}
    while True:
        position += folded[position : position + 1] == " "
        end, read = _read_place(folded, position, place)
        if not read:
            return facts
        place = read[-1]
        last = _LAST_OF_RANGE.match(folded, end) if list(place) == ["条"] else None
        if last:
            read += [{"条": number} for number in _between(place["条"], _count(last["last"]))]
            end, place = last.end(), read[-1]
        method = "range" if last else title.method
        facts += [cite("statute", text, start, end, _describe(title, numbers), method) for numbers in read]
        following = _NEXT.match(folded, end)
        if following is None:
            return facts
        start = position = following.end()


def _between(first: int | None, last: int | None) -> range:
    """The articles behind `first` up to `last`; none where that is no range of articles."""
    if first is None or last is None or not first < last <= first + _MOST_OF_A_RANGE:
        return range(0)
    return range(first + 1, last + 1)


def _read_place(
    folded: str, position: int, before: Mapping[str, int | None]
) -> tuple[int, list[dict[str, int | None]]]:
    """Read 第五十七条第一款第（一）、（二）项 at `position`; what is left out is that of the place `before`.

    Returns where it ends and the places, one for each of the last numbers; none where it is no place.
    """
    place: dict[str, int | None] = {}
    places: list[dict[str, int | None]] = []
    level = -1
    while step := _STEP.match(folded, position):
        deeper = _LEVELS.index(step["unit"])
        if deeper <= level or (not folded.startswith("第", position) and step["unit"] == "条"):
            break
        if level < 0:
            if deeper and "条" not in before:
                break
            place = {unit: before[unit] for unit in _LEVELS[:deeper] if unit in before}
        numbers = [_count(raw) for raw in _NUMBER.findall(step["numbers"])]
        if None in numbers or (len(numbers) > 1 and level < 0 and not deeper):
            break
        sub = {"之": _count(step["sub"])} if step["sub"] else {}
        places = [{**place, step["unit"]: number, **sub} for number in numbers]
        place, level, position = places[-1], deeper, step.end()
        if len(numbers) > 1:
            break
    return position, places


def _count(raw: str) -> int | None:
    return int(raw) if raw.isdecimal() else read_chinese_integer(raw)


def _describe(title: _Title, place: Mapping[str, int | None] | None = None) -> dict[str, Value]:
    numbers = place or {}
    return {
        "title_zh": title.chinese,
        "title_en": title.english,
        "article": numbers.get("条"),
        "sub_article": numbers.get("之"),
        "paragraph": numbers.get("款"),
        "item": numbers.get("项"),
    }


def _find_english(text: str, folded: str, seen: set[str]) -> Iterator[Fact]:
    for match in _ENGLISH.finditer(folded):
        title = _ENGLISH_TITLES[match["title"]]
        start = match.start()
        start -= 4 * folded.startswith("PRC ", max(0, start - 4))
        if _ENGLISH_ABROAD.search(folded, max(0, start - 14), start):
            continue
        articles = _ARTICLE_OF.search(folded, max(0, match.start() - 90), match.start())
        if articles is None and title.chinese in seen:
            continue
        seen.add(title.chinese)
        if articles is None:
            yield cite("statute", text, start, match.end(), _describe(title), "English title")
            continue
        numbers = [int(raw) for raw in re.findall(r"\d+", articles["articles"])]
        paragraph = articles["first"] or articles["inner"] or articles["dotted"] or articles["paragraph"]
        for number in numbers:
            place: dict[str, int | None] = {"条": number}
            if paragraph and number == numbers[-1]:
                place["款"] = int(paragraph)
            yield cite(
                "statute", text, articles.start(), match.end(), _describe(title, place), "English title"
            )
