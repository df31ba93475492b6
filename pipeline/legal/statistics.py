"""Counts of cases, applications, rights and people, with the change that the text states."""

from __future__ import annotations

import re

from pipeline.legal.fact import Fact, Value, cite
from pipeline.legal.folding import fold, has_english
from pipeline.legal.numerals import read_number, write_decimal

_NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,12})(?:\.\d{1,4})?"
# 较2023年 names the year, which may be any; only the words for the last year say year on year.
# Each way begins with a character of its own, so that a search can skip to one; so do those of _SHARE.
_BASIS = r"(?P<basis>同比|环比|比(?:上年|去年|20\d\d年)(?:同期)?|较(?:上年|去年|20\d\d年)(?:同期)?)"
_RATE = (
    r"\s?(?:分别)?(?P<verb>增长|增加|上升|提高|上涨|下降|减少|降低|回落)了?\s?(?:约|近|超过?)?"
    r"(?P<rate>\d{1,5}(?:\.\d{1,4})?)\s?(?P<rate_unit>%|个百分点|倍)"
)
_COUNTED = re.compile(
    rf"(?P<number>\d(?<![\d.,A-Za-z第年-]\d)(?:\d{{0,2}}(?:,\d{{3}}){{1,4}}|\d{{0,11}})(?:\.\d{{1,4}})?\s?"
    r"(?:万|亿)?)(?P<odd>余|多)?(?P<scale>万|亿)?\s?(?P<unit>件次|件|项|起|宗|份|人次|人|批次|家|户)"
    rf"(?:\s?[，,(（]?\s?(?:分别)?{_BASIS}?{_RATE})?"
)
# A unit behind anything that a number is made of; the number is then sought from its beginning.
_OF_A_NUMBER = frozenset("0123456789., 万亿余多")
_UNIT = re.compile(r"[件项起宗份人批家户](?<=[\d万亿余多 ].)")
_LONGEST_NUMBER = 30
# 受理7.8万件，审结8.1万件，同比分别上升4.2%和6.7%: as many rates as counts before them, in their order.
_MORE_RATES = re.compile(r"(?:\s?(?:、|和|及|以及|,|，)\s?(?:\d{1,5}(?:\.\d{1,4})?)\s?(?:%|个百分点|倍))+")
_ONE_RATE = re.compile(r"(\d{1,5}(?:\.\d{1,4})?)\s?(%|个百分点|倍)")
_ONLY_CHANGED = re.compile(_BASIS + _RATE)
_SHARE = re.compile(
    r"(?P<share_of>占比|比重|比例|结案率|撤诉率|调撤率|调解率|改判率|授权率|办结率|增长率|息诉率|转化率|产业化率|胜诉率|履行率)"
    rf"(?:为|达到?|超过?|约)?\s?(?P<number>{_NUMBER})\s?%(?:\s?[，,]\s?{_BASIS}{_RATE})?"
)
_COUNTING = re.compile(
    r"受理|审结|新收|收案|收到|结案|办结|授权|注册|申请|登记|查处|办理|立案|起诉|逮捕|拥有量|有效量"
    r"|有效发明|查获|查扣|扣留|备案|质押|转让|许可|审查|移送|侦破|批捕|存量|著作权|作品|商标|专利"
)
_EDGES = frozenset("，。；:;,()（）“”《》\n！？|")
# 、 ends what came before it only behind a count: 一审、二审案件 is one thing, 300件、二审案件 are two.
_COUNT_ENDS = frozenset("件项起宗份次人批家户%0123456789")
_LONGEST = 40
_LEAD = re.compile(r"全国|全省|全市|全区|全年|上半年|下半年|季度|月份?|年|期间|以来|截至|截止|底|末|其中")
_HEAD = re.compile(r"^(?:累计|总计|共计|合计|共)+")
_TAIL = re.compile(
    r"(?:累计|总计|共计|合计|达到|已达|高达|增至|升至|降至|达|共|为|约|近|超过|首破|突破|逾|超|破|(?<![设统审会])计|了|有|的|\s)*$"
)
# Fewer things than this, without a stated change, are part of a story rather than a statistic.
_LEAST = 20
_NOT_COUNTED = re.compile(r"(?:的|这|该|涉案|案涉|另外|等|其余|第|前|后|每|某|各|上述|该案|被告人.{0,6})$")
_BASES = {"环比": "month_on_month", **dict.fromkeys(("同比", "比上", "比去", "较上", "较去"), "year_on_year")}
_UP = frozenset(("增长", "增加", "上升", "提高", "上涨"))
_ENGLISH_NUMBER = r"\d{1,3}(?:,\d{3})+|\d{1,7}(?:\.\d{1,3})?"
_ENGLISH = re.compile(
    rf"(?P<number>(?=\d)(?<![\w.,$¥€£])(?<!No\. )(?:{_ENGLISH_NUMBER}))(?:\s(?P<scale>thousand|million|billion))?\s"
    r"(?P<what>(?:(?:new|valid|invention|design|utility|model|patent|trademark|copyright|intellectual"
    r"|property|IP|civil|criminal|administrative|infringement|effective|domestic|PCT"
    r"|international)\s){0,4}"
    r"(?:patents|applications|cases|trademarks|registrations|disputes|grants|filings))\b"
    r"(?:(?: in (?:19|20)\d\d\b)?[^.;\d]{0,40}?"
    r"\b(?P<verb>up|down|increase(?:d)?|decrease(?:d)?|rise|rose|fell|drop(?:ped)?"
    r"|growth)\b(?:\sof|\sby)?\s(?P<rate>\d{1,4}(?:\.\d{1,3})?)\s?(?:%|percent))?"
)
_YEARLY = re.compile(r"year[- ]on[- ]year")
_ENGLISH_SCALES = {"thousand": "千", "million": "百万", "billion": "十亿"}


