"""How a case ended, where the words of the deciding body say so: 驳回上诉，维持原判, 构成侵权, 达成调解协议."""

from __future__ import annotations

import re

from pipeline.legal.fact import Fact, cite
from pipeline.legal.folding import fold, has_english

_DECIDED = re.compile(
    r"法院|本院|[高中]院|最高法|一审|二审|再审|终审|判决|裁定|裁决|检察院|检察机关|国家知识产权局|商标评审委员会|法庭|合议庭|宣判|决定|判处"
)
# Who decides, and not what is decided upon: 请求撤销一审判决 names no court that spoke.
_DECIDING = re.compile(
    r"法院|本院|[高中]院|最高法|(?<![销持服更变])(?:一审|二审|再审|终审)|检察院|检察机关|国家知识产权局|商标评审委员会|法庭|合议庭|宣判|判处"
)
_WISHED = re.compile(r"应予|应当|应依法|理应|应该")
# 无效宣告请求, 诉讼请求 and 权利要求 are names of things, nobody's wish.
_NOT_YET = re.compile(
    r"(?<!诉讼)(?<!宣告)(?<!审查)请求(?![人书])|诉请|(?<!权利)要求|主张|诉称|辩称|是否|能否|可能|如果|若|拟|建议|申请(?!人)|应否|涉嫌"
    r"|认为其|(?:[被原]告|公司|某|[诉请求权]人|一方|双方|专家|律师|学者|观点)认为|即使|不得|等同于"
)
_HYPOTHETICAL = re.compile(
    r"的[，,]|的，|的情形|的行为|的标准|的认定|的判断|的条件|与否|的规定|的构成|的申请|后，(?:由|应|可)|的，?应|的\d|的[^，。；]{0,6}案件"
)
_COMMA = re.compile("[，；,]")
_GENERAL = re.compile(r"可以|包括|应当|一般|凡|任何")
# A disposition that opens its sentence, or stands behind its number in a list, needs no body that speaks it.
_OPENS = re.compile(r"(?:^|[一二三四五六七八九十]{1,2}、|\d[.、．])\s*$")
_DISPOSITIONS = frozenset(
    (
        "affirmed",
        "retrial_denied",
        "claims_dismissed",
        "claims_supported",
        "claims_partly_supported",
        "reversed",
        "remanded",
        "withdrawn",
    )
)
_OUTCOMES: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    (
        "affirmed",
        ("维持",),
        re.compile(
            r"驳回[^，。；]{0,20}?上诉[，,、]\s?维持(?:原判|一审判决|原审判决|一审裁定|原审裁定|原裁定)"
            r"|维持(?:原判|一审判决|原审判决|一审裁定|原审裁定|原裁定)|[二终]审(?:判决|法院)?(?:予以)?维持(?=[，。；]|$)"
        ),
    ),
    ("retrial_denied", ("驳回",), re.compile(r"驳回[^，。；]{0,30}?的?再审申请")),
    (
        "claims_dismissed",
        ("驳回",),
        re.compile(
            r"驳回(?![^，。；]{0,40}(?:其他|其余))[^，。；]{0,30}?的?(?:全部)?诉讼请求|驳回(?:[^，。；]{1,20}?的)?起诉"
        ),
    ),
    (
        "claims_supported",
        ("支持",),
        re.compile(
            r"(?:全额|全部)支持[^，。；]{0,12}?(?:诉讼请求|赔偿请求|诉请)|判决(?:全额|全部)支持"
            r"|支持(?<![不未]支持)了?(?![^，。；]{0,20}部分)[^，。；]{0,20}?(?:全部)?(?:诉讼请求|诉请)"
        ),
    ),
    (
        "claims_partly_supported",
        ("部分", "驳回"),
        re.compile(
            r"驳回[^，。；]{0,40}?(?:其他|其余)的?诉讼请求|部分支持[^，。；]{0,12}?(?:诉讼请求|诉请|主张)|支持了?"
            r"(?:原告)?(?:的)?部分(?:诉讼请求|诉请)"
        ),
    ),
    (
        "reversed",
        ("改判", "撤销"),
        re.compile(
            r"改判|撤销(?:[^，。；的]{2,20}?法院)?(?:\([^()]{4}\)[^，。；\s]{4,20}?号)?(?:一审|二审|原审|原|再审)?(?:民事|行政|刑事)?判决"
            r"|判决撤销(?:被诉)?(?:决定|裁定)"
        ),
    ),
    ("remanded", ("发回",), re.compile(r"发回[^，。；]{0,20}?重审")),
    (
        "settled",
        ("调解", "和解"),
        re.compile(
            r"达成(?<![未能法尚难]达成)(?:了)?(?:调解|和解)(?:协议)?|以调解方式结案|调解结案|调解书已生效"
        ),
    ),
    (
        "withdrawn",
        ("撤回", "撤诉"),
        re.compile(
            r"准许[^，。；]{0,20}?(?:撤回(?:起诉|上诉)|撤诉)|(?:撤回了?起诉|撤诉结案|自愿撤诉|申请撤诉)"
            r"|按[^，。；]{0,12}?撤(?:诉|回(?:起诉|上诉|再审申请))处理"
        ),
    ),
    (
        "infringement_not_found",
        ("不构成", "未落入", "未侵"),
        re.compile(
            r"不构成[^，。；]{0,14}?(?:侵权|侵害|不正当竞争)|未落入[^，。；]{0,20}?保护范围"
            r"|未侵[害犯][^，。；]{0,14}?权"
        ),
    ),
    (
        "infringement_found",
        ("构成", "落入"),
        re.compile(
            r"构成(?<!不构成)(?:[^，。；不]{0,14}?(?:侵权|侵害|不正当竞争)(?!纠纷)|对[^，。；不]{1,40}?的侵害)"
            r"|落入(?<![未否能]落入)[^，。；]{0,24}?保护范围"
        ),
    ),
    ("patent_invalidated", ("无效",), re.compile(r"宣告[^，。；]{0,24}?(?:专利权)?全部无效")),
    ("patent_partly_invalidated", ("无效",), re.compile(r"宣告[^，。；]{0,24}?(?:专利权)?部分无效")),
    (
        "patent_maintained",
        ("有效",),
        re.compile(r"维持(?<!基础上维持)(?<!继续维持)[^，。；]{0,24}?专利权(?:继续)?有效"),
    ),
    (
        "trademark_invalidated",
        ("无效",),
        re.compile(r"商标[^，。；]{0,16}?予以无效宣告|宣告[^，。；]{0,24}?商标[^，。；]{0,8}?无效"),
    ),
    ("trademark_maintained", ("维持",), re.compile(r"商标[^，。；]{0,12}?予以维持")),
    ("trademark_revoked", ("撤销",), re.compile(r"商标[^，。；]{0,12}?予以撤销")),
    (
        "convicted",
        ("判处",),
        re.compile(
            r"(?:判处[^，。；]{0,16}?(?:有期徒刑|拘役|罚金|无期徒刑|死刑)|以[^，。；]{2,20}?罪[，,]?\s?判处)"
        ),
    ),
    ("acquitted", ("无罪",), re.compile(r"宣告[^，。；]{0,10}?无罪")),
    ("not_prosecuted", ("不起诉",), re.compile(r"作出(?:了|相对|法定|存疑|附条件)?不起诉决定")),
)
_ENGLISH_CLAUSE_END = re.compile(r"[.;,!?]\s")
_NOT_YET_IN_ENGLISH = re.compile(
    r"\b(?:argu|alleg|contend|assert|request|ask|sought|seek|whether|should|would|could|may|might|if|unless|to have)"
)
# Searched in lower case.
_OUTCOMES_IN_ENGLISH = (
    (
        "affirmed",
        re.compile(
            r"(?:upheld|affirmed) the (?:original |first-instance |lower court's )?(?:judgment|ruling|decision"
            r"|verdict)\b|dismissed the appeal\b"
        ),
    ),
    (
        "reversed",
        re.compile(
            r"(?:reversed|overturned) (?:the|its) (?:[a-z'-]+ ){0,4}?(?:judgment|ruling|decision|verdict)\b"
        ),
    ),
    (
        "claims_dismissed",
        re.compile(
            r"(?:dismissed|rejected) (?:all )?(?:the |its |their )?(?:plaintiff's )?(?:claims?|lawsuit)\b"
        ),
    ),
    (
        "settled",
        re.compile(
            r"reached (?:a|an) (?:settlement|mediation) agreement\b|settled (?:the|their) (?:case|dispute)\b"
        ),
    ),
    (
        "infringement_found",
        re.compile(
            r"(?:found|held|ruled) (?:that )?(?:(?!not |n't |no |nor |fail|neither )[^.;]){0,80}?"
            r"\b(?:infringed(?! (?:patent|mark|work|right))"
            r"|constituted? (?:trademark |patent |copyright )?infringement)\b"
        ),
    ),
    (
        "infringement_not_found",
        re.compile(
            r"found no (?:trademark |patent |copyright )?infringement\b"
            r"|(?:found|held|ruled) (?:that )?[^.;]{0,80}?\b(?:did not infringe|(?:does|did) not constitute "
            r"(?:trademark |patent |copyright )?infringement)\b"
        ),
    ),
    ("patent_invalidated", re.compile(r"declared the patents? (?:entirely )?invalid\b")),
)
_HINT = re.compile(
    "|".join(sorted({hint for _, hints, _ in _OUTCOMES for hint in hints}, key=len, reverse=True))
)

