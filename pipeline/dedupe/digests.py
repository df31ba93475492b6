"""Whether a text is a digest: several things under one headline, none of which it is the report of."""

from __future__ import annotations

import re

from pipeline.normalize import fold

_NUMERAL = "[一二三四五六七八九十百两几数0-9]"
_SEVERAL = r"(?:[二三四五六七八九十百两几]|(?<!\d)[2-9](?!\d)|\d{2,})"
_TITLE = re.compile(
    r"典型案(?:例|件)|(?:十大|百大|优秀|经典|精品|热点|年度)[^，。]{0,12}(?:案例|案件|事件|新闻)|案例(?:选|集|汇编|通报)"
    rf"|指导性案例(?!第?{_NUMERAL}+号)|第{_NUMERAL}{{1,4}}[批期](?!专利代理)[^，。]{{0,12}}案|{_SEVERAL}[大起件个宗][^，。]{{0,8}}案"
    r"|要闻|速览|速递|一览|盘点|汇总|合集|集锦|简讯|简报|周报|周刊|月报|月刊|早报|晚报|早知道|一周|本周|上周|每周|每日"
    r"|审判(?:工作)?(?:情况|白皮书)|工作(?:情况|报告|综述|总结)|白皮书"
    r"|\b(?:roundup|round-up|digest|weekly|monthly|newsletter|highlights|in brief|typical cases|top \d+|news in)\b"
)
_ENTRY = re.compile(
    r"^[^\S\n]*(?:[【\[(（]?案例?\s*(?:[一二三四五六七八九十]{1,3}|\d{1,3})[】\])）:：、.．\s]"
    r"|[【\[(（]?\d{1,2}[】\])）、.．:：]\s*(?!\d))(?P<heading>[^\n。；]{2,60})(?=\n[^\n]*。)",
    re.MULTILINE,
)
_FEWEST_ENTRIES = 2


def is_digest(title: str, body: str) -> bool:
    """True when the headline says so, or when the body is set as numbered entries, each with a heading.

    The headings are lines of their own without a full stop, numbered in digits (1. …) or as cases (案例一 …), each
    with a text below: the paragraphs of one report, the articles of a law and a list of names are none.
    """
    if _TITLE.search(fold(title)):
        return True
    headings = {match["heading"] for match in _ENTRY.finditer(body)}
    return len(headings) >= _FEWEST_ENTRIES