def find_statistics(text: str) -> list[Fact]:
    """Find counts: 受理专利申请12614件，同比增长7.4%.

    value: `number` (exact decimal string; None where only the change is stated), `unit`, `what` (the words before the
    number), `change` (signed percentage as a string, None), `change_unit` (%, 个百分点, 倍), `change_basis`
    (year_on_year, month_on_month, None), `at_least` (true for 余 and 多). A count needs a stated change or a word of
    counting (受理, 审结, 授权 …) before it.
    """
    folded = fold(text)
    facts: list[Fact] = []
    position = 0
    for unit in _UNIT.finditer(folded):
        start = unit.start()
        least = max(position, start - _LONGEST_NUMBER)
        while start > least and folded[start - 1] in _OF_A_NUMBER:
            start -= 1
        match = _COUNTED.search(folded, start, unit.end() + _LONGEST) if start < unit.start() else None
        if match:
            position = match.end()
            count = _read_count(text, folded, match, facts[-1] if facts else None)
            facts += [count] if count else []
            if count and match["verb"] and "分别" in folded[match.end("unit") : match.start("verb")]:
                facts = _spread_changes(text, folded, facts, match)
    if "%" in folded:
        facts += [fact for match in _SHARE.finditer(folded) if (fact := _read_share(text, folded, match))]
    if "%" in folded or "百分点" in folded or "倍" in folded:
        ends = {fact.end for fact in facts}
        for match in _ONLY_CHANGED.finditer(folded):
            if match.end() not in ends:
                facts += _read_change(text, folded, match)
    if has_english(folded):
        facts += [_read_english(text, match) for match in _ENGLISH.finditer(folded)]
    return sorted(facts, key=lambda fact: fact.start)


def _words_before(folded: str, position: int) -> str:
    """Return what is counted: the words from the last punctuation or time word up to the number."""
    begin = position
    while begin > 0 and position - begin < _LONGEST:
        character = folded[begin - 1]
        if character in _EDGES or (character == "、" and folded[begin - 2 : begin - 1] in _COUNT_ENDS):
            break
        begin -= 1
    words = folded[begin:position]
    lead = max((found.end() for found in _LEAD.finditer(words) if found.end() < len(words)), default=0)
    return _TAIL.sub("", _HEAD.sub("", words[lead:])).strip()


