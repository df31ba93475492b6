"""Patent numbers: Chinese application and grant numbers with check digit, publication numbers, PCT and foreign ones.

Numbering: ZC 0006-2003 (专利申请号标准) for application numbers and their check digit, ZC 0007-2012
(专利文献号标准) for publication numbers.
"""

from __future__ import annotations

import re

from pipeline.legal.fact import Fact, Value, cite, without_overlaps
from pipeline.legal.folding import fold

_RIGHTS = {"1": "invention", "2": "utility_model", "3": "design", "8": "invention", "9": "utility_model"}
_KIND_CODES = {
    "A": ("invention", "publication"),
    "B": ("invention", "grant"),
    "C": ("invention", "grant"),
    "U": ("utility_model", "grant"),
    "Y": ("utility_model", "grant"),
    "S": ("design", "grant"),
    "D": ("design", "grant"),
}
# The digit after the point is the check digit.
_APPLICATION = re.compile(
    r"(?P<digits>(?:19[89]|20[0-4])\d\s?[12389]\s?\d{7}|(?:8[5-9]|9\d|0[0-3])\s?[1238]\s?\d{5})\s?\.\s?(?P<check>[\dXx])"
    r"(?![\dA-Za-z])"
)
_IN_A_WORD = re.compile(r"[A-Za-z\d.]")
_LONGEST = 17  # characters of an application number before its point
_PREFIX = re.compile(
    r"(?:(?P<label>专利号|申请号|(?i:application no\.?|patent no\.?))\s?(?:为|是|:)?\s?)?(?P<prefix>ZL|CN)?\s?$"
)
_UNDOTTED = re.compile(
    r"(?:ZL\s?|专利号\s?(?:为|是|:)?\s?)(?<![A-Za-z\d]ZL)(?<![A-Za-z\d]ZL )(?P<number>(?:ZL)?"
    r"(?P<digits>(?:19[89]|20[0-4])\d[12389]\d{7})(?P<check>[\dXx]))(?![\d.A-Za-z*])"
)
_GRANTED = re.compile(
    r"\s?号(?:[、，,]?\s?名称为[“\"][^”\"\n]{1,60}[”\"]的?|的)?\s?(?:发明|实用新型|外观设计)?专利(?!申请)"
)
_PUBLISHED = re.compile(
    r"CN(?<![A-Za-z\d]CN)\s?(?P<digits>\d{7}|\d{9})\s?(?P<kind>[ABCUYSD])\d?(?![A-Za-z\d])"
)
_PCT = re.compile(r"PCT/(?P<office>[A-Z]{2})(?P<year>(?:19|20)\d\d)/(?P<digits>\d{6})(?!\d)")
_WORLD = re.compile(
    r"WO(?<![A-Za-z\d]WO)\s?(?P<year>(?:19|20)\d\d)\s?/?\s?(?P<digits>\d{6})(?!\d)(?:\s?(?P<kind>A\d)(?![A-Za-z\d]))?"
)
_OFFICES = ("US", "EP", "JP", "KR", "DE")
_FOREIGN = re.compile(
    rf"(?P<office>{'|'.join(_OFFICES)})"
    r"(?<![A-Za-z\d]..)\s?(?P<digits>\d{1,2},\d{3},\d{3}|\d{1,2} \d{3} \d{3}"
    r"|(?:10-)?20\d\d-?\d{6,7}|\d{7,11})\s?(?P<kind>[ABCU]\d?)(?![A-Za-z\d])"
)
_AMERICAN = re.compile(
    r"(?:美国(?:发明|外观设计)?专利(?:号)?\s?(?:为|:)?\s?第?\s?(?:US)?|(?:US|U\.S\.) Patents? (?:No|Nos|Number)\.?\s?)"
    r"(?P<digits>\d{1,2},\d{3},\d{3})(?![\d,])(?:\s?号)?"
)


def check_digit(digits: str) -> str:
    """Compute the check digit of an application number (weights 2 to 9 and again 2 to 5, modulo 11, 10 is X)."""
    total = sum(int(digit) * (2 + place % 8) for place, digit in enumerate(digits))
    remainder = total % 11
    return "X" if remainder == 10 else str(remainder)


