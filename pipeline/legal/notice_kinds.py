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
            r"统计(?:数据|公报|简报|年报|月报|结果)|(?:发布|公布)[^，。]{0,16}数据|白皮书|数据概览|同比(?:增长"
            r"|下降)"
        ),
    ),
    (
        "law_or_policy",
        re.compile(
            r"关于(?:印发|发布|公布|修改|废止|实施)|(?:办法|规定|条例|细则|解释|通知|意见|方案|纲要|指南|规划"
            r"|公告)(?:\((?:试行|征求意见稿|[^()]{0,12}号|[^()]{0,12}修订)\))?$|征求意见|自[^，。]{2,14}起施行|"
            r"(?:司法解释|条例|办法|规定)[^，。]{0,12}(?:发布|施行|出台|公布)"
        ),
    ),
    (
        "case",
        re.compile(
            r"纠纷(?:一)?案|典型案例|指导性案例|指导案例|十大案(?:例|件)|侵权案|一审(?:宣判|判决|胜诉)|二审(?:宣判"
            r"|改判|维持)|判(?:赔|决|令)|罪案|诉[^，。]{2,40}案"
        ),
    ),
    (
        "news",
        re.compile(
            r"座谈会|调研|培训班|论坛|揭牌|研讨会|工作会议|签约仪式|会见|开班|宣传周|新闻发布会|交流会"
        ),
    ),
)
_LONGEST_TITLE = 100


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
        if match:
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
