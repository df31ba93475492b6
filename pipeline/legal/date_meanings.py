"""What a date in a text is the date of, by the words next to it in the same sentence."""

from __future__ import annotations

import re

from pipeline.dates.labels import LABEL, meaning_of
from pipeline.legal.folding import has_english

_BEFORE, _AFTER = 60, 70  # characters that are looked at on either side
_SENTENCE_END = re.compile(r"[。；;！？!?\n]")
# A limit, not the day on which something happens.
_LIMIT_BEFORE = re.compile(r"(?:截[至止]|截止到|不?[晚迟早]于|至|到|原定于?|自|从) ?$")
_LIMIT_AFTER = re.compile(r" ?(?:之?前|以前|以?后|之后|以来|之?内|止|为止|届满)")

_CLAUSE_END = r"(?=[,，、.。;)》”]|$)"
_COMMA = r"[,，]"
# Words between date and verb; none that makes the verb another day's.
_GAP = (
    "(?:(?!年|月|的|收到|受理|立案|不服|申请|提交|提出|提起|送达|上诉|起诉|签收|关于|通知|答复|批复|知悉|知道|查询|取消|延期"
    "|推迟|改期|择期|另行|撤销|撤回|未|拒|对|依据|根据|按照|依照|因|履行|执行|表示|认为|称|介绍|获悉|记者|从|参加|出席|旁听"
    "|宣布|公告|决定|安排|排期|报请|提请|商请|请求|要求|建议|取得|获得|领取|持有)[^,，])"
)
_ADVERBS = "(?:已|将|再次|首次|正式|依法|公开|不公开|当庭|在线|联合|共同|统一|集中|最终|分别|终审|一审|二审|再审|初审)*"
_AUTHORITY = (
    "(?:知识产权局|监督管理局|市监局|版权局|总局|法院|检察院|法庭|委员会|发改委|国务院|科技部|商务部|公安部|司法部|财政部"
    "|农业农村部|工信部|工业和信息化部|海关总署|办公厅|最高法|最高检)"
)

_FROM = re.compile(
    rf"起?(?:正式|开始|全面)*(?:施行|生效|实施|发生法律效力){_CLAUSE_END}"
    rf"|起{_COMMA}?(?:(?!停止|不|未|暂|废|失|拒|侵权|年)[^,，]){{0,24}}?(?:正式|开始|全面)?(?:施行|生效){_CLAUSE_END}"
    rf"|起{_COMMA}?(?:(?!停止|不|未|暂|废|失|拒|侵权|年)[^,，]){{0,24}}?正式实施{_CLAUSE_END}"
)
_IN_FORCE = re.compile(
    rf"起?(?:正式|开始|全面)*(?:施行|生效|发生法律效力)(?=的|{_CLAUSE_END})|(?:起(?:正式)?|正式|全面)实施{_CLAUSE_END}"
)
# 经开庭审理 tells how the court came to what it did on that day.
_HEARING = re.compile(
    rf"(?!.{{0,30}}?经.{{0,6}}?开庭){_COMMA}?{_GAP}{{0,30}}?(?:开庭(?!笔录|传票|通知|公告|前)|公开审理(?!案件))"
)
_DECISION = "(?:判决|裁定|裁决|处罚决定|审查决定|决定书)"
_WHAT = "(?:(?!年|关于|通知|答复|公告|报告|批复|撤销|执行(?!裁定))[^,，]){0,48}?" + _DECISION
_DECIDED = re.compile(
    rf"作出的?{_WHAT}"
    rf"|{_COMMA}?{_GAP}{{0,30}}?作出(?!的){_WHAT}"
    rf"|{_COMMA}?(?:{_GAP}{{0,20}}?法院)?{_ADVERBS}(?:宣判|审结|判决如下|裁定如下)"
    rf"|{_COMMA}?{_GAP}{{0,20}}?法院{_ADVERBS}(?:判决|裁定)(?!生效|已|发生|确定|书|履行|执行)"
    rf"|{_COMMA}?{_GAP}{{0,20}}?法院(?:{_ADVERBS}驳回(?:上诉|[^,，]{{0,20}}?(?:诉讼请求|再审申请))|(?:依法)?以[^,，、]{{2,20}}?罪判处)"
    rf"|{_COMMA}?{_GAP}{{0,20}}?(?:知识产权局|商标评审委员会)作出[^,，的]{{0,8}}决定(?!书)"
    rf"|{_ADVERBS}(?:判决|裁定)(?!生效|已|发生|确定|书?送达|履行|执行)"
)


