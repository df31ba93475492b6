"""What a sum of money is for, where the words of its own sentence say so; None everywhere else."""

from __future__ import annotations

import re

_LONGEST_SENTENCE = 120
_LINK = (
    r"(?:等)?(?:费用)?(?:累计|总计|共计|合计|达到|高达|达|共|为|计|各|约|近|超过|逾|超|不低于|不超过|不足|不满|未达|人民币|的"
    r"|了|\s)*$"
)
_EXPENSES = re.compile(
    r"(?:合理(?:的)?(?:维权)?(?:开支|费用|支出)|维权(?:合理)?(?:开支|费用|支出|成本)|律师费)" + _LINK
)
_JOINED_LOSS = re.compile(r"(?:损失|赔偿金?)[^，。；\d]{0,6}(?:及|和|与|并|、)[^，。；\d]{0,20}$")
_FINE = re.compile(r"(?:罚款|罚金)" + _LINK)
_FINE_AFTER = re.compile(
    r"(?:(?:以上|至|到|-)[^，。；]{1,14}?)?(?:以下|以内|以上|不等)?的?(?:行政)?(?:罚款|罚金)"
)
_TURNOVER = re.compile(
    r"(?:销售(?:总)?额|销售(?:总)?金额|销售收入|营业(?:总)?额|营业(?:总)?收入|营收|经营(?:总)?数额|经营额"
    r"|交易(?:总)?额|成交(?:总)?额)" + _LINK
)
_FEE = re.compile(
    r"(?:受理费|诉讼费|上诉费|鉴定费|评估费|保全费|年费|报名费|注册费|登记费|申请费|变更费)"
    r"[^，。；]{0,8}$"
)
_CLAIM = re.compile(r"索赔|诉请|诉求|主张|请求|要求")
_AWARD = re.compile(r"判赔|获赔|判令|判决|判处|改判|酌定|酌情|裁决")
_CHANGED_TO = re.compile(
    r"(?:二审|终审|再审|最终|法院|本院)[^，。；]{0,12}改判(?:被告|其)?(?:为|赔偿)?(?:人民币)?\s?$"
)
_COURT = re.compile(r"法院|本院|一审|二审|终审|再审|审理|最终")
_PAYMENT = re.compile(r"赔偿|赔|损失|支付|给付")
_ESTABLISHED = re.compile(r"认定|核定|查明")
# Interest and fines for a debtor who doesn't obey the judgment.
_DEFAULTING = re.compile(r"未按|迟延履行|逾期")
# What stands between the payment and the sum and takes it out of what is claimed or awarded.
_NOT_PAID = re.compile(
    r"^的(?!经济)|挽回|止损|扣除|每日|为基数|价格|[（(](?!含|人民币)"
    r"|[，,](?!\s?(?:共计|合计|总计|共|以及|及|并|其中|连带))"
)
# Words that say what a sum is only where they stand right before it, or right behind it.
_NEAR_IN_ENGLISH = (
    ("reasonable_expenses", r"(?:reasonable|legal) (?:expenses|costs|fees)|attorneys?'? fees"),
    ("fine", r"fine[ds]?|penalt(?:y|ies)"),
    ("turnover", r"turnover|sales|revenues?"),
)
_BEFORE_IN_ENGLISH = tuple(
    (role, re.compile(rf"\b(?:{words})\b[^,.;]{{0,24}}$", re.IGNORECASE)) for role, words in _NEAR_IN_ENGLISH
)
_BEHIND_IN_ENGLISH = tuple(
    (
        role,
        re.compile(
            rf" (?:in|for|as|of)(?: (?:a|an|its|the|administrative)){{0,2}} (?:{words})\b", re.IGNORECASE
        ),
    )
    for role, words in _NEAR_IN_ENGLISH
)
# damages and reasonable expenses totalling RMB 3 million
_JOINED_IN_ENGLISH = re.compile(r"(?:damages|loss(?:es)?|compensation)\b[^,.;\d]{0,24}$", re.IGNORECASE)
_NO_PAYMENT_IN_ENGLISH = re.compile(
    r"\b(?:worth|valued at|capital of)(?: (?:of|about|over|more than))? $", re.IGNORECASE
)
_CLAIMED_OR_AWARDED_IN_ENGLISH = re.compile(
    r"\b(?:(?P<claimed>claim(?:ed|ing|s)?|sought|seek(?:s|ing)?|demand(?:ed|ing|s)?|request(?:ed|ing|s)?|sued)"
    r"|(?P<awarded>award(?:ed|ing|s)?|(?:ordered|ordering|orders|held|ruled|liable)\b(?=[^.;]*\b(?:pay|compensat|damages))))\b",
    re.IGNORECASE,
)


