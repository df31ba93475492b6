"""Laws, regulations, interpretations and treaties that a text cites, with article, paragraph and item."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.legal.fact import Fact, Value, cite
from pipeline.legal.folding import fold, has_english
from pipeline.legal.numerals import read_chinese_integer

_TABLE = tomllib.loads(Path(__file__).with_name("statutes.toml").read_text(encoding="utf-8"))["statute"]
_KNOWN = {fold(name): (row["zh"], row["en"]) for row in _TABLE for name in (row["zh"], *row["names"])}
_COUNT = r"(?:\d{1,4}|[一二三四五六七八九十百千零两]{1,7})"
_ARTICLE = (
    rf"第\s?(?P<article>{_COUNT})\s?条(?:之(?P<sub>[一二三四五六七八九十]{{1,2}}))?(?:\s?第\s?"
    rf"(?P<paragraph>{_COUNT})\s?款)?(?:\s?第?\s?\(?(?P<item>{_COUNT})\)?\s?项)?"
)
_ARTICLES = re.compile(_ARTICLE)
_TITLED = re.compile(r"《(?P<title>[^《》\n]{2,80}(?:《[^《》\n]{2,40}》[^《》\n]{0,40})?)》")
_EDITION = re.compile(r"\s?\([^()\n]{2,24}?\)\s?")
_SHORT_TITLES = sorted(
    (name for name in _KNOWN if name.endswith(("法", "法典", "细则", "条例")) and len(name) < 12),
    key=len,
    reverse=True,
)
_SHORT = re.compile(rf"(?P<title>(?:中华人民共和国)?(?:{'|'.join(_SHORT_TITLES)}))(?=\s?第\s?{_COUNT}\s?条)")
_SHORT_HINT = re.compile(r"[法典则例]\s?第")
_LAW = re.compile(
    r"(?:法|法典|条例|细则|解释(?:\([一二三四五]\))?|公约|条约|议定书|若干规定|规定|办法)(?:\((?:试行|修订"
    r"|修正)\))?$"
)
_NO_LAW = re.compile(
    r"看法|方法|书法|用法|说法|魔法|宪法日|征求意见|问答|解读|释义|使用办法|送审|草案|算法|技法|手法|笔法|兵法"
    r"|语法$|刀法"
)
_NEXT = re.compile(r"\s?(?:、|,|，|和|及|以及|与)\s?(?=第)")
_ENGLISH_NAMES = {
    **{row["en"].removesuffix(" of the People's Republic of China"): row["zh"] for row in _TABLE},
    **{name: row["zh"] for row in _TABLE for name in row["names"] if name.isascii()},
}
_ENGLISH_HINT = re.compile(
    r"Law|Code|Regulations|Convention|Treaty|Protocol|Agreement|Guidelines|Outline|Provisions"
)
_ENGLISH_TITLES = {row["zh"]: row["en"] for row in _TABLE}
_ENGLISH = re.compile(
    r"(?:Article (?P<article>\d{1,3})(?:\((?P<paragraph>\d)\))? of the )?(?:PRC )?(?P<title>"
    + "|".join(sorted(map(re.escape, _ENGLISH_NAMES), key=len, reverse=True))
    + r")(?: of the People[’']s Republic of China)?"
)


def find_statutes(text: str) -> list[Fact]:
    """Find the cited statutes, one fact an article; a title without article once, at its first mention.

    value: `title_zh` (the official title where the table knows it, else as printed), `title_en` (None where the table
    has none), `article`, `sub_article` (the 一 of 第二百一十九条之一 as 1), `paragraph`, `item`.
    """
    folded = fold(text)
    facts: list[Fact] = []
    seen: set[str] = set()
    if "《" in folded:
        for match in _TITLED.finditer(folded):
            facts += _read_titled(text, folded, match, seen)
    if "条" in folded and _SHORT_HINT.search(folded):
        for match in _SHORT.finditer(folded):
            title, english = _KNOWN[match["title"]]
            facts += _read_articles(text, folded, match.start(), match.end(), title, english, "short title")
    if has_english(folded) and _ENGLISH_HINT.search(folded):
        facts += _find_english(text, folded, seen)
    return sorted(facts, key=lambda fact: (fact.start, fact.end))


def _read_titled(text: str, folded: str, match: re.Match[str], seen: set[str]) -> list[Fact]:
    printed = match["title"]
    known = _KNOWN.get(printed)
    end = match.end()
    edition = _EDITION.match(folded, end)
    behind = edition.end() if edition else end
    has_article = _ARTICLES.match(folded, behind) is not None
    if known is None and not has_article and (not _LAW.search(printed) or _NO_LAW.search(printed)):
        return []
    if known is None and has_article and _NO_LAW.search(printed):
        return []
    title, english = known or (text[match.start("title") : match.end("title")], None)
    method = "title table" if known else "title in marks"
    if has_article:
        seen.add(title)
        return _read_articles(text, folded, match.start(), behind, title, english, method)
    if title in seen:
        return []
    seen.add(title)
    return [cite("statute", text, match.start(), end, _describe(title, english, None), method)]


def _read_articles(
    text: str, folded: str, start: int, position: int, title: str, english: str | None, method: str
) -> list[Fact]:
    """Read 第十条、第十一条第二款 …: the first fact reaches from the title on, the others are the articles alone."""
    facts = []
    while article := _ARTICLES.match(folded, position + (folded[position : position + 1] == " ")):
        facts.append(cite("statute", text, start, article.end(), _describe(title, english, article), method))
        following = _NEXT.match(folded, article.end())
        if following is None:
            break
        start = position = following.end()
    return facts


def _describe(title: str, english: str | None, article: re.Match[str] | None) -> dict[str, Value]:
    value: dict[str, Value] = {"title_zh": title, "title_en": english}
    for key, group in (
        ("article", "article"),
        ("sub_article", "sub"),
        ("paragraph", "paragraph"),
        ("item", "item"),
    ):
        raw = article[group] if article else None
        value[key] = None if raw is None else int(raw) if raw.isdecimal() else read_chinese_integer(raw)
    return value


def _find_english(text: str, folded: str, seen: set[str]) -> list[Fact]:
    facts = []
    for match in _ENGLISH.finditer(folded):
        title = _ENGLISH_NAMES[match["title"]]
        if match["article"] is None and title in seen:
            continue
        seen.add(title)
        value = _describe(title, _ENGLISH_TITLES[title], None)
        if match["article"]:
            value["article"] = int(match["article"])
            value["paragraph"] = int(match["paragraph"]) if match["paragraph"] else None
        facts.append(cite("statute", text, match.start(), match.end(), value, "English title"))
    return facts
