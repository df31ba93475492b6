"""Records made up for tests of stories, and what their stories are by the definition, without a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import combinations

from pipeline.dedupe import SHARED_FOR_CANDIDATE, Text
from pipeline.dedupe.links import find_link
from pipeline.dedupe.partition import Member, Pair, partition
from pipeline.record import Record
from pipeline.store import sketches
from tests.notices import make_record

REPORT = (
    "江城市中级人民法院日前通报一起仿冒茶叶包装案件的处理情况。原告江城雾语茶业有限公司从2019年起使用“雾语”商标，"
    "被告云水商贸有限公司在网店出售包装相近的绿茶，累计成交1260单。合议庭认为，普通消费者隔着屏幕挑选商品，"
    "主要依靠图案与名称辨认来源，两者放在一起极易看错。"
)
RULED = "法院作出（2026）鄂01民初77号民事判决，判令被告赔偿原告经济损失38万元。"
CLOSING = (
    "宣判之后双方都没有上诉。当地茶叶协会随后组织会员自查，十多家商户主动更换了旧包装，并在店铺首页贴出说明。"
)
OTHER = (
    "北川市一家仪器厂的三名前员工带走客户名单，另设公司抢占市场。检察机关引导侦查机关固定电子数据，查明名单中"
    "四百余家客户的交易习惯并非公开信息。三人认罪认罚，并与原单位达成补偿协议。办案检察官提醒企业为核心岗位设置保密义务，"
    "离职时收回账号与资料，定期检查共享文件夹的访问记录。"
)
NOTICE = "本院定于{day}上午九时在第{room}法庭公开开庭审理原告{firm}侵害作品信息网络传播权纠纷一案，欢迎旁听。特此公告。"
FIRMS = (
    "青禾文化有限公司",
    "白石影业有限公司",
    "南溪动漫有限公司",
    "东篱音乐有限公司",
    "西岭图书有限公司",
    "北桥软件有限公司",
)

TEXTS: dict[str, tuple[str, str]] = {
    "report": ("江城法院宣判一起茶叶商标案", f"{REPORT}{RULED}{CLOSING}"),
    "reprint": ("重磅！包装相近也侵权", f"来源：知产周刊\n{REPORT}{RULED}{CLOSING}\n责任编辑：白露"),
    "teaser": ("茶叶包装案有结果", REPORT),
    "sibling": ("江城法院宣判一起茶叶商标案", f"{REPORT}{RULED.replace('77号', '78号')}{CLOSING}"),
    "brief": (
        "“雾语”案一审判赔38万元",
        "江城雾语茶业有限公司诉云水商贸有限公司一案，法院作出（2026）鄂01民初77号判决。",
    ),
    "english": (
        "Court rules in tea case",
        "The court made its judgment (2026) E 01 Min Chu No. 77 on Monday.",
    ),
    "parties": (
        "“雾语”商标案一审判赔38万元",
        "江城雾语茶业有限公司诉云水商贸有限公司侵害商标权纠纷一案近日一审宣判，网友议论纷纷。",
    ),
    "other": ("三名前员工带走客户名单", OTHER),
    "other reprint": ("客户名单也是秘密", f"{OTHER}\n编辑：阿南"),
    "digest": (
        "知识产权一周要闻",
        f"1. 茶叶商标案宣判\n{REPORT}{RULED}{CLOSING}\n2. 客户名单案\n{OTHER}\n更多消息请看下周。",
    ),
    **{
        f"notice {place}": (
            "法院公告",
            NOTICE.format(day=f"12月{place + 3}日", room="三五六七八九"[place], firm=firm),
        )
        for place, firm in enumerate(FIRMS)
    },
}
EDITED = {
    # An edit that gives an item another case, and one that takes it out of its text's story.
    "sibling": ("江城法院宣判一起茶叶商标案", f"{REPORT}{RULED}{CLOSING}"),
    "reprint": ("客户名单也是秘密", OTHER),
    "notice 1": ("三名前员工带走客户名单", OTHER),
}


def record_of(name: str, *, edited: bool = False, **changes: object) -> Record:
    """The record of a text by its name, at its first or second version."""
    title, body = (EDITED if edited else TEXTS)[name]
    return make_record(list(TEXTS).index(name) + 1, title=title, body=body, **changes)


def define_stories(records: Iterable[Record]) -> set[frozenset[str]]:
    """The stories of these items, compared each with each, as sets of identities."""
    kept = {record.identity: record for record in records}
    likenesses = {identity: record.likeness for identity, record in kept.items()}
    number_of = {identity: number for number, identity in enumerate(sorted(kept))}
    holders = Counter(value for found in likenesses.values() if found for value in found.sketch)
    telling = {
        identity: {value for value in found.sketch if holders[value] <= sketches.MOST_HOLDERS}
        if found
        else set()
        for identity, found in likenesses.items()
    }
    same, apart = [], []
    for one, other in combinations(sorted(kept), 2):
        if len(telling[one] & telling[other]) < SHARED_FOR_CANDIDATE:
            continue
        link = find_link(*(Text(kept[side].title, kept[side].body, side) for side in (one, other)))
        if link and link.kind == "same":
            same.append(Pair(number_of[one], number_of[other], link.coverage))
        elif link and link.kind == "apart":
            apart.append((number_of[one], number_of[other]))
    members = {
        number_of[identity]: Member(number_of[identity], identity, _day(record), found.keys if found else ())
        for (identity, record), found in zip(kept.items(), likenesses.values(), strict=True)
    }
    identity_of = {number: identity for identity, number in number_of.items()}
    return {
        frozenset(identity_of[number] for number in group) for group in partition(members, same, apart, [])
    }


def name_stories(stories: Iterable[Iterable[str]]) -> list[list[str]]:
    """Stories of more than one item by the names of their texts."""
    names = list(TEXTS)
    shown = [sorted(names[int(identity.rsplit(":", 1)[1]) - 1] for identity in story) for story in stories]
    return sorted(story for story in shown if len(story) > 1)


def _day(record: Record) -> object:
    best = record.dating.best if record.dating else None
    return best.value.date() if best and best.value else None  # type: ignore[union-attr]
