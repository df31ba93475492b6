"""The words around a date on a page: labels that state its meaning, other fields, furniture.

What isn't listed here makes a line unreadable, which is the point: `截止日期：2026-08-14` has a date, but not
one of the page.
"""

from __future__ import annotations

import re

from pipeline.dates.value import Meaning

# Relative words, as far as a field before them ends there.
_RELATIVE = r"(?:[0-9]{1,2}\s?(?:秒|分|分钟|个?小时|天|周)前|刚刚|今天|昨天|前天)"

_LABELS: dict[Meaning | None, str] = {
    "published": (
        "发布时间 发布日期 发布于 发布 发表时间 发表日期 发表于 发表 发稿时间 发稿日期 上传时间 "
        "上传日期 上网时间 上网日期 上线时间 刊发时间 刊发日期 刊登时间 刊登日期 刊载时间 登载时间 "
        "推送时间 首发时间 信息时间 新闻时间 文章时间 公告时间 公告日期 公布时间 公开时间 公开日期 "
        "发帖时间 添加时间 添加日期 加入时间 录入时间 入库时间 创建时间 信息发布时间 信息发布日期 "
        "文章发布时间 首次发布时间 首次发布"
    ),
    "issued": (
        "成文日期 成文时间 发文日期 发文时间 印发日期 印发时间 签发日期 签发时间 制发日期 颁布日期 "
        "颁布时间 公布日期 落款日期 出台日期 生成日期"
    ),
    "effective": "施行日期 施行时间 实施日期 实施时间 生效日期 生效时间 执行日期",
    "decided": (
        "裁判日期 裁判时间 判决日期 判决时间 裁定日期 宣判日期 宣判时间 结案日期 结案时间 审结日期 "
        "审结时间 裁决日期 决定日期 处罚日期 处罚决定日期"
    ),
    "hearing": "开庭日期 开庭时间 庭审时间 庭审日期 开庭审理时间",
    "modified": (
        "更新时间 更新日期 更新于 更新 最后更新时间 最后更新 最近更新 修改时间 修改日期 最后修改时间 编辑于"
    ),
    None: "时间 日期 年月日",
}
_ENGLISH_LABELS: dict[Meaning | None, str] = {
    "published": (
        "release (?:date|time)|time of release|date of (?:release|publication)|released(?: on)?"
        "|published(?: on| at| date)?|publication date|publish (?:date|time)|posted(?: on| at)?|post date"
        "|pub ?date|publish_?time|date (?:published|posted)|issue time|first published"
    ),
    "issued": "issued(?: on)?|issue date|date of issue|promulgated(?: on)?|promulgation date",
    "effective": "effective(?: date| on| from)?|in force from",
    "decided": "decided(?: on)?|judgment date|decision date|date of (?:judgment|decision)",
    "hearing": "hearing date|date of hearing",
    "modified": "(?:last )?updated?(?: on| at| time| date)?|(?:last )?modified(?: on)?|date modified",
    None: "date|time",
}
_SUFFIXES: dict[Meaning, str] = {
    "published": "发布|发表|刊发|上传|电|讯",
    "issued": "印发|颁布|成文",
    "effective": "起(?:正式)?(?:施行|实施|生效|执行)|施行|实施|生效",
    "modified": "更新|最后更新",
}
_FIELDS = (
    "信息来源 文章来源 稿件来源 新闻来源 内容来源 来源 稿源 出处 作者 编辑 责任编辑 责编 记者 通讯员 "
    "撰稿 供稿 供稿单位 发布人 发布者 发布单位 发布机构 发布部门 发文机关 发文机构 发文单位 信息提供 "
    "资料来源 发布文号 文件编号 公文种类 公开类别 公开范围 信息名称 信息索引号 效力状态 "
    "信息分类 审核 审核人 校对 录入 摄影 文号 发文字号 索引号 主题分类 主题词 标题 栏目 分类 字号 "
    "字体 字体大小 分享 分享到 浏览次数 浏览量 浏览 阅读次数 阅读量 阅读 点击次数 点击数 点击量 点击 "
    "访问次数 访问量 人气 关键词 打印 法院 案号 有效性 公开方式"
)
_FURNITURE = (
    r"责任编辑|原创|置顶|转载|打印本页|打印|关闭窗口|关闭|收藏|分享到|分享|微信|微博|字号|字体|大(?=\s|\]|\)|$|中|,|\|)"
    r"|中(?=\s|\]|\)|$|小|,|\|)|小(?=\s|\]|\)|$|,|\|)|北京时间|new(?![a-z])"
    r"|(?:浏览|阅读|点击|访问|查看|人气)(?:次数|数|量)?\s?\(?[0-9][0-9,]*\s?[次人]?(?:阅读|浏览)?|[0-9]+\s?次(?:阅读|浏览|点击)"
)
# Where the writer is, which WeChat prints behind the clock.
_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃"
    "|青海|内蒙古|广西|西藏|宁夏|新疆|香港|澳门|台湾"
)
_PUBLISHER_ENDINGS = (
    "网 网站 报 日报 晚报 周报 时报 商报 法治报 社 新华社 法院 检察院 法庭 局 部 委 委员会 办 办公室 "
    "厅 府 政府 院 会 协会 中心 研究院 台 电视台 电台 杂志 周刊 月刊 学刊 刊 在线 频道 新闻 客户端 "
    "公众号 资讯 观察 法治 财经 处 司 室 所"
)
_FOOTER = re.compile(
    r"©|\(c\)|copyright|all rights reserved|版权|著作权所有|备案|icp[备证]"
    r"|(?:网站|本站|页面|网页|本页|系统|站点)(?:最后)?更新|技术支持|主办单位|承办单位|公网安备",
    re.IGNORECASE,
)


