"""What kind of notice a text is, read off its title."""

from __future__ import annotations

import re

from pipeline.legal.fact import Fact, cite
from pipeline.legal.folding import fold

_NOTICE_KINDS = (
    ("hearing", re.compile(r"开庭公告|庭审公告|开庭审理|公开开庭|庭审直播|开庭(?=$|！|!)|\bcourt hearing\b")),
    ("appointment", re.compile(r"任命|任免|任职|履新|当选|\bappointed\b")),
    (
        "statistics",
        re.compile(
            r"数据统计|统计(?:监测|调查)?报告|统计(?:数据|公报|简报|年报|月报|结果)|(?:发布|公布)[^，。]{0,16}数据|白皮书|数据概览|同比(?:增长"
            r"|下降)"
        ),
    ),
    (
        "law_or_policy",
        re.compile(
            r"关于(?:印发|发布|公布|修改|废止|实施)|(?:公开)?征求意见|自[^，。]{2,14}起施行|》[^，。《]{0,14}解读$|政策解读$"
            r"|(?:办法|规定|条例|细则|解释|通知|意见|方案|纲要|指南|规划|公告|通告|规程|规则|准则|指引)"
            r"(?:\((?:试行|征求意见稿|20\d\d|[^()]{0,12}号|[^()]{0,12}修[订正])\)){0,2}$"
            r"|法\([^()]{0,12}修[订正]\)$|^中华人民共和国[^，。：:《]{2,24}法$"
            r"|(?:司法解释|条例|办法|规定|细则|指南|指引|意见|方案|规划|纲要|计划)(?:\([^()]{2,14}\))?》?[^，。]{0,12}(?:印发|发布|施行|出台|公布)"
            r"|(?:印发|发布|出台|公布|修订|转发)《[^《》]{2,60}(?:解释|条例|办法|规定|细则|指南|指引|意见|方案|规划|纲要)(?:\([^()]{2,14}\))?》"
            r"|司法解释\("
        ),
    ),
    (
        "case",
        re.compile(
            r"纠纷(?:一)?案(?!件)|典型案(?:例|件)|指导性案例|指导案例|十大案(?:例|件)|侵权案|一审(?:宣判|判决|胜诉)|二审(?:宣判"
            r"|改判|维持)|判(?:赔|决|令)|罪案|诉(?<!被诉)(?!讼)[^，。]{2,40}案(?<![方涉草提立备档答图教预]案)(?!件)"
        ),
    ),
    (
        "news",
        re.compile(
            r"座谈会|调研|培训班|论坛|揭牌|研讨会|工作会议|签约仪式|会见|开班|宣传周|新闻发布会|交流会"
        ),
    ),
)
NOTICE_KINDS: tuple[str, ...] = tuple(kind for kind, _ in _NOTICE_KINDS)
_LONGEST_TITLE = 100
# A guide by a journalist, a call for papers and a notice of a meeting are no law, though their titles end like one.
_NO_POLICY = re.compile(
    r"一文|一图|一张图|读懂|看懂|必修课|攻略|漫画|直播|征集意见|征求(?!意见)"
    r"|(?:培训|讲座|会议|大赛|竞赛|论坛|研讨班|培训班|年会|沙龙|宣讲|宣传周)(?:活动)?(?:计划)?[^，。]{0,6}的?通知$|将推出"
)


def find_notice_kind(text: str) -> list[Fact]:
    """Find the kind of the notice: none or one fact.

    value: `notice_kind`: case, law_or_policy, statistics, hearing, appointment, news. Only a first line that reads
    like a title decides (at most 100 characters, no full stop); the rules are tried in the order of the table.
    """
    folded = fold(text)
    stripped = len(folded) - len(folded.lstrip())
    end = folded.find("\n", stripped)
    title = folded[stripped : end if end >= 0 else len(folded)]
    if not title or len(title) > _LONGEST_TITLE or "。" in title:
        return []
    title = title.rstrip()
    for kind, pattern in _NOTICE_KINDS:
        match = pattern.search(title)
        if match and not (kind == "law_or_policy" and _NO_POLICY.search(title)):
            start = stripped + match.start()
            return [
                cite(
                    "notice_kind",
                    text,
                    start,
                    stripped + match.end(),
                    {"notice_kind": kind},
                    "words of the title",
                )
            ]
    return []
