"""Parties with their role, where the text names them: 原告甲有限公司, 上诉人（原审被告）：张某, 甲公司诉乙公司."""

from __future__ import annotations

import re

from pipeline.legal.courts import first_mentions
from pipeline.legal.fact import Fact, Value, cite
from pipeline.legal.folding import fold, has_english

ROLES = {
    "再审申请人": "retrial_applicant",
    "申请再审人": "retrial_applicant",
    "无效宣告请求人": "invalidation_petitioner",
    "申请执行人": "enforcement_applicant",
    "被执行人": "enforcement_respondent",
    "被上诉人": "appellee",
    "被申请人": "respondent",
    "被请求人": "respondent",
    "被告单位": "accused",
    "被告人": "accused",
    "专利权人": "patentee",
    "上诉人": "appellant",
    "申请人": "applicant",
    "请求人": "applicant",
    "第三人": "third_party",
    "原告人": "plaintiff",
    "原告": "plaintiff",
    "被告": "defendant",
}
_ENGLISH_ROLES = {
    "plaintiff": "plaintiff",
    "defendant": "defendant",
    "appellant": "appellant",
    "appellee": "appellee",
    "retrial applicant": "retrial_applicant",
    "retrial petitioner": "retrial_applicant",
    "invalidation petitioner": "invalidation_petitioner",
    "third party": "third_party",
}
_SUFFIX = (
    r"(?:股份有限公司|有限责任公司|有限公司|总公司|公司|株式会社|集团|合作社|研究院|研究所|大学|学院|医院|工厂|厂"
    r"|商店|书店|店|经营部|商行"
    r"|中心|工作室|协会|商会|基金会|银行|超市|出版社|律师事务所|知识产权局|委员会|监督管理局)"
)
_ORGANISATION = (
    rf"[\u4e00-\u9fffA-Za-z0-9()·&.*-]{{1,30}}?{_SUFFIX}"
    rf"(?:\([\u4e00-\u9fff]{{2,6}}\))?(?:[^诉与和及、，。:;\s在向对的()]{{0,16}}?(?:有限公司|分公司|分行|支行|合伙\))){{0,2}}"
)
_BEHIND_A_PERSON = (
    r"(?=[，。；、,:()“”\s诉与和及不等系犯在的于以因向将对为未是经自通提认主辩请上擅申发实外侵商专著合一披立支"
    r"赔停销生使从受担]|曾[任在系经]|$)"
)
_PERSON = (
    r"[\u4e00-\u9fff]某{1,3}(?:[^\W\da-zA-Z某诉与和及等系犯在的于以因向将对为未从](?=[，。；、,:()“”\s诉与和等犯]|$)"
    rf"|{_BEHIND_A_PERSON}|[\u4e00-\u9fff]{_BEHIND_A_PERSON})"
    r"|[\u4e00-\u9fff]某某(?![甲乙丙丁戊己])"
)
# 乙某公司 is a company, though 乙某 alone would be a person.
_MASKED_ORGANISATION = (
    rf"(?:[^\W_诉与和及的在向对被]|[()]){{1,8}}某(?!某|等|伙同|注册|成立|设立|经|因|购|从|将|把|假冒|利用|伪造|受"
    r"|到|就职|入职|离职)"
    rf"[^某，。；、：:\s诉与和及在向对的]{{0,20}}?{_SUFFIX}(?:[^某，。；、:\s诉与和及在向对的]{{0,10}}?有限公司)?"
)
_NAME = rf"(?P<masked>{_MASKED_ORGANISATION})|(?P<person>{_PERSON})|(?P<organisation>{_ORGANISATION})"
_WHOLE_NAME = re.compile(_NAME)
_WHOLE_PERSON = re.compile(rf"(?P<person>{_PERSON})(?P<masked>(?!))?")
# Characters that open what a party does or is, never its name.
_NO_NAME_BEHIND = "等们的未是辩称没并亦赔擅构主认在该其已仅委享停"
_ROLE = re.compile(
    rf"(?P<role>{'|'.join(ROLES)})(?!(?<=被告)(?:人|单位))(?![{_NO_NAME_BEHIND}])(?:\([^()\n]{{2,40}}\))?\s?"
    r"(?P<colon>(?:[一二三四五六]|\d)?:|(?<=专利权人)为|(?<=请求人)为)?\s?(?:\(\d\)|\d[.、])?"
)
_UNCLEAR_PERSON = re.compile(r"(?P<short>[\u4e00-\u9fff]某)(?!某)(?P<long>[\u4e00-\u9fff])")
_LABELLED_PERSON = re.compile(r"[\u4e00-\u9fff·]{2,6}(?=[，,。(\s]|$)")
_DESCRIBED_PERSON = re.compile(r"[\u4e00-\u9fff·]{2,4}(?=[，,]\s?(?:男|女|曾用名|又名|绰号|汉族))")
# The most frequent family names (公安部户政管理研究中心, 全国姓名报告 2020).
_FAMILY_NAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范"
    "汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤"
)
_CONVICTED_PERSON = re.compile(rf"[{_FAMILY_NAMES}][\u4e00-\u9fff]{{1,2}}(?=犯[^，。；]{{2,24}}罪)")
# 反诉原告 is the defendant; a 代理 speaks for another.
_NOT_HIMSELF = ("代理", "反诉")
_VERSUS = re.compile(r"诉(?<![被起上申投胜败应反公抗撤涉诸]诉)(?![讼求称请状人辩至苦由])")
_LEFT_EDGES = "\n:“、。；， "
_THIRD = re.compile(rf"(?:、|,|，)\s?第三人(?:{_NAME})")
_NOT_A_NAME = re.compile(
    r"的|在|向|是(?!$)|被|诉|未|应当|其(?<![米耳]其)|该|并|但|认为|主张|请求|生产|销售|以及|之间|经营(?!部)|立即|停止"
    r"|赔偿|支付|承担|提交|享有|申请|均|系|不服|同意|作为|与|使用|通过|人民法院|提供|委托|担任|参加|要求"
    r"|自(?![动主然由贸])|于|对|和|原告|被告|第三人|曾[任在系经]|离职|入职|跳槽|任职"
)
_BAD_START = re.compile(
    _SUFFIX
    + r"|公司|方|等|之|及|即|可|能|有|无|依|因|从|经|为|以|本|一审|二审|所|曾|将|已|也|还|又|或|若|如|共|不"
    r"|关于|据|上述|起诉|上诉|制造|购买|开设|名下|擅自|代理|诉讼|主体|单位|身份|资格|众多|某$"
)
_ENGLISH_NAME = (
    r"[A-Z][\w&'’.-]*(?:\s(?:[A-Z][\w&'’.-]*|of|and|&|\([A-Z]\w+\))){0,7}?,?\s"
    r"(?:Co\.,? ?Ltd\.?|Company Limited|Inc\.?|Ltd\.?|Limited|Corp\.?|Corporation|LLC|GmbH|AG|Company)(?![a-z])"
)
_ENGLISH_ROLE = re.compile(rf"\b(?P<role>(?i:{'|'.join(_ENGLISH_ROLES)})),?\s(?P<name>{_ENGLISH_NAME})")
_ENGLISH_VERSUS = re.compile(
    rf"(?P<first>{_ENGLISH_NAME})\s(?:v\.?|vs\.?|versus)\s(?P<second>{_ENGLISH_NAME})"
)