OUTCOMES: tuple[str, ...] = tuple(outcome for outcome, _, _ in _OUTCOMES)


def find_outcomes(text: str) -> list[Fact]:
    """Find how a case ended, each outcome once, at its first decisive words; value: `outcome`.

    The words must stand in a sentence of the deciding body, and none of a request, a claim or a condition before
    them: what a party asks for is no outcome, nor is what the law says in general.
    """
    folded = fold(text)
    facts = []
    hints = set(_HINT.findall(folded))
    for outcome, needed, pattern in _OUTCOMES if hints else ():
        if hints.isdisjoint(needed):
            continue
        match = next(
            (match for match in pattern.finditer(folded) if _is_decided(folded, match, outcome)), None
        )
        if match:
            facts.append(_cite(text, match, outcome, "disposition"))
    if has_english(folded) and "d " in folded:
        lowered = folded.lower()
        for outcome, pattern in _OUTCOMES_IN_ENGLISH:
            searched = lowered if len(lowered) == len(folded) else folded
            match = next(
                (match for match in pattern.finditer(searched) if _is_decided_in_english(match)), None
            )
            if match:
                facts.append(_cite(text, match, outcome, "English disposition"))
    return sorted(facts, key=lambda fact: (fact.start, fact.end))


def _cite(text: str, match: re.Match[str], outcome: str, method: str) -> Fact:
    return cite("outcome", text, match.start(), match.end(), {"outcome": outcome}, method)


