"""Numbers of registers beside patents and trademarks: copyright registrations and plant varieties."""

from __future__ import annotations

import re

from pipeline.legal.fact import Fact, Value, cite
from pipeline.legal.folding import fold

_CERTIFICATE = re.compile(r"软著登字第?\s?(?P<serial>\d{5,8})\s?号")
_SOFTWARE = re.compile(r"(?:19|20)(?<![A-Za-z\d]..)\d\dSR(?P<serial>\d{6,7})(?!\d)")
# Since 2012 国作登字-2020-F-01234567; before, with the number of the province: 浙作登字11-2010-F-14787.
_WORK = re.compile(
    r"(?P<office>[国京津冀晋蒙内辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川黔贵云滇藏陕甘青宁新])作登字\s?[-:]?\s?"
    r"(?P<province>\d\d-)?(?P<year>20\d\d)-(?P<form>[A-L])-(?P<serial>\d{3,8})(?!\d)号?"
)
_VARIETY = re.compile(
    r"CNA(?<![A-Za-z\d]CNA)\s?(?P<digits>(?P<year>(?:199|20\d)\d)\d{4,7})(?:\.(?P<check>[\dX]))?(?![\dA-Za-z])"
)


def find_copyright_registrations(text: str) -> list[Fact]:
    """Find copyright registration numbers; value: `normalized`, `year` (None where the number has none), `type`."""
    folded = fold(text)
    facts: list[Fact] = []
    value: dict[str, Value]
    if "软著登字" in folded:
        for match in _CERTIFICATE.finditer(folded):
            value = {"normalized": f"软著登字第{match['serial']}号", "year": None, "type": "software"}
            facts.append(
                cite(
                    "copyright_registration", text, match.start(), match.end(), value, "software certificate"
                )
            )
    if "SR" in folded:
        for match in _SOFTWARE.finditer(folded):
            value = {"normalized": match[0], "year": int(match[0][:4]), "type": "software"}
            facts.append(
                cite("copyright_registration", text, match.start(), match.end(), value, "software number")
            )
    if "作登字" in folded:
        for match in _WORK.finditer(folded):
            province = match["province"] or ""
            number = f"{match['office']}作登字-{province}{match['year']}-{match['form']}-{match['serial']}"
            value = {"normalized": number, "year": int(match["year"]), "type": "work"}
            facts.append(
                cite("copyright_registration", text, match.start(), match.end(), value, "work number")
            )
    return facts


def find_plant_varieties(text: str) -> list[Fact]:
    """Find plant variety numbers (CNA20140123.4, CNA20191001234); value: `normalized`, `year`."""
    folded = fold(text)
    if "CNA" not in folded:
        return []
    facts = []
    for match in _VARIETY.finditer(folded):
        number = f"CNA{match['digits']}" + (f".{match['check']}" if match["check"] else "")
        value: dict[str, Value] = {"normalized": number, "year": int(match["year"])}
        facts.append(cite("plant_variety", text, match.start(), match.end(), value, "plant variety number"))
    return facts
