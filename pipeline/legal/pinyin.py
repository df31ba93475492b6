"""Case numbers as English texts write them, in pinyin: (2022) Yue 0192 Min Chu No. 2187."""

from __future__ import annotations

import re

from pipeline.legal.case_numbers import PINYIN_OF_COURTS, case_types, describe_case
from pipeline.legal.court_codes import PROVINCES, divisions, find_court, special_courts
from pipeline.legal.fact import Fact, cite
from pipeline.legal.folding import fold


def _squeeze(pinyin: str) -> str:
    """Write Min Chu, Minchu and MIN CHU the same."""
    return re.sub(r"\s", "", pinyin).lower()


_TYPES_IN_PINYIN: dict[str, list[str]] = {}
for _code, _kind in case_types().items():
    _TYPES_IN_PINYIN.setdefault(_squeeze(_kind.pinyin), []).append(_code)
_COURTS_IN_PINYIN: dict[str, list[str]] = {}
for _code, _spelling in PINYIN_OF_COURTS.items():
    _COURTS_IN_PINYIN.setdefault(_squeeze(_spelling), []).append(_code)
_COURTS_IN_PINYIN["shaan"] = ["陕"]
_IN_PINYIN = re.compile(
    r"\(\s?((?:19[5-9]|20\d)\d)\s?\)\s?(Zui ?[Gg]ao ?[Ff]a|[A-Z][a-z]{0,5})\s?(\d{4}|\d\d)?\s?"
    r"([A-Z][a-z]+(?:\s?[A-Z][a-z]+){0,6})\s?,?\s?No(?:s?\.|s)?\s?(\d{1,9})((?:\s?(?:,|and|&"
    r"|, and)\s?\d{1,9}(?!\d|\.\d)){0,20})",
)
_MORE_IN_PINYIN = re.compile(r"\d{1,9}")


def find_in_pinyin(text: str) -> list[Fact]:
    """Find case numbers in English texts: (2022) Yue 0192 Min Chu No. 2187; values as in find_case_numbers.

    Pinyin is poorer than the code: Jin is 津 or 晋, Xing is 刑 or 行. What it leaves open is None, and
    then `normalized` is None too; `pinyin` is always there.
    """
    folded = fold(text)
    if "No" not in folded:
        return []
    facts = []
    for match in _IN_PINYIN.finditer(folded):
        head = _squeeze(match[2])
        types = _TYPES_IN_PINYIN.get(_squeeze(match[4])) or _TYPES_IN_PINYIN.get(
            _squeeze(match[4]).removesuffix("zi")
        )
        if head not in _COURTS_IN_PINYIN or types is None:
            continue
        digits = match[3] or ""
        courts = [name + digits for name in _COURTS_IN_PINYIN[head]]
        if len(courts) > 1:
            courts = [code for code in courts if _has_division(code)] or courts
        court_code = courts[0] if len(courts) == 1 else None
        if court_code == "京73" or (court_code == "最高法" and match[4].startswith("Zhi")):
            # Neither the Beijing IP court nor the IP tribunal hears criminal cases.
            types = [code for code in types if "刑" not in code] or types
        type_code = types[0] if len(types) == 1 else None
        kinds = {case_types()[code].kind for code in types}
        instances = {case_types()[code].instance for code in types}
        value = describe_case(
            year=int(match[1]),
            court_code=court_code or "",
            type_code=type_code or "",
            kind=kinds.pop() if len(kinds) == 1 else None,
            instance=instances.pop() if len(instances) == 1 else None,
            court=find_court(court_code) if court_code else None,
        )
        value |= {"court_code": court_code, "type_code": type_code}
        spelled = f"{PINYIN_OF_COURTS[_COURTS_IN_PINYIN[head][0]]} {digits}".strip()
        places = [(match.start(), match.end(5))]
        places += [part.span() for part in _MORE_IN_PINYIN.finditer(folded, match.start(6), match.end(6))]
        for number, (start, end) in enumerate(places):
            serial = int(match[5]) if number == 0 else int(folded[start:end])
            described = value | {
                "serial": serial,
                "pinyin": f"({match[1]}) {spelled} {case_types()[types[0]].pinyin} No. {serial}",
            }
            if court_code and type_code:
                described["normalized"] = f"（{match[1]}）{court_code}{type_code}{serial}号"
            facts.append(cite("case_number", text, start, end, described, "pinyin"))
    return facts


def _has_division(code: str) -> bool:
    """Say whether a court of this code is known; a bare province always is."""
    return code[1:] == "" or code in special_courts() or PROVINCES[code[0]][0] + code[1:] in divisions()
