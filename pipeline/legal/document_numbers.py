"""Numbers of official documents: interpretations, notices, announcements, orders, guiding cases, decisions.

The issuer stands before the bracketed year (法释〔2021〕4号, 国知发保字〔2024〕10号); announcements, orders and
cases are counted without a year (公告第673号, 局令第84号, 检例第219号). 党政机关公文处理工作条例 (2012), article 9,
gives the form.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.legal.case_numbers import procuratorate_before
from pipeline.legal.fact import Fact, Value, cite, without_overlaps
from pipeline.legal.folding import fold, has_english
from pipeline.legal.numerals import CHINESE_NUMERALS, read_chinese_integer

_TABLE = tomllib.loads(Path(__file__).with_name("document_types.toml").read_text(encoding="utf-8"))
ISSUERS: dict[str, str] = dict(_TABLE["issuers"])
_ORDERS: dict[str, str] = dict(_TABLE["orders"])
_ANNOUNCERS: dict[str, str] = {name: name for name in _TABLE["announcers"]["names"]} | _TABLE["announcers"][
    "short"
]
_OWN_ORDERS = ("局令", "总局令", "署令")
_LONGEST_ISSUER = 14
_MOST_OF_A_RANGE = 50

_NUMBER = rf"(?:\d{{1,6}}|[{CHINESE_NUMERALS}]{{1,9}})"
_YEARED = re.compile(
    r"\(\s?(?P<year>(?:19[5-9]|20\d)\d)\s?年?\s?\)\s?(?:第\s?)?(?P<serial>\d{1,14})(?P<part>-\d{1,3})?\s?号"
    r"(?P<annex>之[一二三四五六七八九十])?"
)
_ISSUER = re.compile(r"[\u4e00-\u9fff]{1,14}$")
_PLACE = re.compile(r"\(([\u4e00-\u9fff]{1,3})\)$")
_LEADING_WORDS = re.compile(
    r"^.*?(?:根据|依据|依照|按照|参照|印发|发布|公布|下发|通过|出台|实施|执行|适用|关于|详见|文号|编号"
    r"|作出|制定|即|见|及|和|与|的|以|对|由|将)"
)
_PLAUSIBLE_END = frozenset("发释办函规通字令知公会议复罚决监保文政检审裁处管稽综税版科改价局")
# 〔2024〕 is the bracket of official documents (党政机关公文处理工作条例): there an unknown issuer is believed.
_OFFICIAL_BRACKET = frozenset("〔﹝")
_NOT_ISSUED = re.compile(r"不动产权|证$|许可|备案|登字|型号|货号|房权|国用|附件")
_PENALTY = re.compile(r"(?:处罚|罚字|罚决字|监[\u4e00-\u9fff]{0,6}[处罚]字?)$")
_ANNOUNCED = re.compile(
    rf"[公通]告\s{{0,4}}\(?\s{{0,4}}(?:(?P<year>20\d\d)\s?年\s?)?第\s?(?P<serial>{_NUMBER})\s?号"
)
_ANNOUNCED_BEFORE = re.compile(r"号\s?[公通]告")
_SERIAL_BEFORE = re.compile(rf"(?:(?P<year>20\d\d)\s?年\s?)?第\s?(?P<serial>{_NUMBER})\s?$")
_ORDERED = re.compile(
    "(?P<order>"
    + "|".join(sorted(_ORDERS, key=len, reverse=True))
    + rf")\s{{0,4}}\(?第?\s?(?P<serial>{_NUMBER})\s?号"
)
_PROCURATORIAL = re.compile(
    r"检例第?\s?(?P<serial>\d{1,4})(?:\s?号)?(?:\s?(?:-{1,2}|~|至)\s?(?P<last>\d{1,4}))?\s?号"
)
_GUIDING = re.compile(
    r"指导(?:性)?案例\s?第?\s?(?P<serial>\d{1,4})(?:\s?号)?(?:\s?(?:-{1,2}|~|至)\s?(?P<last>\d{1,4}))?\s?号"
)
_REVIEWED = (
    re.compile(
        r"第\s?(?P<serial>\d{4,6})\s?号(?=无效宣告(?:请求)?(?:审查)?决定|复审(?:请求审查)?决定|决定书?[^书]|审查决定)"
    ),
    re.compile(r"(?:无效宣告(?:请求)?审查|复审请求审查)决定书?\s?\(?第\s?(?P<serial>\d{4,6})\s?号"),
)
_CERTIFIED = re.compile(
    r"\(\s?(?P<year>(?:19[89]|20\d)\d)\s?\)\s?(?:(?P<office>[\u4e00-\u9fff]{0,10}?(?:证[经民字内外]{0,3}|裁"
    r"|仲裁?|仲案|商标异))字\s?第?\s?(?P<serial>\d{1,10})\s?号|(?P<notary>[\u4e00-\u9fff]{2,10}?)第\s?"
    r"(?P<notarial_serial>\d{1,7})\s?号(?=公证书))"
)
_ENGLISH = re.compile(
    r"(?:Announcement|Bulletin Notice)\s(?:No|Number)\.?\s?(?P<announcement>\d{1,4})(?!\d)"
    r"|Guiding Case\s(?:No\.?\s?)?(?P<guiding>\d{1,4})(?!\d)"
    r"|(?:Decree|Order)\s(?:No|Number)\.?\s?(?P<order>\d{1,4})(?!\d)"
    r"(?:\sof\sthe\s(?P<orderer>State Council|CNIPA|SAMR))?"
    r"|(?P<issuer>Fa Shi|Fa Fa|Guo Ban Fa|Guo Fa|Guo Zhi Fa(?: [A-Z][a-z]+ Zi)?)\s?\(\s?"
    r"(?P<year>20\d\d)\s?\)\s?No\.?\s?(?P<serial>\d{1,4})(?!\d)"
)
_ENGLISH_BODY = re.compile(r"(CNIPA|SAMR|NCAC|State Council|Presidential)\s$")
_IN_PINYIN = {
    "Fa Shi": "法释",
    "Fa Fa": "法发",
    "Guo Ban Fa": "国办发",
    "Guo Fa": "国发",
    "Guo Zhi Fa": "国知发",
}
_IN_PINYIN |= {
    "Guo Zhi Fa Bao Zi": "国知发保字",
    "Guo Zhi Fa Yun Zi": "国知发运字",
    "Guo Zhi Fa Fa Zi": "国知发法字",
}
_ORDERERS = {"CNIPA": "国家知识产权局令", "SAMR": "国家市场监督管理总局令"}
_ORDERERS |= {"State Council": "中华人民共和国国务院令", "Presidential": "中华人民共和国主席令"}
_ANNOUNCERS_IN_ENGLISH = {"CNIPA": "国家知识产权局", "SAMR": "国家市场监督管理总局", "NCAC": "国家版权局"}


def find_document_numbers(text: str) -> list[Fact]:
    """Find the numbers of official documents; never a case number.

    value: `normalized` (法释〔2021〕4号, 国家知识产权局公告第675号), `issuer` (the word before the bracket, or the
    body that announced or ordered; None where the text doesn't say), `year`, `serial`, `type`: judicial_interpretation,
    normative_document, letter, announcement, order, guiding_case, review_decision, adjudication,
    penalty_decision, notarial_certificate, arbitral_award, or None for an issuer that the table doesn't know.
    """
    folded = fold(text)
    facts: list[Fact] = []
    if "号" in folded:
        facts += _find_yeared(text, folded)
        if "字" in folded or "公证书" in folded:
            facts += _find_certified(text, folded)
        if "公告" in folded or "通告" in folded:
            facts += _find_announced(text, folded)
        if "令" in folded:
            facts += _find_ordered(text, folded)
        if "案例" in folded or "检例" in folded:
            facts += _find_guiding(text, folded)
        if "决定" in folded:
            facts += _find_reviewed(text, folded)
    if has_english(folded) and ("No" in folded or "Guiding Case" in folded):
        facts += _find_english(text, folded)
    return without_overlaps(facts)


def _number(
    issuer: str | None, year: int | None, serial: int, kind: str | None, normalized: str
) -> dict[str, Value]:
    return {"normalized": normalized, "issuer": issuer, "year": year, "serial": serial, "type": kind}


def _find_yeared(text: str, folded: str) -> list[Fact]:
    facts = []
    for match in _YEARED.finditer(folded):
        start = match.start()
        run = _ISSUER.search(folded, max(0, start - _LONGEST_ISSUER), start)
        if run is None or procuratorate_before(folded, start):
            continue
        official = text[start] in _OFFICIAL_BRACKET
        chosen = _choose_issuer(run[0], folded[run.start() - 1 : run.start()], official=official)
        if chosen is None:
            continue
        issuer, method = chosen
        year, serial = int(match["year"]), int(match["serial"])
        kind = ISSUERS.get(issuer)
        if kind is None and issuer.endswith(("公告", "通告")):
            kind = "announcement"
        elif kind is None and _PENALTY.search(issuer):
            kind = "penalty_decision"
        elif kind is None and issuer.endswith("裁字"):
            kind = "adjudication"
        begin = start - len(issuer)
        place = _PLACE.search(folded, max(0, begin - 5), begin)
        if place:
            issuer, begin = f"（{place[1]}）{issuer}", place.start()
        normalized = f"{issuer}〔{year}〕{serial}{match['part'] or ''}号{match['annex'] or ''}"
        value = _number(issuer, year, serial, kind, normalized)
        facts.append(cite("document_number", text, begin, match.end(), value, method))
    return facts


def _choose_issuer(run: str, before: str, *, official: bool) -> tuple[str, str] | None:
    """Choose the issuer at the end of the characters before the bracket, and say by which rule."""
    candidates = [run]
    shortened = run
    while lead := _LEADING_WORDS.match(shortened):
        shortened = shortened[lead.end() :]
        candidates.append(shortened)
    for candidate in candidates:
        if candidate in ISSUERS:
            return candidate, "issuer table"
    suffixes = [run[position:] for position in range(1, len(run)) if run[position:] in ISSUERS]
    if suffixes and len(suffixes[0]) > 2 and len(run) - len(suffixes[0]) > 1:
        return suffixes[0], "issuer table"
    plausible = [
        candidate
        for candidate in candidates
        if 2 <= len(candidate) <= 10 and candidate[-1] in _PLAUSIBLE_END and not _NOT_ISSUED.search(candidate)
    ]
    if plausible and plausible[-1] != run:
        return plausible[-1], "issuer after a verb"
    bounded = len(run) < _LONGEST_ISSUER and not "\u4e00" <= before <= "\u9fff"
    if plausible and bounded:
        return run, "issuer at a boundary"
    if official and bounded and candidates == [run] and 2 <= len(run) <= 8 and not _NOT_ISSUED.search(run):
        return run, "issuer before the official bracket"
    longer = [suffix for suffix in suffixes if len(suffix) > 1]
    return (longer[0], "issuer table") if longer else None


def _find_certified(text: str, folded: str) -> list[Fact]:
    facts = []
    for match in _CERTIFIED.finditer(folded):
        year = int(match["year"])
        if match["notary"]:
            office = text[slice(*match.span("notary"))]
            serial, kind, method = (
                int(match["notarial_serial"]),
                "notarial_certificate",
                "notarial certificate",
            )
        else:
            office = text[slice(*match.span("office"))] + "字"
            serial, method = int(match["serial"]), "certificate or award"
            kind = "notarial_certificate" if "证" in office else "arbitral_award"
            if office.endswith("商标异字"):
                kind, method = "review_decision", "opposition decision"
        value = _number(office, year, serial, kind, f"（{year}）{office}第{serial}号")
        facts.append(cite("document_number", text, match.start(), match.end(), value, method))
    return facts


def _find_announced(text: str, folded: str) -> list[Fact]:
    facts = []
    for match in _ANNOUNCED.finditer(folded):
        end = _close(folded, match)
        facts += _read_announced(
            text, folded, match, match.start(), end, folded[match.start() : match.start() + 2]
        )
    for word in _ANNOUNCED_BEFORE.finditer(folded):
        at = word.start()
        number = _SERIAL_BEFORE.search(folded, max(0, at - 22), at)
        if number:
            facts += _read_announced(
                text, folded, number, number.start(), word.end(), folded[word.end() - 2 : word.end()]
            )
    return facts


def _read_announced(
    text: str, folded: str, number: re.Match[str], start: int, end: int, word: str
) -> list[Fact]:
    serial = _read_serial(number["serial"])
    if serial is None:
        return []
    year = int(number["year"]) if number["year"] else None
    issuer = None
    line_start = folded.rfind("\n", 0, start) + 1
    head = folded[max(line_start, start - 80) : start].rstrip()
    # The longest name: 国家市场监督管理总局, and not the short form that it may end in.
    adjacent = max((name for name in _ANNOUNCERS if head.endswith(name)), key=len, default=None)
    if adjacent:
        issuer = _ANNOUNCERS[adjacent]
        start = folded.rindex(adjacent, 0, start)
    else:
        issuer = _announcer_before(head, "关于")
    counted = f"{year}年第{serial}号" if year else f"第{serial}号"
    value = _number(issuer, year, serial, "announcement", f"{issuer or ''}{word}{counted}")
    return [cite("document_number", text, start, end, value, "announcement")]


def _announcer_before(head: str, word: str = "") -> str | None:
    """The body whose name a line begins with, followed by a word."""
    return next((full for name, full in _ANNOUNCERS.items() if head.lstrip().startswith(name + word)), None)


def _find_ordered(text: str, folded: str) -> list[Fact]:
    facts = []
    for match in _ORDERED.finditer(folded):
        serial = _read_serial(match["serial"])
        start = match.start()
        if folded.startswith("中华人民共和国", max(0, start - 7)):
            start -= 7
        named = _ORDERS[match["order"]]
        before = folded[start - 1 : start]
        if serial is None or (
            not named and "\u4e00" <= before <= "\u9fff" and before not in "的及和与以据为"
        ):
            continue
        if not named and match["order"] in _OWN_ORDERS:
            # 国家知识产权局行政复议规程（局令第82号）: the office that the line begins with speaks of itself.
            office = _announcer_before(folded[folded.rfind("\n", 0, start) + 1 : start])
            named = f"{office}令" if office else named
        issuer = named.removesuffix("令") or None
        value = _number(issuer, None, serial, "order", f"{named or match['order']}第{serial}号")
        facts.append(cite("document_number", text, start, _close(folded, match), value, "order"))
    return facts


def _find_guiding(text: str, folded: str) -> list[Fact]:
    facts = []
    for pattern, issuer, form in (
        (_PROCURATORIAL, "最高人民检察院", "检例第{}号"),
        (_GUIDING, "最高人民法院", "指导性案例{}号"),
    ):
        for match in pattern.finditer(folded):
            first, last = int(match["serial"]), int(match["last"] or match["serial"])
            if not first <= last < first + _MOST_OF_A_RANGE:
                continue
            for serial in range(first, last + 1):
                value = _number(issuer, None, serial, "guiding_case", form.format(serial))
                method = "range" if last > first else "guiding case"
                facts.append(cite("document_number", text, match.start(), match.end(), value, method))
    return facts


def _find_reviewed(text: str, folded: str) -> list[Fact]:
    facts = []
    for pattern in _REVIEWED:
        for match in pattern.finditer(folded):
            serial = int(match["serial"])
            value = _number(None, None, serial, "review_decision", f"第{serial}号审查决定")
            end = _close(folded, match)
            facts.append(cite("document_number", text, match.start(), end, value, "review decision"))
    return facts


def _find_english(text: str, folded: str) -> list[Fact]:
    facts = []
    for match in _ENGLISH.finditer(folded):
        body = _ENGLISH_BODY.search(folded, max(0, match.start() - 16), match.start())
        start = body.start() if body else match.start()
        if match["issuer"]:
            issuer = _IN_PINYIN.get(match["issuer"])
            if issuer is None:
                continue
            year, serial = int(match["year"]), int(match["serial"])
            value = _number(issuer, year, serial, ISSUERS[issuer], f"{issuer}〔{year}〕{serial}号")
            start = match.start()
        elif match["guiding"]:
            serial = int(match["guiding"])
            value = _number("最高人民法院", None, serial, "guiding_case", f"指导性案例{serial}号")
            start = match.start()
        elif match["order"]:
            order = _ORDERERS.get(match["orderer"] or (body[1] if body else ""))
            if order is None:
                continue
            serial = int(match["order"])
            value = _number(order.removesuffix("令"), None, serial, "order", f"{order}第{serial}号")
        else:
            name = _ANNOUNCERS_IN_ENGLISH.get(body[1]) if body else None
            serial = int(match["announcement"])
            value = _number(name, None, serial, "announcement", f"{name or ''}公告第{serial}号")
            start = start if name else match.start()
        facts.append(cite("document_number", text, start, match.end(), value, "English"))
    return facts


def _close(folded: str, match: re.Match[str]) -> int:
    """Return the end of the match, with the bracket that closes what it opened."""
    return match.end() + ("(" in match[0] and folded.startswith(")", match.end()))


def _read_serial(raw: str) -> int | None:
    return int(raw) if raw.isdecimal() else read_chinese_integer(raw)
