"""Sums of money, exact: 35万元, 人民币三百万元, 2.18 亿元, US$ 42,000, RMB 1.25 million.

Amounts are decimal strings, multiplied exactly; no float is involved.
"""

from __future__ import annotations

import re
from bisect import insort
from dataclasses import replace
from decimal import Decimal

from pipeline.legal.amount_roles import find_role
from pipeline.legal.fact import Fact, Value, cite, find_overlap
from pipeline.legal.folding import fold, has_english
from pipeline.legal.numerals import CHINESE_NUMERALS, read_chinese_integer, read_multiplier, write_decimal

_UNITS = {
    "人民币元": "CNY",
    "人民币": "CNY",
    "元": "CNY",
    "美元": "USD",
    "美金": "USD",
    "欧元": "EUR",
    "英镑": "GBP",
    "日元": "JPY",
    "港元": "HKD",
    "港币": "HKD",
    "韩元": "KRW",
    "新台币": "TWD",
    "澳元": "AUD",
    "加元": "CAD",
    "瑞士法郎": "CHF",
    "新加坡元": "SGD",
    "澳大利亚元": "AUD",
    "加拿大元": "CAD",
    "新西兰元": "NZD",
    "澳门元": "MOP",
    "卢布": "RUB",
    "泰铢": "THB",
    "越南盾": "VND",
    "印度卢比": "INR",
}
_PREFIXES = {
    "人民币": "CNY",
    "RMB": "CNY",
    "CNY": "CNY",
    "¥": "CNY",
    "US$": "USD",
    "USD": "USD",
    "美元": "USD",
    "HK$": "HKD",
    "HKD": "HKD",
    "港币": "HKD",
    "NT$": "TWD",
    "新台币": "TWD",
    "EUR": "EUR",
    "€": "EUR",
    "欧元": "EUR",
    "GBP": "GBP",
    "£": "GBP",
    "JPY": "JPY",
    "日元": "JPY",
    # Which dollar a bare sign means, the text doesn't say.
    "$": None,
}
_ENGLISH_UNITS = {
    "yuan": "CNY",
    "rmb": "CNY",
    "renminbi": "CNY",
    "cny": "CNY",
    "us dollars": "USD",
    "u.s. dollars": "USD",
    "usd": "USD",
    "euros": "EUR",
    "euro": "EUR",
    "british pounds": "GBP",
    "hong kong dollars": "HKD",
    "japanese yen": "JPY",
    "yen": "JPY",
    "dollars": None,
}
_SCALES = {
    "thousand": 3,
    "million": 6,
    "billion": 9,
    "trillion": 12,
    "mn": 6,
    "bn": 9,
    "k": 3,
    "m": 6,
    "b": 9,
}