def _made_public(verb: str) -> re.Pattern[str]:
    """The verb after a body that publishes, or with a text as its object."""
    return re.compile(
        rf"{_COMMA}?{_GAP}{{0,30}}?{_AUTHORITY}{_ADVERBS}(?:{verb})(?!会|人|方(?!案)|者|单位|平台|机构|时|实施)"
        rf"|{_ADVERBS}(?:{verb})(?:了?[《〈“]|的?《|的(?:公告|通知|通报|意见|办法|规定|解释|案例|白皮书|报告|决定)|{_CLAUSE_END})"
    )


_ISSUED = _made_public("印发|颁布|颁发|下发|签发")
_PUBLISHED = _made_public("发布|公布")
_FILED_BEFORE = re.compile(r"(?<!优先权)申请日期?(?:为|是|系|[::]|在)? ?$")
_FILED = re.compile(
    r"(?:向[^,，年]{2,14}?)?(?:申请注册|(?:提交|提出|递交)(?:了|的)?(?:(?!撤回|放弃|终止|驳回|异议|复审|无效|撤销)[^,，]){0,20}?"
    r"(?:专利申请|注册申请|登记申请))"
)
_LABEL_ENDS = (":", "为", "是")
_LABEL = re.compile(rf"(?:{LABEL.pattern})$")
_LABELLED = frozenset(("published", "issued", "effective", "decided", "hearing"))

_JUDGMENT = r"(?:judgments?|judgements?|decisions?|rulings?|verdicts?)"
_GIVEN = r"(?:handed down|rendered|delivered|issued|made|announced|pronounced)"
_ENGLISH_BEFORE = tuple(
    (meaning, re.compile(rf"(?<![a-z])(?:{expression}) $", re.IGNORECASE))
    for meaning, expression in (
        (
            "effective",
            r"(?<!not )(?:effective|(?:takes?|took|taking|taken) effect|in force"
            r"|(?:comes?|came|coming|enter|enters|entered) into (?:force|effect))(?: as)?(?: of| from| on| since)?",
        ),
        (
            "hearing",
            r"(?:hearing|trial)(?: (?:is|was|will be|to be))?(?: (?:scheduled|held|set|listed))? (?:for|on)|heard on",
        ),
        (
            "decided",
            rf"(?:decided|ruled)(?: the case)? on|{_JUDGMENT} (?:was |were )?{_GIVEN} on|{_JUDGMENT} (?:dated|of)"
            rf"|{_GIVEN} (?:its|a|the)(?: [a-z-]+){{0,2}} {_JUDGMENT} on",
        ),
        ("published", r"(?:published|released)(?: on|:)|(?:release|publication) date:"),
        ("issued", r"(?:issued|promulgated)(?: on|:)|issue date:"),
        (
            "filed",
            r"filed on|filing date(?: of| is| was|:)?|filed (?:an?|the)(?: [a-z]+){0,3} application on",
        ),
    )
)
_ENGLISH_ON = re.compile(r"(?<![A-Za-z])[Oo]n $")
_ENGLISH_RULED = re.compile(
    r", (?:the |an? )?[A-Za-z' -]{0,60}?[Cc]ourt(?: of [A-Z][a-z]+(?: [A-Z][a-z]+)*)? (?:has )?"
    r"(?:ruled|decided)(?![a-z])"
)


def find_meaning(folded: str, start: int, end: int) -> str | None:
    """The meaning of the date at [start:end] of a folded text; None where the words don't decide."""
    before = _SENTENCE_END.split(folded[max(0, start - _BEFORE) : start])[-1]
    after = _SENTENCE_END.split(folded[end : end + _AFTER], maxsplit=1)[0]
    if folded[start].isascii() and has_english(folded):
        meaning = _find_english(before, after)
        if meaning:
            return meaning
    return _find_chinese(before, after.lstrip(" ").removeprefix(")"))


def _find_english(before: str, after: str) -> str | None:
    for meaning, expression in _ENGLISH_BEFORE:
        if expression.search(before):
            return meaning
    return "decided" if _ENGLISH_ON.search(before) and _ENGLISH_RULED.match(after) else None


def _find_chinese(before: str, after: str) -> str | None:
    plain = before.rstrip(" ")
    if plain.endswith(_LABEL_ENDS):
        label = _LABEL.search(plain[-14:])
        meaning = meaning_of(label) if label else None
        if meaning in _LABELLED:
            return meaning
    if _FILED_BEFORE.search(plain):
        return None if _LIMIT_AFTER.match(after) else "filed"
    if plain.endswith(("自", "从")):
        return "effective" if _FROM.match(after) else None
    if _LIMIT_BEFORE.search(plain) or _LIMIT_AFTER.match(after):
        return None
    for meaning, expression in (
        ("effective", _IN_FORCE),
        ("hearing", _HEARING),
        ("decided", _DECIDED),
        ("issued", _ISSUED),
        ("published", _PUBLISHED),
        ("filed", _FILED),
    ):
        if expression.match(after):
            return meaning
    return None