def _read_count(text: str, folded: str, match: re.Match[str], before: Fact | None) -> Fact | None:
    # Of 6500余件1.3万余人 both counts are of the same.
    shared = before is not None and before.end == match.start()
    least = max(0, match.start() - _LONGEST)
    if match["verb"] is None and not shared and not _COUNTING.search(folded, least, match.start()):
        return None
    words = str(before.value["what"]) if before and shared else _words_before(folded, match.start())
    if not words or words.isascii() or _NOT_COUNTED.search(words):
        return None
    if match["verb"] is None and not _COUNTING.search(words):
        return None
    number = read_number(match["number"] + (match["scale"] or ""))
    if number is None:
        return None
    if number < _LEAST and match["verb"] is None:
        return None
    value = _describe(write_decimal(number), match["unit"], words, match)
    value["at_least"] = match["odd"] is not None
    method = "count with change" if match["verb"] else "count after a word of counting"
    return cite("statistic", text, match.start(), match.end(), value, method)


def _spread_changes(text: str, folded: str, facts: list[Fact], match: re.Match[str]) -> list[Fact]:
    """Give each of the counts of a sentence its own one of the rates behind the last; none where the numbers differ."""
    more = _MORE_RATES.match(folded, match.end())
    end = more.end() if more else match.end()
    rates = _ONE_RATE.findall(folded, match.start("rate"), end)
    begin = folded.rfind("。", 0, match.start()) + 1
    counts = [
        fact for fact in facts if fact.start >= begin and (fact.value["change"] is None or fact is facts[-1])
    ]
    described = facts[-1].value
    spread: list[Fact] = []
    for number, fact in enumerate(counts):
        if len(counts) == len(rates):
            sign = "" if match["verb"] in _UP else "-"
            change = {"change": sign + rates[number][0], "change_unit": rates[number][1]}
            value = fact.value | change | {"change_basis": described["change_basis"]}
        else:
            value = fact.value | {"change": None, "change_unit": None, "change_basis": None}
        last = match.end("unit") if fact is facts[-1] else fact.end
        spread.append(cite("statistic", text, fact.start, last, value, "count with change of a list"))
    return [fact for fact in facts if fact not in counts] + spread


def _read_share(text: str, folded: str, match: re.Match[str]) -> Fact | None:
    # 结案率为95% is the rate itself; of 占比为5% it is what stands before that.
    rate = match["share_of"] if match["share_of"].endswith("率") else ""
    words = _words_before(folded, match.start()) + rate
    number = read_number(match["number"])
    if not words or words.isascii() or number is None:
        return None
    value = _describe(write_decimal(number), "%", words, match)
    return cite("statistic", text, match.start("number"), match.end(), value, "share")


def _read_change(text: str, folded: str, match: re.Match[str]) -> list[Fact]:
    words = _words_before(folded, match.start())
    if not words or words.isascii() or words.endswith(("分别", "均")):
        return []
    value = _describe(None, None, words, match)
    return [cite("statistic", text, match.start(), match.end(), value, "change alone")]


def _describe(
    number: str | None, unit: str | None, what: str, change: re.Match[str] | None
) -> dict[str, Value]:
    value: dict[str, Value] = {
        "number": number,
        "unit": unit,
        "what": what,
        "change": None,
        "change_unit": None,
        "change_basis": None,
        "at_least": False,
    }
    if change and change["verb"]:
        value["change"] = ("" if change["verb"] in _UP else "-") + change["rate"]
        value["change_unit"] = change["rate_unit"]
        basis = change["basis"]
        value["change_basis"] = _BASES.get(basis[:2]) if basis else None
    return value


def _read_english(text: str, match: re.Match[str]) -> Fact:
    number = read_number(match["number"] + _ENGLISH_SCALES.get(match["scale"] or "", ""))
    value = _describe(None if number is None else write_decimal(number), None, match["what"], None)
    if match["verb"]:
        falls = match["verb"].startswith(("down", "decrease", "fell", "drop"))
        value |= {"change": ("-" if falls else "") + match["rate"], "change_unit": "%"}
        value["change_basis"] = (
            "year_on_year" if _YEARLY.search(match.string, match.start(), match.end() + 20) else None
        )
    return cite("statistic", text, match.start(), match.end(), value, "English count")