def find_patents(text: str) -> list[Fact]:
    """Find patent numbers, each mention.

    value: `normalized` (ZL201410123456.7, CN102345678B, PCT/CN2019/123456), `office`, `number_type` (grant,
    application, publication), `right` (invention, utility_model, design), `year` (of application), `check_valid`
    (None where the number has no check digit). A bare number needs a label, ZL or CN, or a right check digit.
    """
    folded = fold(text)
    facts: list[Fact] = []
    position = folded.find(".")
    while position >= 0:
        if (
            folded[position - 1 : position].strip().isdecimal()
            or folded[position - 2 : position - 1].isdecimal()
        ):
            facts += _read_application(text, folded, position)
        position = folded.find(".", position + 1)
    if "ZL" in folded or "专利号" in folded:
        facts += _find_undotted(text, folded)
    if "CN" in folded:
        for match in _PUBLISHED.finditer(folded):
            right, number_type = _KIND_CODES[match["kind"]]
            normalized = f"CN{match['digits']}{match['kind']}"
            value = _describe(normalized, "CN", number_type, right, None, None)
            facts.append(cite("patent", text, match.start(), match.end(), value, "publication number"))
    for pattern, number_type, mark in ((_PCT, "application", "PCT/"), (_WORLD, "publication", "WO")):
        for match in pattern.finditer(folded) if mark in folded else ():
            kind = "" if number_type == "application" else match["kind"] or ""
            office = f"PCT/{match['office']}" if number_type == "application" else "WO"
            normalized = f"{office}{match['year']}/{match['digits']}{kind}"
            value = _describe(normalized, "WO", number_type, "invention", int(match["year"]), None)
            facts.append(cite("patent", text, match.start(), match.end(), value, "international number"))
    facts += _find_foreign(text, folded)
    return without_overlaps(facts)


def _read_application(text: str, folded: str, point: int) -> list[Fact]:
    """Read the application number whose check digit stands behind the point."""
    match = _APPLICATION.search(folded, max(0, point - _LONGEST), point + 3)
    if match is None or match.start("check") <= point:
        return []
    before = _PREFIX.search(folded, max(0, match.start() - 20), match.start())
    label, prefix = (before["label"], before["prefix"]) if before else (None, None)
    start = before.start("prefix") if before and prefix else match.start()
    if start and _IN_A_WORD.match(folded, start - 1):
        return []
    digits, check = re.sub(r"\s", "", match["digits"]), match["check"].upper()
    valid = check_digit(digits) == check
    is_new = len(digits) == 12
    if not (label or prefix or (valid and is_new)):
        return []
    year = int(digits[:4]) if is_new else int(digits[:2]) + (1900 if digits[0] in "89" else 2000)
    granted = prefix == "ZL" or label == "专利号" or _GRANTED.match(folded, match.end()) is not None
    right = _RIGHTS.get(digits[4] if is_new else digits[2])
    normalized = f"{'ZL' if granted else 'CN'}{digits}.{check}"
    value = _describe(normalized, "CN", "grant" if granted else "application", right, year, valid)
    return [cite("patent", text, start, match.end(), value, "application number")]


def _find_undotted(text: str, folded: str) -> list[Fact]:
    facts = []
    for match in _UNDOTTED.finditer(folded):
        digits, check = match["digits"], match["check"].upper()
        if check_digit(digits) == check:
            year, right = int(digits[:4]), _RIGHTS[digits[4]]
            value = _describe(f"ZL{digits}.{check}", "CN", "grant", right, year, True)
            start = match.start() if match[0].startswith("ZL") else match.start("number")
            facts.append(cite("patent", text, start, match.end(), value, "grant number without point"))
    return facts


def _find_foreign(text: str, folded: str) -> list[Fact]:
    facts = []
    for match in _FOREIGN.finditer(folded) if any(office in folded for office in _OFFICES) else ():
        normalized = f"{match['office']}{re.sub('[ ,]', '', match['digits'])}{match['kind']}"
        number_type = "publication" if match["kind"][0] == "A" else "grant"
        value = _describe(normalized, match["office"], number_type, None, None, None)
        facts.append(cite("patent", text, match.start(), match.end(), value, "foreign number"))
    for match in _AMERICAN.finditer(folded) if "美国" in folded or "Patent" in folded else ():
        value = _describe(f"US{match['digits'].replace(',', '')}", "US", "grant", None, None, None)
        facts.append(cite("patent", text, match.start(), match.end(), value, "American grant number"))
    return facts


def _describe(
    normalized: str, office: str, number_type: str, right: str | None, year: int | None, valid: bool | None
) -> dict[str, Value]:
    return {
        "normalized": normalized,
        "office": office,
        "number_type": number_type,
        "right": right,
        "year": year,
        "check_valid": valid,
    }