_ARABIC = r"(?:\d{1,3}(?:,\d{3}){1,4}(?!\d)|\d{1,15})(?:\.\d{1,6})?"
_SCALE = r"(?:万亿|百亿|千万|百万|十万|亿|万|千|百)"
_DIGIT = "一二三四五六七八九两壹贰叁肆伍陆柒捌玖"
_CHINESE = rf"[{_DIGIT}十拾][零{_DIGIT}十百千万亿拾佰仟]{{0,23}}"
_LONGEST = 34  # characters of a number before its unit
_UNIT = (
    r"(?P<unit>人民币元|人民币|美元|美金|欧元|英镑|日元|港元|港币|韩元|新台币|澳元|加元|瑞士法郎|新加坡元|澳大利亚元"
    r"|加拿大元|新西兰元|澳门元|卢布|泰铢|越南盾|印度卢比"
    r"|元(?![旦素件组月里论宵勋老首帅朝代年音器数谋典宝曲始气凶店]))(?P<whole>整|人民币)?"
)
_WITH_UNIT = re.compile(
    rf"(?<![\d.,A-Za-z第])(?<!\d，)(?P<number>{_ARABIC})\s?(?P<odd>余|多)?\s?(?P<scale>{_SCALE})?"
    rf"(?P<second>\d{{1,4}}(?:\.\d{{1,4}})?)?(?P<second_scale>千万|百万|万|千)?(?P<odd_after>余|多)?\s?{_UNIT}"
    rf"|(?<![{_DIGIT}零十百千万亿数几第.\d])(?<!(?<!以)上)(?P<chinese>{_CHINESE})\s?(?P<chinese_odd>余|多)?"
    r"(?P<chinese_scale>千万|百万|万|亿)?"
    rf"(?P<chinese_odd_after>余|多)?\s?"
    + _UNIT.replace("?P<unit>", "?P<chinese_unit>").replace("?P<whole>", "?:")
)
_UNIT_WORD = re.compile("|".join(sorted(_UNITS, key=len, reverse=True)))
# What a number before a unit is made of: a unit without any of it before it is no money.
_OF_A_NUMBER = frozenset(f"0123456789., 余多{CHINESE_NUMERALS}")
_CENTS = re.compile(
    rf"(?:(?P<tenths>[1-9{_DIGIT}])角)?(?:零?(?P<hundredths>[1-9{_DIGIT}])分(?![之钟别歧]))?(?<=[角分])整?"
)
# 判赔9100万, as headlines print it: money, but of which country they don't say.
_BARE = re.compile(
    r"(?:判赔|获赔|索赔|赔偿|赔付|罚款|罚金|罚没款?)(?:总额|金额|合计|共计|高达|超过|[了共达近约超逾])*\s?"
    rf"(?P<amount>(?P<number>{_ARABIC})\s?(?P<scale>千万|百万|亿|万)(?P<odd>余|多)?|(?P<chinese>{_CHINESE})(?<=[万亿]))"
    r"(?=[，。；、！？：!?:;,\s)”》的]|案|$)"
)
_PREFIX = r"(?:人民币|RMB|CNY|US\$|USD|HK\$|HKD|NT\$|EUR|GBP|JPY|美元|港币|新台币|欧元|日元|¥|\$|€|£)"
_PREFIX_BEFORE = re.compile(rf"(?<![A-Za-z])(?P<prefix>{_PREFIX})\s?[¥$]?\s?$")
_WITH_PREFIX = re.compile(
    rf"(?P<prefix>{_PREFIX})\s?[¥$]?\s?(?P<number>{_ARABIC})(?!\d|[, ]\d{{3}}(?!\d))"
    rf"(?:\s?(?P<word>(?i:thousand|million|billion|trillion|mn|bn)|(?<=\d)(?i:[mkb]))\b|\s?(?P<scale>{_SCALE}))?"
    r"(?:\s?(?i:yuan|dollars)\b|\s?元)?"
)
_ENGLISH = re.compile(
    rf"(?<![\d.,A-Za-z$¥€£])(?P<number>{_ARABIC})\s?-?(?P<word>(?i:thousand|million|billion|trillion|mn|bn)\b)?\s?-?"
    r"(?P<unit>(?i:yuan|rmb|renminbi|cny|us dollars|u\.s\. dollars|usd|euros?|british pounds"
    r"|hong kong dollars|japanese yen|yen|dollars))\b"
)
_ENGLISH_UNIT = re.compile(r"[Yy]uan|RMB|[Rr]enminbi|CNY|[Dd]ollars|[Ee]uro|[Pp]ounds|[Yy]en|USD")
_LONGEST_ENGLISH = 40
_LINKS = tuple("、至到-~和及 ")
_ENUMERATED = re.compile(rf"(?:{_ARABIC}\s?{_SCALE}?元?\s?(?:、|至|到|-|~|和|及)\s?){{1,9}}$")
_MEMBER = re.compile(
    rf"(?P<number>{_ARABIC})\s?(?P<scale>{_SCALE})?(?P<yuan>元)?\s?(?P<joint>、|至|到|-|~|和|及)"
)
_MARKS = (
    *"元镑币郎铢¥$€£赔罚",
    "卢布",
    "卢比",
    "越南盾",
    "美金",
    "RMB",
    "CNY",
    "USD",
    "HKD",
    "EUR",
    "GBP",
    "JPY",
)
_QUALIFIED_BEFORE = (
    (re.compile(r"(?:不低于|不少于|不小于|至少|最低|起码)\s?$"), "at_least"),
    (
        re.compile(
            r"(?:不超过|不高于|不多于|至多|最多|最高(?:可达|可处|可为|可|为|达|奖励|资助|补助|补贴|给予)?"
            r"|不足|低于|少于|不到|未达|上限为)(?:了)?\s?$"
        ),
        "at_most",
    ),
    (re.compile(r"(?:超过|超出|突破|高于|大于|多于|超|逾)(?:了)?\s?$"), "over"),
    (re.compile(r"(?:大约|约合|约|将近|接近|近)(?:为)?\s?$"), "about"),
    (
        re.compile(r"(?i:up to|no more than|not more than|at most|not exceeding|less than|under|below)\s$"),
        "at_most",
    ),
    (re.compile(r"(?i:at least|no less than|not less than|a minimum of)\s$"), "at_least"),
    (re.compile(r"(?i:more than|over|exceeding|in excess of|above)\s$"), "over"),
    (re.compile(r"(?i:about|approximately|around|nearly|almost|roughly|some)\s$"), "about"),
)
# The last characters of those words; hardly any sum has one before it.
_QUALIFIER_END = re.compile(r"[于少小低码过多高达可处为励助贴予足到出破超逾约合近了a-zA-Z]\s?$")
_QUALIFIED_AFTER = (
    (re.compile(r"\s?(?:人民币)?(?:以上|及以上|起)(?![诉草])"), "at_least"),
    (re.compile(r"\s?(?:人民币)?(?:以下|以内|之内)"), "at_most"),
    (re.compile(r"\s?(?:左右|上下)"), "about"),
)
_CONVERTED = re.compile(
    r"\s?\(\s?(?:约合|折合|约|合|即|相当于|按.{0,12}折合|(?i:about|approximately|around|or"
    r"|equivalent to))?\s?(?:人民币)?\s?$"
)