def find_parties(text: str) -> list[Fact]:
    """Find parties by name, each once a role, at its first mention.

    value: `name` (as printed, without its explanations in brackets), `role` (plaintiff, defendant, appellant, appellee,
    applicant, respondent, retrial_applicant, third_party, invalidation_petitioner, patentee, accused,
    enforcement_applicant, enforcement_respondent), `type` (organisation, person).
    """
    folded = fold(text)
    facts: list[Fact] = []
    for match in _ROLE.finditer(folded):
        if folded[max(0, match.start() - 2) : match.start()] not in _NOT_HIMSELF:
            facts += [
                _cite(text, start, end, ROLES[match["role"]], kind, method)
                for start, end, kind, method in _names_of_role(folded, match)
            ]
    if "诉" in folded:
        facts += _find_versus(text, folded)
    if " v" in folded or has_english(folded):
        facts += _find_english(text, folded)
    return first_mentions(_without_shorter(facts), "name", "role")


def _names_of_role(folded: str, role: re.Match[str]) -> list[tuple[int, int, str, str]]:
    """The names right behind a role (start, end, type, method): one, or a list joined by 、."""
    position = role.end()
    names: list[tuple[int, int, str, str]] = []
    labelled = role["colon"] is not None
    while True:
        name = _WHOLE_NAME.match(folded, position)
        if name and name["masked"] and not _is_name(name):
            # 刘某龙系某公司 begins with a person.
            name = _WHOLE_PERSON.match(folded, position)
        if name and _is_name(name) and (labelled or name["person"] or _span(name)[1] - _span(name)[0] > 2):
            start, end = _span(name)
            names.append((start, end, _type_of(name), "role before name"))
        elif unclear := _read_unclear(folded, position):
            names.append((*unclear, "person", "name by its other mentions"))
        else:
            break
        position = names[-1][1]
        if not folded.startswith("、", position):
            break
        position += 1
    if not names:
        for pattern, method in (
            (_DESCRIBED_PERSON, "person described"),
            (_CONVICTED_PERSON, "person convicted"),
            *(((_LABELLED_PERSON, "label"),) if labelled and _opens_line(folded, role) else ()),
        ):
            plain = pattern.match(folded, position)
            if plain and not _NOT_A_NAME.search(plain[0]):
                return [(*plain.span(), "person", method)]
    return names


