"""Which report of an event leads its story: the one closest to the source of the law.

The order: an authority's own channel, an authority on another channel (its WeChat account), a listed company's
announcement, which the law makes it answer for (证券法 (2019), article 78), another text on an authority's site, media,
WeChat accounts, links handed in. Within one rank the earliest published leads.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import NamedTuple

from pipeline.dates import SHANGHAI
from pipeline.normalize import fold

_OFFICIAL_FAMILIES = ("court", "spp", "cnipa", "gov")
_AUTHORITY = re.compile(
    r"法院|法庭|检察|知识产权局|商标局|专利局|版权局|市场监督管理|市场监管|国务院|人民政府|公安|海关|司法部|司法厅|司法局|商务部"
    r"|农业农村部|税务|证监会|委员会办公厅|最高法|最高检|高检网|办公厅|联席会议"
    r"|\b(?:court|procuratorate|administration|state council|ministry)\b"
)
_PAPER = re.compile(
    r"报社|日报|晚报|周报|时报|商报|法院报|检察日报|产权报|质量报|报$|杂志|期刊|出版社|daily|news|times|journal"
)
_RANKS = {
    "disclosure": (2, "a company's announcement"),
    "media": (4, "media"),
    "wechat": (5, "a WeChat account"),
}
_LAST = (6, "a link handed in")


class Authority(NamedTuple):
    """`rank` orders reports, the lowest first; `why` says in words what it stands for."""

    rank: int
    why: str


def find_authority(source_key: str, publisher: str) -> Authority:
    """How close a report is to the source, by the family of its list and the publisher that it names."""
    family = source_key.split("_", 1)[0]
    name = fold(publisher)
    speaks_itself = bool(_AUTHORITY.search(name)) and not _PAPER.search(name)
    if family in _OFFICIAL_FAMILIES:
        return (
            Authority(0, "the authority itself") if speaks_itself else Authority(3, "on an authority's site")
        )
    if speaks_itself and family != "disclosure":
        return Authority(1, "an authority on another channel")
    return Authority(*_RANKS.get(family, _LAST))


def lead_order(
    source_key: str, publisher: str, published_on: date | None, published_at: datetime | None, identity: str
) -> tuple[int, bool, date, bool, datetime, str]:
    """What reports of one event are sorted by; the first leads. An unknown date comes last, a day before its hours."""
    unknown = datetime.max.replace(tzinfo=SHANGHAI)
    return (
        find_authority(source_key, publisher).rank,
        published_on is None,
        published_on or date.max,
        published_at is None,
        published_at or unknown,
        identity,
    )