def find_amounts(text: str) -> list[Fact]:
    """Find the sums of money of a text.

    value: `amount` (exact decimal string), `currency` (ISO 4217, None where a bare $ leaves it open), `qualifier`
    (over, about, at_most, at_least), `role` (claimed, awarded, fine, reasonable_expenses, turnover),
    `converted` and `converted_currency` (the conversion that follows in brackets), `is_conversion` (true for the
    bracketed sum itself, so that nobody adds it twice). Of 30余万元 the amount is 300000 with `over`.
    """
    folded = fold(text)
    english = has_english(folded)
    if not english and not any(mark in folded for mark in _MARKS):
        return []
    facts: list[Fact] = []
    position = 0
    for unit in _UNIT_WORD.finditer(folded):
        start = unit.start()
        least = max(position, start - _LONGEST)
        while start > least and folded[start - 1] in _OF_A_NUMBER:
            start -= 1
        match = _WITH_UNIT.search(folded, start, unit.end() + 5) if start < unit.start() else None
        if match:
            position = match.end()
            facts += _read_with_unit(text, folded, match)
    facts += _read_others(text, folded, facts, english=english)
    facts.sort(key=lambda fact: fact.start)
    return _tie_ranges(_tie_conversions(facts, folded), folded)


def _read_with_unit(text: str, folded: str, match: re.Match[str]) -> list[Fact]:
    if match["chinese"]:
        number = _read_chinese(match, folded)
        unit, odd = match["chinese_unit"], match["chinese_odd"] or match["chinese_odd_after"]
    else:
        number = _scale(match["number"], match["scale"])
        if match["second"]:
            if match["scale"] not in ("亿", "万") or not match["second_scale"]:
                return []
            number += _scale(match["second"], match["second_scale"])
        elif match["second_scale"]:
            return []
        unit, odd = match["unit"], match["odd"] or match["odd_after"]
    if number is None:
        return []
    start, end, currency = match.start(), match.end(), _UNITS[unit]
    cents = _CENTS.match(folded, end) if unit == "元" else None
    if cents:
        number += _read_cents(cents)
        end = cents.end()
    facts = []
    if not match["chinese"]:
        linked = folded[start - 1 : start] in _LINKS
        listed = _ENUMERATED.search(folded, max(0, start - 60), start) if linked else None
        if listed and folded[listed.start() - 1 : listed.start()] not in tuple("0123456789.,第年月-"):
            facts = _read_members(text, folded, listed, match["scale"], currency)
    if facts:
        return [*facts, _describe(text, folded, start, end, number, currency, odd, "list or range")]
    prefix = _PREFIX_BEFORE.search(folded, max(0, start - 6), start)
    if prefix:
        start = prefix.start()
        if unit == "元":
            currency = _PREFIXES[prefix["prefix"]] or currency
    return [_describe(text, folded, start, end, number, currency, odd, "number with unit")]


def _read_cents(match: re.Match[str]) -> Decimal:
    """Read 捌角玖分 as 0.89."""
    digits = (
        read_chinese_integer(raw) if raw and not raw.isdecimal() else int(raw or 0) for raw in match.groups()
    )
    return sum(
        (Decimal(digit or 0).scaleb(-place) for place, digit in enumerate(digits, start=1)), Decimal(0)
    )


def _read_chinese(match: re.Match[str], folded: str) -> Decimal | None:
    scale = match["chinese_scale"]
    value = read_chinese_integer(match["chinese"])
    if value is None:
        return None
    if value < 10 and not scale and match["chinese_unit"] == "元":
        # 三元 is a company and 二元 a word; 三元， and 三元整 are money.
        following = folded[match.end() : match.end() + 1]
        if (
            following
            and following not in "，。；、）),;.的以及和/每钱"
            and not match[0].endswith(("整", "币"))
        ):
            return None
    return _scale(str(value), scale)


def _scale(number: str, scale: str | None) -> Decimal:
    return Decimal(number.replace(",", "")).scaleb(read_multiplier(scale or ""))


