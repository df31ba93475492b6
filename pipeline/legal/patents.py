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
_APPLICATION = re.compile(
    r"(?<![A-Za-z\d.])(?:(?P<label>专利号|申请号|(?i:application no\.?|patent no\.?))\s?(?:为|是|:)?\s?)?"
    r"(?P<number>(?P<prefix>ZL|CN)?\s?(?P<digits>(?:19[89]|20[0-4])\d\s?[12389]\s?\d{7}|(?<=[L N号为:])"
    r"(?:8[5-9]|9\d|0[0-3])[1238]\d{5})\s?\.\s?(?P<check>[\dXx]))"
    r"(?![\dA-Za-z])"
)
_UNDOTTED = re.compile(
    r"(?<![A-Za-z\d])(?:ZL\s?|专利号\s?(?:为|是|:)?\s?(?:ZL)?)((?:19[89]|20[0-4])\d[12389]\d{7})([\dXx])"
    r"(?![\d.A-Za-z*])"
)
_PUBLISHED = re.compile(r"(?<![A-Za-z\d])CN\s?(?P<digits>\d{7}|\d{9})\s?(?P<kind>[ABCUYSD])\d?(?![A-Za-z\d])")
_PCT = re.compile(r"(?<![A-Za-z\d])PCT/(?P<office>[A-Z]{2})(?P<year>(?:19|20)\d\d)/(?P<digits>\d{6})(?!\d)")
_WORLD = re.compile(
    r"(?<![A-Za-z\d])WO\s?(?P<year>(?:19|20)\d\d)/(?P<digits>\d{6})(?!\d)(?:\s?(?P<kind>A\d))?"
)
_FOREIGN = re.compile(
    r"(?<![A-Za-z\d])(?P<office>US|EP|JP|KR|DE)\s?(?P<digits>\d{1,2},\d{3},\d{3}|\d{7,11})\s?"
    r"(?P<kind>[ABCU]\d?)(?![A-Za-z\d])"
)
_POINT = re.compile(r"\d{5}\s?\.\s?[\dXx]")
_UNPOINTED = re.compile(r"\d{12}[\dXx]")
_FOREIGN_HINT = re.compile(r"(?:US|EP|JP|KR|DE)\s?\d")


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
    for point in _POINT.finditer(folded):
        # Points behind five digits are rare: look for the number around each, at most 30 characters before it.
        match = _APPLICATION.search(folded, max(0, point.start() - 30), point.end() + 1)
        fact = _read_application(text, match) if match and match.end() == point.end() else None
        if fact:
            facts.append(fact)
    if _UNPOINTED.search(folded):
        for match in _UNDOTTED.finditer(folded):
            digits, check = match[1], match[2].upper()
            if check_digit(digits) == check:
                value = _describe(
                    f"ZL{digits}.{check}", "CN", "grant", _RIGHTS[digits[4]], int(digits[:4]), True
                )
                facts.append(
                    cite("patent", text, match.start(), match.end(), value, "grant number without point")
                )
    if "CN" in folded:
        for match in _PUBLISHED.finditer(folded):
            right, number_type = _KIND_CODES[match["kind"]]
            normalized = f"CN{match['digits']}{match['kind']}"
            value = _describe(normalized, "CN", number_type, right, None, None)
            facts.append(cite("patent", text, match.start(), match.end(), value, "publication number"))
    if "PCT/" in folded or "WO" in folded:
        for pattern in (_PCT, _WORLD):
            for match in pattern.finditer(folded):
                normalized = match[0].replace(" ", "")
                number_type = "application" if pattern is _PCT else "publication"
                value = _describe(normalized, "WO", number_type, "invention", int(match["year"]), None)
                facts.append(cite("patent", text, match.start(), match.end(), value, "international number"))
    for match in _FOREIGN.finditer(folded) if _FOREIGN_HINT.search(folded) else ():
        normalized = f"{match['office']}{match['digits'].replace(',', '')}{match['kind']}"
        number_type = "publication" if match["kind"][0] == "A" else "grant"
        value = _describe(normalized, match["office"], number_type, None, None, None)
        facts.append(cite("patent", text, match.start(), match.end(), value, "foreign number"))
    return without_overlaps(facts)


def _read_application(text: str, match: re.Match[str]) -> Fact | None:
    digits, check = match["digits"].replace(" ", ""), match["check"].upper()
    valid = check_digit(digits) == check
    if not (valid or match["label"] or match["prefix"]):
        return None
    is_new = len(digits) == 12
    year = int(digits[:4]) if is_new else int(digits[:2]) + (1900 if digits[0] in "89" else 2000)
    granted = match["prefix"] == "ZL" or match["label"] == "专利号"
    prefix = "ZL" if granted else "CN"
    right = _RIGHTS.get(digits[4] if is_new else digits[2])
    value = _describe(
        f"{prefix}{digits}.{check}", "CN", "grant" if granted else "application", right, year, valid
    )
    return cite("patent", text, match.start("number"), match.end("number"), value, "application number")


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