def _opens_line(folded: str, role: re.Match[str]) -> bool:
    return not folded[folded.rfind("\n", 0, role.start()) + 1 : role.start()].strip()


def _read_unclear(folded: str, position: int) -> tuple[int, int] | None:
    """Read 成某明 of 成某明醉酒 or 王某 of 王某醉酒, where the other mentions in the text say how long the name is."""
    match = _UNCLEAR_PERSON.match(folded, position)
    if match is None:
        return None
    short, long = match["short"], match[0]
    mentions, longer = folded.count(short), folded.count(long)
    if longer > 1 and longer == mentions:
        return match.span()
    if longer == 1 and re.search(rf"{short}{_BEHIND_A_PERSON}", folded):
        return match.span("short")
    return None


def _is_name(match: re.Match[str]) -> bool:
    start, end = _span(match)
    name = match.string[start:end]
    if match["person"]:
        return name[0] not in "的在向是被与和以等及其该"
    return not _NOT_A_NAME.search(name) and not _BAD_START.match(name)


def _type_of(match: re.Match[str]) -> str:
    return "person" if match["person"] else "organisation"


def _span(match: re.Match[str]) -> tuple[int, int]:
    return match.span("masked" if match["masked"] else _type_of(match))


def _find_versus(text: str, folded: str) -> list[Fact]:
    facts = []
    for match in _VERSUS.finditer(folded):
        end = match.start() - folded.startswith("等", max(0, match.start() - 1))
        edge = max(folded.rfind(mark, max(0, end - 40), end) for mark in _LEFT_EDGES) + 1
        if edge == 0 and end > 40:
            continue
        plaintiffs = _names_before(folded, edge, end)
        defendants = _names_behind(folded, match.end())
        if not plaintiffs or not defendants:
            continue
        facts += [_cite(text, *_span(name), "plaintiff", _type_of(name), "X诉Y") for name in plaintiffs]
        facts += [_cite(text, *_span(name), "defendant", _type_of(name), "X诉Y") for name in defendants]
        third = _THIRD.match(folded, _span(defendants[-1])[1])
        if third and _is_name(third):
            facts.append(_cite(text, *_span(third), "third_party", _type_of(third), "X诉Y"))
    return facts


def _names_before(folded: str, start: int, end: int) -> list[re.Match[str]]:
    """Read the list of names that ends at `end`: A、B of A、B诉C."""
    names: list[re.Match[str]] = []
    while name := _WHOLE_NAME.fullmatch(folded, start + _role_length(folded, start), end):
        if not _is_name(name):
            break
        names.insert(0, name)
        if folded[start - 1 : start] != "、":
            break
        end = start - 1
        start = max(folded.rfind(mark, max(0, end - 40), end) + 1 for mark in _LEFT_EDGES)
    return names


def _names_behind(folded: str, position: int) -> list[re.Match[str]]:
    """Read the list of names that starts at `position`: B、C of A诉B、C."""
    names: list[re.Match[str]] = []
    while name := _WHOLE_NAME.match(folded, position + _role_length(folded, position)):
        if not _is_name(name):
            break
        names.append(name)
        position = _span(name)[1]
        if folded[position : position + 1] != "、" or folded.startswith("第三人", position + 1):
            break
        position += 1
    return names


def _role_length(folded: str, position: int) -> int:
    return next((len(role) for role in ROLES if folded.startswith(role, position)), 0)


def _find_english(text: str, folded: str) -> list[Fact]:
    facts = []
    for match in _ENGLISH_ROLE.finditer(folded):
        role = _ENGLISH_ROLES[match["role"].lower()]
        facts.append(_cite(text, *match.span("name"), role, "organisation", "English role"))
    for match in _ENGLISH_VERSUS.finditer(folded):
        facts.append(_cite(text, *match.span("first"), "plaintiff", "organisation", "X v. Y"))
        facts.append(_cite(text, *match.span("second"), "defendant", "organisation", "X v. Y"))
    return facts


def _without_shorter(facts: list[Fact]) -> list[Fact]:
    """Drop a name that another fact of the same role reads longer at the same place."""
    kept: list[Fact] = []
    reach: dict[Value, Fact] = {}
    for fact in sorted(facts, key=lambda fact: (fact.start, -fact.end)):
        longer = reach.get(fact.value["role"])
        if longer is None or fact.end > longer.end:
            reach[fact.value["role"]] = fact
            kept.append(fact)
    return kept


def _cite(text: str, start: int, end: int, role: str, kind: str, method: str) -> Fact:
    value: dict[str, Value] = {"name": text[start:end], "role": role, "type": kind}
    return cite("party", text, start, end, value, method)
