"""The fields of an expression, and how the value of each is read.

A reader raises ValueError (AskedError is one) with a sentence for a value that can't be meant.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from pipeline.expression.conditions import (
    Condition,
    FactTest,
    FromSources,
    HasFact,
    InLanguage,
    OneOf,
    OnTopics,
    PublishedBy,
    PublishedOn,
)
from pipeline.expression.lexemes import plain_form
from pipeline.expression.widening import simplify, widen
from pipeline.legal.asked import (
    read_asked_amount,
    read_asked_case,
    read_asked_court,
    read_asked_document,
    read_asked_statute,
)
from pipeline.legal.court_codes import PROVINCES, region_of
from pipeline.legal.fact_key import fact_key, squash
from pipeline.legal.folding import fold
from pipeline.legal.ip_types import IP_TYPES, read_ip_type
from pipeline.legal.notice_kinds import NOTICE_KINDS
from pipeline.legal.outcomes import OUTCOMES
from pipeline.legal.patents import find_patents

_LISTED = re.compile(r"[,，、]")
_RANGE = re.compile(r"(.*?)\.\.(.*)")
_LEVELS = {
    "supreme": "supreme", "high": "high", "intermediate": "intermediate", "basic": "basic",
    "最高": "supreme", "高级": "high", "高院": "high", "中级": "intermediate", "中院": "intermediate", "基层": "basic",
}  # fmt: skip
_LANGUAGES = {"zh": "zh", "chinese": "zh", "中文": "zh", "en": "en", "english": "en", "英文": "en"}
_CURRENCIES = {
    "元": "CNY", "人民币": "CNY", "人民币元": "CNY", "rmb": "CNY", "yuan": "CNY", "¥": "CNY", "美元": "USD",
    "us$": "USD", "欧元": "EUR", "€": "EUR", "英镑": "GBP", "£": "GBP", "日元": "JPY", "港元": "HKD", "港币": "HKD",
    "hk$": "HKD", "韩元": "KRW", "新台币": "TWD", "nt$": "TWD", "瑞士法郎": "CHF",
}  # fmt: skip
_NUMERAL = "\\d一二三四五六七八九十百千万亿两零〇"
_SUM = re.compile(rf"(?P<before>[^{_NUMERAL}]*)(?P<number>.*[{_NUMERAL}])(?P<behind>[^{_NUMERAL}]*)")
_DAY = re.compile(r"(?P<year>(?:19|20)\d\d)(?:[-/年](?P<month>\d{1,2})(?:[-/月](?P<day>\d{1,2})日?|月)?|年)?")

Reader = Callable[[str, str], Condition]


@dataclass(frozen=True, slots=True)
class Field:
    """A field: what it asks for, an example, whether it is compared (`>=`), and how a value is read.

    `listed`: several values with commas between them, one of which is enough.
    """

    about: str
    example: str
    read: Reader
    compared: bool = False
    listed: bool = True


def _case(value: str, _: str) -> Condition:
    asked = read_asked_case(value)
    tests = [FactTest("case_number", keys=asked.keys)]
    tests += [FactTest("case_number", values=(("pinyin", spelled),)) for spelled in sorted(asked.pinyin)]
    return HasFact(tuple(tests))


def _court(value: str, _: str) -> Condition:
    asked = read_asked_court(value)
    tests = [FactTest(kind, courts=asked.names) for kind in ("court", "case_number") if asked.names]
    if asked.chambers:
        tests.append(FactTest("court", keys=asked.chambers))
    return HasFact(tuple(tests))


def _document(value: str, _: str) -> Condition:
    keys = read_asked_document(value)
    if not all(keys):
        raise ValueError("A document needs its number, such as 法释〔2021〕4号.")
    # A number without its issuer (公告第675号) may be that of any issuer.
    ends = tuple(key for key in sorted(keys) if key.startswith(("公告", "通告")))
    return HasFact((FactTest("document_number", keys=keys, ends=ends),))


def _statute(value: str, _: str) -> Condition:
    tests = []
    for title, article in sorted(read_asked_statute(value).titles, key=str):
        values = (("article", article),) if article is not None else ()
        tests.append(FactTest("statute", keys=frozenset((title,)), values=values))
    if not all(test.keys and all(test.keys) for test in tests):
        raise ValueError("A statute needs its title, such as 专利法.")
    return HasFact(tuple(tests))


def _party(value: str, _: str) -> Condition:
    name = squash(value)
    if not name:
        raise ValueError("A party needs a name, or a part of one.")
    return HasFact((FactTest("party", contains=name),))


def _patent(value: str, _: str) -> Condition:
    found = {fact_key(fact.kind, fact.value).key for fact in find_patents(value)}
    keys = frozenset(key for key in found if key) or frozenset((squash(value),))
    if not all(keys):
        raise ValueError("A patent needs its number, such as ZL201410123456.7.")
    return HasFact((FactTest("patent", keys=keys),))


def _one_of(kind: str, known: tuple[str, ...]) -> Reader:
    def read(value: str, _: str) -> Condition:
        asked = value.strip().lower()
        if asked not in known:
            raise ValueError(f"{value!r} is no {kind.replace('_', ' ')}; there are {', '.join(known)}.")
        return HasFact((FactTest(kind, keys=frozenset((asked,))),))

    return read


def _ip_type(value: str, _: str) -> Condition:
    ip_type = read_ip_type(value)
    if ip_type is None:
        raise ValueError(f"{value!r} is no ip type; there are {', '.join(IP_TYPES)}.")
    return HasFact((FactTest("ip_type", keys=frozenset((ip_type,))),))


def _level(value: str, _: str) -> Condition:
    level = _LEVELS.get(value.strip().lower())
    if level is None:
        raise ValueError(f"{value!r} is no level of a court; there are supreme, high, intermediate, basic.")
    return _of_court("level", level)


@cache
def _regions() -> dict[str, str]:
    """The provinces by every way of writing them."""
    regions = {"inner mongolia": "内蒙古"}
    for short, (_code, chinese, english) in PROVINCES.items():
        name, small = region_of(chinese), english.lower()
        regions |= dict.fromkeys((short, chinese, name, small, small.removesuffix(" province")), name)
        if not small.startswith("inner"):
            regions[small.partition(" ")[0]] = name
    return regions


def _region(value: str, _: str) -> Condition:
    region = _regions().get(simplify(value.strip()).lower())
    if region is None:
        raise ValueError(f"{value!r} is no province that can be read; write 广东 or Guangdong.")
    return _of_court("region", region)


def _of_court(part: str, wanted: str) -> Condition:
    return HasFact(
        (
            FactTest("court", values=((part, wanted),)),
            FactTest("case_number", values=((f"court_{part}", wanted),)),
        )
    )


def _source(value: str, _: str) -> Condition:
    return FromSources((value.strip(),))


def _publisher(value: str, _: str) -> Condition:
    if not value.strip():
        raise ValueError("A publisher needs a name, or a part of one.")
    return PublishedBy(widen(value.strip()))


def _topic(value: str, _: str) -> Condition:
    return OnTopics((value.strip(),))


def _language(value: str, _: str) -> Condition:
    language = _LANGUAGES.get(value.strip().lower())
    if language is None:
        raise ValueError(f"{value!r} is no language that can be told; there are zh and en.")
    return InLanguage(language)


def _amount(value: str, operator: str) -> Condition:
    borders = _RANGE.fullmatch(value)
    if borders and operator == ":":
        (least, currency), (most, other) = (
            _sum(part) if part.strip() else (None, None) for part in borders.groups()
        )
        if least is not None and most is not None and least > most:
            raise ValueError(
                f"No sum lies between {borders[1]} and {borders[2]}: they are in the wrong order."
            )
        if currency and other and currency != other:
            raise ValueError("Both ends of a range are sums of one currency.")
        if least is None and most is None:
            raise ValueError("A range of sums needs an end, such as 100万..500万.")
        test = FactTest("amount", least=least, most=most)
        currency = currency or other
    else:
        number, currency = _sum(value)
        test = {
            ":": FactTest("amount", least=number, most=number),
            ">=": FactTest("amount", least=number),
            ">": FactTest("amount", least=number, least_counts=False),
            "<=": FactTest("amount", most=number),
            "<": FactTest("amount", most=number, most_counts=False),
        }[operator]
    return HasFact((replace(test, keys=frozenset((squash(currency or "CNY"),))),))


def _sum(value: str) -> tuple[Decimal, str | None]:
    plain = fold(plain_form(value)).strip()
    match = _SUM.fullmatch(plain)
    if match is None:
        return read_asked_amount(value), None
    currencies = {read_currency(part) for part in (match["before"].strip(), match["behind"].strip()) if part}
    if len(currencies) > 1:
        raise ValueError(f"{value!r} names two currencies.")
    return read_asked_amount(match["number"]), currencies.pop() if currencies else None


def read_currency(written: str) -> str:
    """The ISO code of a currency: USD, 美元, RMB. Raises ValueError."""
    if code := _CURRENCIES.get(written.lower()):
        return code
    if re.fullmatch("[A-Za-z]{3}", written):
        return written.upper()
    raise ValueError(f"{written!r} is no currency that can be read; write an ISO code such as USD.")


def _date(value: str, operator: str) -> Condition:
    borders = _RANGE.fullmatch(value)
    if borders and operator == ":":
        first = _days(borders[1])[0] if borders[1].strip() else None
        last = _days(borders[2])[1] if borders[2].strip() else None
        if first is None and last is None:
            raise ValueError("A range of days needs an end, such as 2026-01-01..2026-03-31.")
        if first and last and first > last:
            raise ValueError(f"No day lies between {first} and {last}: they are in the wrong order.")
        return PublishedOn(first, last)
    first_day, last_day = _days(value)
    day = timedelta(days=1)
    return {
        ":": PublishedOn(first_day, last_day),
        ">=": PublishedOn(first_day, None),
        ">": PublishedOn(last_day + day, None),
        "<=": PublishedOn(None, last_day),
        "<": PublishedOn(None, first_day - day),
    }[operator]


def _days(value: str) -> tuple[date, date]:
    """The first and the last day of a day, month or year."""
    match = _DAY.fullmatch(plain_form(value).strip())
    try:
        if match is None:
            raise ValueError
        year, month = int(match["year"]), int(match["month"] or 1)
        first = date(year, month, int(match["day"] or 1))
    except ValueError:
        raise ValueError(f"{value!r} is no day, month or year; write 2026-11-18, 2026-11 or 2026.") from None
    if match["day"]:
        return first, first
    if match["month"]:
        return first, first.replace(day=monthrange(year, month)[1])
    return first, date(year, 12, 31)


FIELDS: dict[str, Field] = {
    "amount": Field(
        "A sum that the text names, in yuan where no currency is given", "amount>=100万", _amount, True, False
    ),
    "case": Field(
        "A case number, in whatever form either is written", "case:（2022）粤0192民初2187号", _case
    ),
    "court": Field("A court that is named, or by its case number", "court:北知院", _court),
    "date": Field(
        "The day of publication in China: a day, month, year or range", "date>=2026-01-01", _date, True, False
    ),
    "doc": Field("The number of an official document", "doc:法释〔2021〕4号", _document),
    "ip": Field("A kind of right", "ip:trademark", _ip_type),
    "kind": Field("A kind of notice", "kind:case", _one_of("notice_kind", NOTICE_KINDS)),
    "lang": Field("The language of the title", "lang:en", _language),
    "level": Field("The level of a court that is named, or by its case number", "level:high", _level),
    "outcome": Field("How a case ended", "outcome:affirmed", _one_of("outcome", OUTCOMES)),
    "party": Field("A party whose name holds this", "party:澄禾", _party),
    "patent": Field("A patent number", "patent:ZL201410123456.7", _patent),
    "publisher": Field("Who published it: a name or a part of one", "publisher:国知局", _publisher),
    "region": Field("The province of a court that is named, or by its case number", "region:广东", _region),
    "source": Field("The list it was found on, by its key", "source:cnipa_news", _source),
    "statute": Field("A law that is cited, with or without an article", "statute:专利法第六十五条", _statute),
    "topic": Field("A topic of its source", "topic:law", _topic),
}
CHINESE_NAMES: dict[str, str] = {
    "金额": "amount", "案号": "case", "法院": "court", "日期": "date", "文号": "doc", "类型": "ip", "种类": "kind",
    "语言": "lang", "级别": "level", "结果": "outcome", "当事人": "party", "专利号": "patent", "发布者": "publisher",
    "地区": "region", "来源": "source", "法律": "statute", "主题": "topic",
}  # fmt: skip
NAMES: frozenset[str] = frozenset((*FIELDS, *CHINESE_NAMES))


def read_filter(field: Field, operator: str, value: str, *, quoted: bool) -> Condition:
    """The condition that a field's value stands for. Raises ValueError with a sentence."""
    if operator != ":" and not field.compared:
        raise ValueError(f"This field isn't compared; write “:”, as in {field.example}.")
    values = (
        [value] if quoted or not field.listed else [part for part in _LISTED.split(value) if part.strip()]
    )
    conditions = tuple(field.read(part, operator) for part in values)
    if not conditions:
        raise ValueError(f"A value was expected, as in {field.example}.")
    return conditions[0] if len(conditions) == 1 else OneOf(conditions)