def _spaced(words: str) -> list[str]:
    """Alternatives, longest first; official tables print `日　期` with spaces between the characters."""
    ordered = sorted(words.split(), key=len, reverse=True)
    return [r"\s*+".join(word) if len(word) <= 4 else word for word in ordered]


def _alternatives() -> tuple[str, dict[str, Meaning | None]]:
    meanings: dict[str, Meaning | None] = {}
    for meaning, words in _LABELS.items():
        meanings |= dict.fromkeys(words.split(), meaning)
    chinese = "|".join(_spaced(" ".join(meanings)))
    return chinese, meanings


_CHINESE, _MEANINGS = _alternatives()
_ENGLISH = "|".join(f"(?P<{meaning or 'plain'}>{words})" for meaning, words in _ENGLISH_LABELS.items())
_FIELD = "|".join(_spaced(_FIELDS))

LABEL = re.compile(rf"(?P<chinese>{_CHINESE})(?:为|是)?[\s:\])|]*+")
ENGLISH_LABEL = re.compile(rf"(?:{_ENGLISH})(?![a-z])[\s:\])|]*+", re.IGNORECASE)
# 自2026年9月1日起施行: the words on both sides together are the label.
FROM = re.compile(r"自(?=[^起自]{6,40}起?(?:正式)?(?:施行|实施|生效|执行))\s*+")
SUFFIX = re.compile(
    r"\s*+(?:"
    + "|".join(f"(?P<{meaning}>{words})" for meaning, words in _SUFFIXES.items())
    + r")(?!\s?[:\]]|[一-龥])"
)
_LONG_LABEL = "|".join(_spaced(" ".join(word for word in _MEANINGS if len(word) > 2)))
_ANY_ENGLISH_LABEL = "|".join(_ENGLISH_LABELS.values())
_ANY_LABEL = (
    rf"(?:{_FIELD}|(?<![一-龥])(?:时\s?间|日\s?期)|{_LONG_LABEL}|(?<![a-z-])(?:{_ANY_ENGLISH_LABEL}))"
)
# A value ends where the next label, a bar or a date after a space begins.
FIELD = re.compile(
    rf"(?:{_FIELD}|source|by|author|editor|writer|from)\s?[:\]]"
    rf"(?P<value>[^|]*?)(?=\s*+\[?{_ANY_LABEL}\s?[:\]]|\s*+\||(?<=[^\s:])[\s\[(]++(?=[0-9]{{1,4}}\s?[-/.年月]|{_RELATIVE})|\s*+$)",
    re.IGNORECASE,
)
# 打印时间 is when somebody printed the page, 转载日期 when somebody copied it: no furniture before a label of a date.
FURNITURE = re.compile(rf"(?:{_FURNITURE}|(?:{_PROVINCES})$)(?!\s*+(?:时\s?间|日\s?期))", re.IGNORECASE)
PUBLISHER = re.compile(
    rf"[一-龥]{{1,20}}(?:{'|'.join(_PUBLISHER_ENDINGS.split())})(?=[\s|,/()\[\]·]|$)"
    r"|(?:xinhua|china daily|global times|people's daily|by [a-z][a-z.' ]{1,30}(?=[|,]))(?![a-z])",
    re.IGNORECASE,
)
# Any words between bars: `| 张三 |`.
CELL = re.compile(r"[^|0-9:;,。!?]{1,40}?\s*+(?=\|)")
LAST_CELL = re.compile(r"[^|0-9:;,。!?]{1,40}$")
# Dates that stand on pages without being the page's own.
OTHER_DATES = re.compile(
    r"截[至止]|有效期|到期|届满|申请日|优先权|授权公告|出生|生日|报名|投标|开标|征求意见|会议时间|活动时间|农历|民国"
    r"|deadline|expir|filing date|priority date",
    re.IGNORECASE,
)


def is_footer(text: str) -> bool:
    """Whether a folded line belongs to the page's foot (copyright, filing number, site updated)."""
    return _FOOTER.search(text) is not None


def meaning_of(match: re.Match[str]) -> Meaning | None:
    """The meaning that a match of `LABEL` states."""
    return _MEANINGS["".join(match["chinese"].split())]


def meaning_of_group(match: re.Match[str]) -> Meaning | None:
    """The meaning that a match of `ENGLISH_LABEL` or `SUFFIX` states."""
    name = match.lastgroup
    return None if name is None or name == "plain" else _GROUPS[name]


_GROUPS: dict[str, Meaning] = {meaning: meaning for meaning in (*_SUFFIXES, *_ENGLISH_LABELS) if meaning}