def _read_members(
    text: str, folded: str, listed: re.Match[str], last_scale: str | None, currency: str | None
) -> list[Fact]:
    """Read the numbers before the last one of 3万、5万元 or 10-50万元, which share its unit."""
    facts = []
    for member in _MEMBER.finditer(folded, listed.start(), listed.end()):
        scale = member["scale"]
        if member["yuan"]:
            # Complete amounts are found on their own.
            continue
        if scale is None:
            if member["joint"] in "、和及":
                return []
            scale = last_scale
        end = member.end("scale") if member["scale"] else member.end("number")
        number = _scale(member["number"], scale)
        facts.append(_describe(text, folded, member.start(), end, number, currency, None, "list or range"))
    return facts


def _read_others(text: str, folded: str, found: list[Fact], *, english: bool) -> list[Fact]:
    """Read the sums with a sign before them, with an English unit, and those whose unit nobody prints."""
    facts: list[Fact] = []
    taken = sorted((fact.start, fact.end) for fact in found)
    for match in _WITH_PREFIX.finditer(folded) if any(prefix in folded for prefix in _PREFIXES) else ():
        before, behind = (
            folded[max(0, match.start() - 1) : match.start()],
            folded[match.end() : match.end() + 1],
        )
        if (before.isascii() and before.isalpha()) or find_overlap(taken, *match.span()):
            continue
        if not match["word"] and behind.isascii() and behind.isalpha():
            continue
        number = _scale_by(match["number"], match["word"], match["scale"])
        insort(taken, match.span())
        currency = _PREFIXES[match["prefix"]]
        facts.append(
            _describe(text, folded, *match.span(), number, currency, None, "number with currency sign")
        )
    for unit in _ENGLISH_UNIT.finditer(folded) if english else ():
        found_before = _ENGLISH.search(folded, max(0, unit.start() - _LONGEST_ENGLISH), unit.end() + 1)
        if found_before is None or find_overlap(taken, *found_before.span()):
            continue
        number = _scale_by(found_before["number"], found_before["word"], None)
        insort(taken, found_before.span())
        currency = _ENGLISH_UNITS[found_before["unit"].lower()]
        facts.append(
            _describe(text, folded, *found_before.span(), number, currency, None, "number with English unit")
        )
    for bare in _BARE.finditer(folded) if "赔" in folded or "罚" in folded else ():
        start, end = bare.span("amount")
        whole = read_chinese_integer(bare["chinese"]) if bare["chinese"] else None
        if find_overlap(taken, start, end) or (bare["chinese"] and whole is None):
            continue
        number = Decimal(whole) if whole is not None else _scale(bare["number"], bare["scale"])
        facts.append(
            _describe(text, folded, start, end, number, None, bare["odd"], "number behind a payment")
        )
    return facts


def _scale_by(number: str, word: str | None, scale: str | None) -> Decimal:
    exponent = _SCALES[word.lower()] if word else read_multiplier(scale or "")
    return Decimal(number.replace(",", "")).scaleb(exponent)


def _describe(
    text: str,
    folded: str,
    start: int,
    end: int,
    number: Decimal,
    currency: str | None,
    odd: str | None,
    method: str,
) -> Fact:
    value: dict[str, Value] = {
        "amount": write_decimal(number),
        "currency": currency,
        "qualifier": "over" if odd else _qualify(folded, start, end),
        "role": find_role(folded, start, end),
        "converted": None,
        "converted_currency": None,
        "is_conversion": False,
    }
    return cite("amount", text, start, end, value, method)


def _qualify(folded: str, start: int, end: int) -> str | None:
    before = folded[max(0, start - 16) : start].removesuffix("人民币")
    if _QUALIFIER_END.search(before, max(0, len(before) - 2)):
        for pattern, qualifier in _QUALIFIED_BEFORE:
            if pattern.search(before):
                return qualifier
    for pattern, qualifier in _QUALIFIED_AFTER:
        if pattern.match(folded, end):
            return qualifier
    return None


def _tie_conversions(facts: list[Fact], folded: str) -> list[Fact]:
    tied = list(facts)
    for index in range(1, len(tied)):
        main, other = tied[index - 1], tied[index]
        if main.value["currency"] == other.value["currency"] or main.value["is_conversion"]:
            continue
        if other.start - main.end <= 24 and _CONVERTED.fullmatch(folded, main.end, other.start):
            sums = {"converted": other.value["amount"], "converted_currency": other.value["currency"]}
            tied[index - 1] = replace(main, value=main.value | sums)
            tied[index] = replace(
                other, value=other.value | {"is_conversion": True, "role": main.value["role"]}
            )
    return tied


def _tie_ranges(facts: list[Fact], folded: str) -> list[Fact]:
    """Give the end of a range (四万元至三十五万元) the role of its beginning."""
    tied = list(facts)
    for index in range(1, len(tied)):
        first, last = tied[index - 1], tied[index]
        if last.value["role"] is None and folded[first.end : last.start].strip() in ("至", "到", "-", "~"):
            tied[index] = replace(last, value=last.value | {"role": first.value["role"]})
    return tied
