"""Pairs for the near-duplicate benchmark: reposts of one text, and look-alikes that are different notices."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from opencc import OpenCC

from benchmarks.notices import FORMS, Form, draw, fields_of, fill, write_article
from pipeline.dedupe import Text


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and the truth: what kind of repost or look-alike they are."""

    kind: str
    is_repost: bool
    a: Text
    b: Text


def make_reposts(seed: int, count: int) -> Iterator[Pair]:
    """`count` pairs, the kinds in turn; two of three of articles, one of three of a filled form."""
    random = Random(seed)
    others = [Text(*write_article(random), None) for _ in range(60)]
    kinds = list(REPOSTS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        if number % 3 == 0:
            original = _fill_form(random, random.choice(list(FORMS.values())))
        else:
            original = write_article(random)
        a = Text(*original, f"site:{number}")
        b = replace(REPOSTS[kind](random, a, others), identity=f"reprint:{number}")
        if kind == "other header":
            a = replace(a, body=f"{_header(random, 1)}\n{a.body}")
        yield Pair(kind, True, a, b)


def make_look_alikes(seed: int, count: int) -> Iterator[Pair]:
    """`count` pairs, the forms in turn. In half of the pairs all fields differ, in a quarter two of those that
    identify the notice, in a quarter one alone.
    """
    random = Random(seed)
    names = list(FORMS)
    for number in range(count):
        kind = names[number % len(names)]
        form = FORMS[kind]
        values = {field: draw(random, field) for field in fields_of(form)}
        level = (number // len(names)) % 4
        if level < 2:
            fields: tuple[str, ...] = tuple(values)
        else:
            fields = tuple(random.sample(form.identity, min(len(form.identity), 4 - level)))
        other = dict(values)
        for field in fields:
            for _ in range(20):
                other[field] = draw(random, field)
                if other[field] != values[field]:
                    break
        if level < 2 and kind in ("fee notice", "batch of cases", "numbered announcement"):
            other = {**other, **{field: _next(values[field]) for field in form.identity}}
        a = Text(*fill(form, values), f"site:{number}")
        b = Text(*fill(form, other), f"other:{number}")
        yield Pair(kind, False, a, b)


def _next(value: str) -> str:
    numerals = "二三四五六七八九十二"
    return str(int(value) + 1) if value.isdecimal() else numerals[numerals.index(value) + 1]


def _fill_form(random: Random, form: Form) -> tuple[str, str]:
    return fill(form, {field: draw(random, field) for field in fields_of(form)})


_HEADERS = (
    "来源：知产前沿  发布时间：{date} 09:{minute}  阅读 {count}",
    "【知产快讯】",
    "原标题：最新！这起案件结果公布\n来源 | 法治周末  作者 | 记者 {person}",
    "点击上方蓝字关注我们，每天了解知识产权新动态",
    "本报{city}{month}月{day}日电（记者 {person} 通讯员 {person2}）",
    "编者按：近期读者对这一问题关注较多，本刊特转发有关内容，供参考。",
    "法治网讯 记者{person}",
    "{date}  {hour}:{minute}  字号：大 中 小  打印",
    "导读 | 一文读懂本次发布的要点，建议收藏。",
    "知产视野 第{count}期 | 全文约需{day}分钟读完",
)
_FOOTERS = (
    "责任编辑：{person}\n审核：{person2}",
    "联系电话：010-{phone}  传真：010-{phone2}\n地址：{city}市和平路{day}号  邮编：1000{minute}",
    "声明：本文转载自有关部门网站，版权归原作者所有，仅供学习交流，如有侵权请联系删除。",
    "上一篇：{city}举办知识产权宣传周活动\n下一篇：多部门联合开展春季专项行动",
    "阅读 {count}  在看 {day}  分享到：微信 微博",
    "往期推荐\n{year}年十大案件回顾\n一图读懂新规",
    "本公众号每日更新，投稿邮箱见菜单栏。{year}年我们继续同行！",
    "ICP备{phone}号-1  京公网安备 110{phone}号  版权所有 知产在线 © {year}",
    "（图片由主办方提供，文字整理 {person}，{date}）",
)
_NOTES = (
    "【编者注：本案进展情况请关注后续报道，{date}整理。】",
    "（广告）知产课堂第{count}讲开始报名，扫码了解详情。",
    "小编提示：文中所涉数据以官方发布为准。",
    "延伸阅读：{year}年相关案例回顾，共{count}例。",
)
_COMMENTS = (
    "笔者以为，这一消息值得细读。它所回应的，是长期困扰实务界的举证难、周期长、赔偿低等老问题，也透露出下一阶段的努力方向。",
    "从比较法的角度看，类似做法并非孤例，但能否落到实处，仍取决于配套制度和一线人员的理解与执行，不能期待毕其功于一役。",
    "对企业法务而言，当务之急是梳理自身的权利清单和证据留存流程，把事后的救火变成事前的体检，这样才能在争议发生时从容应对。",
    "当然，也有同行持不同看法，认为相关表述留有较大的解释空间，未来还需要更多案例加以检验，我们将持续跟踪。",
)
_SYNONYMS = (
    ("介绍", "说明"), ("日前", "近日"), ("表示", "指出"), ("认为", "指出"), ("发布", "公布"), ("进一步", "更加"), ("应当", "应该"),
    ("可以", "能够"), ("继续", "持续"), ("依法", "依照法律"), ("根据", "依据"), ("以及", "和"), ("不少", "许多"), ("通过", "经由"),
    ("有关", "相关"), ("开展", "进行"), ("同时", "并"), ("但", "不过"), ("完善", "健全"), ("提高", "提升"), ("立即", "马上"),
    ("予以", "给予"), ("因", "由于"), ("如果", "倘若"), ("共同", "一起"), ("规定", "要求"), ("自", "从"), ("的，", "，"), ("并", "且"),
)  # fmt: skip
_OTHER_WORDS = "的了是在和有为与及等中上下内外前后新大小多少高低好全同各其该此"


def _values(random: Random) -> dict[str, str]:
    return {
        "date": f"2026-{random.randint(1, 12):02}-{random.randint(1, 28):02}",
        "person": draw(random, "person"),
        "person2": draw(random, "person"),
        "city": draw(random, "city"),
        "count": str(random.randint(10, 99999)),
        "month": str(random.randint(1, 12)),
        "day": str(random.randint(2, 28)),
        "hour": str(random.randint(8, 20)),
        "minute": str(random.randint(10, 59)),
        "phone": str(random.randint(10_000_000, 99_999_999)),
        "phone2": str(random.randint(10_000_000, 99_999_999)),
        "year": str(random.randint(2015, 2026)),
    }


def _header(random: Random, parity: int | None = None) -> str:
    """Headers of one parity never meet those of the other: an exchanged header is another one."""
    choices = _HEADERS if parity is None else _HEADERS[parity::2]
    return random.choice(choices).format_map(_values(random))


def _footer(random: Random) -> str:
    return random.choice(_FOOTERS).format_map(_values(random))


def _headline(random: Random, text: Text) -> str:
    return random.choice(
        (
            "重磅！这件事终于有了结果",
            f"{draw(random, 'city')}知产圈都在看：{text.title[:8]}……",
            f"转发 | {text.title}",
            "知识产权保护再出实招，权威解读来了",
            f"【关注】{text.title[: max(4, len(text.title) // 2)]}",
        )
    )


def _cut(text: Text, share: float) -> Text:
    return replace(text, body=text.body[: max(1, round(len(text.body) * share))])


def _reset(random: Random, text: Text, others: list[Text]) -> Text:
    """The same text set by another system: full-width digits or spaces, other line breaks, half-width marks."""
    body = text.body.replace("，", ",").replace("（", "(").replace("：", ":").replace("\n", "\n\n　　")
    if random.random() < 0.5:
        body = body.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    pieces, at = [], 0
    while at < len(body):
        step = random.randint(15, 60)
        while body[at + step - 1 : at + step].isdigit():
            step += 1
        pieces.append(body[at : at + step])
        at += step
    return replace(text, body=random.choice((" ", "\r\n", "\u200b", "\xa0")).join(pieces))


def _edit(random: Random, text: Text, others: list[Text]) -> Text:
    """Two to four words exchanged, dropped or mended, never a digit."""
    body = text.body
    for _ in range(random.randint(2, 4)):
        fitting = [pair for pair in _SYNONYMS if pair[0] in body]
        kind = random.random()
        if kind < 0.6 and fitting:
            body = body.replace(*random.choice(fitting), 1)
        elif kind < 0.8:
            at = random.randrange(len(body) - 1)
            if "一" <= body[at] <= "鿿" and body[at] not in "一二三四五六七八九十百千万亿〇两":
                body = body[:at] + body[at + 1 :]
        else:
            places = [at for at, character in enumerate(body) if character in _OTHER_WORDS]
            if places:
                at = random.choice(places)
                body = body[:at] + random.choice(_OTHER_WORDS) + body[at + 1 :]
    return replace(text, body=body)


def _traditional(random: Random, text: Text, others: list[Text]) -> Text:
    convert = OpenCC(random.choice(("s2t", "s2tw", "s2hk"))).convert
    return Text(convert(text.title), convert(text.body).replace("“", "「").replace("”", "」"), None)


def _digest(random: Random, text: Text, others: list[Text]) -> Text:
    """One of several items of about its own size."""
    around: list[Text] = []
    room = 2 * len(text.body)
    for other in random.sample(others, 4):
        piece = other.body[: room // 2]
        around.append(replace(other, body=piece))
        room -= len(piece)
        if room < 40:
            break
    items = [*around, text]
    random.shuffle(items)
    lines = [f"{number}. {item.title}\n{item.body}" for number, item in enumerate(items, 1)]
    return Text(
        "知识产权一周要闻", "本周要闻速览，欢迎转发。\n" + "\n".join(lines) + f"\n{_footer(random)}", None
    )


def _note(random: Random, text: Text, others: list[Text]) -> Text:
    lines = text.body.split("\n")
    at = random.randint(1, len(lines) - 1) if len(lines) > 1 else 0
    note = random.choice(_NOTES).format_map(_values(random))
    if at:
        lines.insert(at, note)
        return replace(text, body="\n".join(lines))
    stop = text.body.find("。", len(text.body) // 3) + 1
    return replace(text, body=f"{text.body[:stop]}\n{note}\n{text.body[stop:]}")


def _entities(random: Random, text: Text, others: list[Text]) -> Text:
    body = (
        text.body.replace("“", "&ldquo;")
        .replace("”", "&rdquo;")
        .replace("\n", "\n&nbsp;&nbsp;")
        .replace("，", "，&#8203;")
    )
    return replace(text, body=html.escape(body) if random.random() < 0.3 else body)


def _quoted(random: Random, text: Text, others: list[Text]) -> Text:
    comments = random.sample(_COMMENTS, 3)
    body = f"{comments[0]}\n先看全文：\n“{text.body}”\n{comments[1]}\n{comments[2]}"
    return Text(f"评论：怎么看“{text.title[:10]}”", body, None)


REPOSTS: dict[str, Callable[[Random, Text, list[Text]], Text]] = {
    "identical": lambda random, text, others: text,
    "other headline": lambda random, text, others: replace(text, title=_headline(random, text)),
    "header added": lambda random, text, others: replace(text, body=f"{_header(random)}\n{text.body}"),
    "footer added": lambda random, text, others: replace(text, body=f"{text.body}\n{_footer(random)}"),
    "header, footer, headline": lambda random, text, others: replace(
        text,
        title=_headline(random, text),
        body=f"{_header(random)}\n{text.body}\n{_footer(random)}\n{_footer(random)}",
    ),
    "other header": lambda random, text, others: replace(text, body=f"{_header(random, 0)}\n{text.body}"),
    "spaces and width": _reset,
    "traditional characters": _traditional,
    "light edits": _edit,
    "cut to 70 %": lambda random, text, others: _cut(text, 0.7),
    "cut to 50 %": lambda random, text, others: _cut(text, 0.5),
    "cut to 30 %": lambda random, text, others: _cut(text, 0.3),
    "cut, header, footer": lambda random, text, others: replace(
        text, body=f"{_header(random)}\n{_cut(text, 0.6).body}……\n{_footer(random)}"
    ),
    "in a digest": _digest,
    "note in the middle": _note,
    "entities left": _entities,
    "quoted with comments": _quoted,
}