def find_role(folded: str, start: int, end: int) -> str | None:
    """Say what the sum at [start:end] is: claimed, awarded, fine, reasonable_expenses, turnover, or None."""
    limit = max(0, start - _LONGEST_SENTENCE)
    begin = max(limit, *(folded.rfind(mark, limit, start) + 1 for mark in "。！？\n"))
    sentence = folded[begin:start]
    if sentence.isascii():
        return _find_english_role(sentence, folded[end : end + 40])
    near = sentence[-40:]
    if _FEE.search(near):
        return None
    if _EXPENSES.search(near) and not _JOINED_LOSS.search(near):
        return "reasonable_expenses"
    if _FINE.search(near) or _FINE_AFTER.match(folded, end):
        return "fine"
    if _TURNOVER.search(near):
        return "turnover"
    if _CHANGED_TO.search(near):
        return "awarded"
    return _find_claim_or_award(sentence)


def _find_claim_or_award(sentence: str) -> str | None:
    claim = next(reversed([*_CLAIM.finditer(sentence)]), None)
    award = next(reversed([*_AWARD.finditer(sentence)]), None)
    payment = next(reversed([*_PAYMENT.finditer(sentence)]), None)
    if payment is None or _DEFAULTING.search(sentence) or _NOT_PAID.search(sentence[payment.end() :]):
        return None
    if "挽回" in sentence[max(0, payment.start() - 6) : payment.start()]:
        return None
    if claim and _ESTABLISHED.search(sentence, claim.end()):
        claim = None
    if award and not (award[0] in ("判赔", "获赔") or _PAYMENT.search(sentence, award.end())):
        award = None
    if claim and not (claim[0] == "索赔" or _PAYMENT.search(sentence, claim.end())):
        claim = None
    if award and claim and claim.start() < award.start() and award[0] not in ("判赔", "获赔"):
        between = sentence[claim.end() : award.start()]
        comma = min((place for mark in "，；," if (place := between.find(mark)) >= 0), default=-1)
        # 请求判令被告赔偿 is a claim; 诉请赔偿，法院判决被告赔偿 is an award.
        # Of 原告主张的1000万元缺乏依据，判决赔偿100万元 the claim is no more than a word before a noun.
        noun = between.startswith("的") and comma >= 0
        if not noun and (comma < 0 or not _COURT.search(between, comma)):
            return "claimed"
    if award and (claim is None or claim.start() < award.start()):
        return "awarded"
    return "claimed" if claim else None


def _find_english_role(sentence: str, behind: str) -> str | None:
    sentence = sentence[sentence.rfind(". ") + 1 :]
    for role, pattern in _BEHIND_IN_ENGLISH:
        if pattern.match(behind):
            return role
    if _NO_PAYMENT_IN_ENGLISH.search(sentence):
        return None
    for role, pattern in _BEFORE_IN_ENGLISH:
        near = pattern.search(sentence)
        if near and not _JOINED_IN_ENGLISH.search(sentence[: near.start()]):
            return role
    last = next(reversed([*_CLAIMED_OR_AWARDED_IN_ENGLISH.finditer(sentence)]), None)
    return last.lastgroup if last else None