def _is_decided_in_english(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 120) : match.start()]
    clause = _ENGLISH_CLAUSE_END.split(before)[-1]
    return not before[-1:].isalnum() and not _NOT_YET_IN_ENGLISH.search(clause)


def _is_decided(folded: str, match: re.Match[str], outcome: str) -> bool:
    limit = max(0, match.start() - 120)
    begin = max(limit, *(folded.rfind(mark, limit, match.start()) + 1 for mark in "。！？\n"))
    before = folded[begin : match.start()]
    clause = before[max(before.rfind("，"), before.rfind("；")) + 1 :]
    if _HYPOTHETICAL.match(folded, match.end()) or _NOT_YET.search(clause):
        return False
    if outcome in ("infringement_found", "infringement_not_found") and _GENERAL.search(before):
        return False
    if outcome in ("convicted", "not_prosecuted") and _GENERAL.search(clause):
        return False
    if outcome in _DISPOSITIONS and _WISHED.search(clause):
        return False
    asked = [found.start() for found in _NOT_YET.finditer(before)]
    opens = (
        outcome in _DISPOSITIONS and (begin == 0 or folded[begin - 1] in "。！？\n") and _OPENS.search(before)
    )
    if outcome == "settled" or opens:
        return not asked
    if not asked:
        return _DECIDED.search(before + match[0]) is not None
    # What somebody asks for lasts until a comma behind which another speaks.
    comma = _COMMA.search(before, asked[-1])
    return comma is not None and _DECIDING.search(before + match[0], comma.end()) is not None
