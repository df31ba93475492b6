"""Pairs for the near-duplicate benchmark: reposts of one text, and look-alikes that are different notices."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from opencc import OpenCC

from benchmarks.notices import FORMS, TEXTS, WORDS, Form, draw, fields_of, fill, write_article
from pipeline.dedupe import Text
from pipeline.normalize import fold

_OTHER_WORDS = "的了是在和有为与及等中上下内外前后新大小多少高低好全同各其该此"
_NUMERALS = "一二三四五六七八九十百千万亿〇两"
_BREAKS = (" ", "\r\n", "\u200b", "\xa0")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and the truth about them: `kind` of repost, or of look-alike."""

    kind: str
    is_repost: bool
    a: Text
    b: Text


def make_reposts(seed: int, count: int) -> Iterator[Pair]:
    """`count` pairs, the kinds in turn; two of three of articles, one of three of a filled form."""
    editor = Editor(seed)
    for number in range(count):
        kind = list(REPOSTS)[number % len(REPOSTS)]
        title, body = editor.write(is_form=number % 3 == 0)
        a = Text(title, body, f"site:{number}")
        b = replace(REPOSTS[kind](editor, a), identity=f"reprint:{number}")
        if kind == "other header":
            a = replace(a, body=f"{editor.header(1)}\n{a.body}")
        yield Pair(kind, True, a, b)


def make_look_alikes(seed: int, count: int) -> Iterator[Pair]:
    """`count` pairs, the kinds in turn: forms filled twice, articles in which one figure or one name is another.

    In half of the forms all fields differ, in a quarter two of those that identify the notice, in a quarter one. Every
    third pair is long: both have up to ten paragraphs of law in common word for word, before the form or after it.
    """
    editor = Editor(seed)
    kinds = [*FORMS, *ALTERED]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        if kind in FORMS:
            a, b = editor.fill_twice(FORMS[kind], (number // len(kinds)) % 4)
            if number % 3 == 2:
                a, b = editor.lengthen(a, b)
        else:
            a = editor.write(is_form=False)
            while (b := ALTERED[kind](editor.random, *a)) == a:
                a = editor.write(is_form=False)
        yield Pair(kind, False, Text(*a, f"site:{number}"), Text(*b, f"other:{number}"))


class Editor:
    """Reprints texts as other pages do; `random` makes every run with one seed the same."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.others = [Text(*write_article(self.random), None) for _ in range(60)]

    def write(self, *, is_form: bool) -> tuple[str, str]:
        """Title and body of an original."""
        if not is_form:
            return write_article(self.random)
        form = FORMS[self.random.choice(list(FORMS))]
        notice = fill(form, self._draw_fields(form))
        return self.lengthen(notice)[0] if self.random.random() < 1 / 3 else notice

    def fill_twice(self, form: Form, level: int) -> tuple[tuple[str, str], tuple[str, str]]:
        """Two fillings. Levels 0 and 1 differ in all fields, 2 in two that identify the notice, 3 in one."""
        values = self._draw_fields(form)
        fields = tuple(values)
        if level >= 2:
            fields = tuple(self.random.sample(form.identity, min(len(form.identity), 4 - level)))
        other = dict(values)
        for field in fields:
            while other[field] == values[field]:
                other[field] = draw(self.random, field)
        return fill(form, values), fill(form, other)

    def lengthen(self, *notices: tuple[str, str]) -> list[tuple[str, str]]:
        """The notices with the same paragraphs of law before or after them."""
        clauses = self.random.sample(TEXTS["clauses"], self.random.randint(3, len(TEXTS["clauses"])))
        before = self.random.choice((0, len(clauses), len(clauses) // 2))
        head, tail = "\n".join(clauses[:before]), "\n".join(clauses[before:])
        return [(title, f"{head}\n{body}\n{tail}".strip()) for title, body in notices]

    def header(self, parity: int | None = None) -> str:
        """Headers of one parity never meet those of the other: an exchanged header is another one."""
        return self._choose(TEXTS["headers"] if parity is None else TEXTS["headers"][parity::2])

    def footer(self) -> str:
        """What a page prints below."""
        return self._choose(TEXTS["footers"])

    def headline(self, text: Text) -> str:
        """Another headline for the text."""
        return self.random.choice(
            (
                "重磅！这件事终于有了结果",
                f"{draw(self.random, 'city')}知产圈都在看：{text.title[:8]}……",
                f"转发 | {text.title}",
                "知识产权保护再出实招，权威解读来了",
                f"【关注】{text.title[: max(4, len(text.title) // 2)]}",
            )
        )

    def dress(self, text: Text) -> Text:
        """Another headline, a header, two footers."""
        body = f"{self.header()}\n{text.body}\n{self.footer()}\n{self.footer()}"
        return replace(text, title=self.headline(text), body=body)

    def set_otherwise(self, text: Text) -> Text:
        """Another system's setting: full-width digits, half-width marks, other breaks (never within a number)."""
        body = text.body.replace("，", ",").replace("（", "(").replace("：", ":").replace("\n", "\n\n　　")
        if self.random.random() < 0.5:
            body = body.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
        pieces, at = [], 0
        while at < len(body):
            stop = at + self.random.randint(15, 60)
            while fold(body[stop - 1 : stop]).isascii() and body[stop - 1 : stop].isalnum():
                stop += 1
            pieces.append(body[at:stop])
            at = stop
        return replace(text, body=self.random.choice(_BREAKS).join(pieces))

    def convert(self, text: Text) -> Text:
        """Traditional characters, as set on the mainland, in Taiwan or in Hong Kong."""
        convert = OpenCC(self.random.choice(("s2t", "s2tw", "s2hk"))).convert
        return Text(convert(text.title), convert(text.body).replace("“", "「").replace("”", "」"), None)

    def edit(self, text: Text) -> Text:
        """Two to four words exchanged, dropped or mistyped, never a numeral; names are hit as any word is."""
        body = text.body
        for _ in range(self.random.randint(2, 4)):
            kind = self.random.random()
            fitting = [pair for pair in TEXTS["synonyms"] if pair[0] in body]
            places = [at for at, character in enumerate(body) if character in _OTHER_WORDS]
            at = self.random.randrange(len(body))
            if kind < 0.6 and fitting:
                word, other = self.random.choice(fitting)
                body = body.replace(word, other, 1)
            elif kind < 0.8 and "一" <= body[at] <= "鿿" and body[at] not in _NUMERALS:
                body = body[:at] + body[at + 1 :]
            elif places:
                at = self.random.choice(places)
                body = body[:at] + self.random.choice(_OTHER_WORDS) + body[at + 1 :]
        return replace(text, body=body)

    def tease(self, text: Text) -> Text:
        """The first three fifths up to a mark, between a header and a footer."""
        limit = round(len(text.body) * 0.6)
        stop = max(text.body.rfind(mark, 0, limit) for mark in "。，；\n")
        body = text.body[: stop if stop > 0 else limit]
        return replace(text, body=f"{self.header()}\n{body}……\n{self.footer()}")

    def digest(self, text: Text) -> Text:
        """One item among up to four others, together about twice its size."""
        items, room = [text], 2 * len(text.body)
        for other in self.random.sample(self.others, 4):
            items.append(replace(other, body=other.body[: len(text.body)]))
            room -= len(items[-1].body)
            if room < 40:
                break
        self.random.shuffle(items)
        lines = "\n".join(f"{number}. {item.title}\n{item.body}" for number, item in enumerate(items, 1))
        return Text("知识产权一周要闻", f"本周要闻速览，欢迎转发。\n{lines}\n{self.footer()}", None)

    def annotate(self, text: Text) -> Text:
        """An editor's note between two paragraphs, or two sentences."""
        note = self._choose(TEXTS["notes"])
        lines = text.body.split("\n")
        if len(lines) > 1:
            lines.insert(self.random.randint(1, len(lines) - 1), note)
            return replace(text, body="\n".join(lines))
        stop = text.body.find("。", len(text.body) // 3) + 1
        return replace(text, body=f"{text.body[:stop]}\n{note}\n{text.body[stop:]}")

    def leave_entities(self, text: Text) -> Text:
        """HTML entities left in the text, in a third of the cases escaped once more."""
        body = text.body.replace("“", "&ldquo;").replace("”", "&rdquo;")
        body = body.replace("\n", "\n&nbsp;&nbsp;").replace("，", "，&#8203;")
        return replace(text, body=html.escape(body) if self.random.random() < 0.3 else body)

    def quote(self, text: Text) -> Text:
        """The whole text within somebody's comments."""
        first, *rest = self.random.sample(TEXTS["comments"], 3)
        body = "\n".join((first, "先看全文：", f"“{text.body}”", *rest))
        return Text(f"评论：怎么看“{text.title[:10]}”", body, None)

    def _draw_fields(self, form: Form) -> dict[str, str]:
        return {field: draw(self.random, field) for field in fields_of(form.title + form.body)}

    def _choose(self, texts: list[str]) -> str:
        random = self.random
        values = {
            "date": f"2026-{random.randint(1, 12):02}-{random.randint(1, 28):02}",
            "person": draw(random, "person"),
            "person2": draw(random, "person"),
            "city": draw(random, "city"),
            "count": str(random.randint(10, 99_999)),
            "month": str(random.randint(1, 12)),
            "day": str(random.randint(2, 28)),
            "hour": str(random.randint(8, 20)),
            "minute": str(random.randint(10, 59)),
            "phone": str(random.randint(10_000_000, 99_999_999)),
            "phone2": str(random.randint(10_000_000, 99_999_999)),
            "year": str(random.randint(2015, 2026)),
        }
        return random.choice(texts).format_map(values)


def _identical(_: Editor, text: Text) -> Text:
    return text


def _cut_to(share: float) -> Callable[[Editor, Text], Text]:
    return lambda _, text: replace(text, body=text.body[: max(1, round(len(text.body) * share))])


REPOSTS: dict[str, Callable[[Editor, Text], Text]] = {
    "identical": _identical,
    "other headline": lambda editor, text: replace(text, title=editor.headline(text)),
    "header added": lambda editor, text: replace(text, body=f"{editor.header()}\n{text.body}"),
    "footer added": lambda editor, text: replace(text, body=f"{text.body}\n{editor.footer()}"),
    "headline, header, footers": Editor.dress,
    "other header": lambda editor, text: replace(text, body=f"{editor.header(0)}\n{text.body}"),
    "spaces, width, breaks": Editor.set_otherwise,
    "traditional characters": Editor.convert,
    "light edits": Editor.edit,
    "cut to 70 %": _cut_to(0.7),
    "cut to 50 %": _cut_to(0.5),
    "cut to 30 %": _cut_to(0.3),
    "cut, header, footer": Editor.tease,
    "in a digest": Editor.digest,
    "note in the middle": Editor.annotate,
    "entities left": Editor.leave_entities,
    "quoted with comments": Editor.quote,
}


def _alter_figure(random: Random, title: str, body: str) -> tuple[str, str]:
    """Another value for one of the article's figures."""
    figures = list(re.finditer(r"\d+", body))
    if not figures:
        return title, body
    figure = random.choice(figures)
    return title, f"{body[: figure.start()]}{int(figure[0]) + random.randint(1, 9)}{body[figure.end() :]}"


def _alter_firm(random: Random, title: str, body: str) -> tuple[str, str]:
    """Another firm wherever the article names one."""
    firms = [brand for brand in WORDS["brand"] if re.search(f"{brand}.{{2,4}}有限公司", body)]
    if not firms:
        return title, body
    firm, other = (
        random.choice(firms),
        random.choice([brand for brand in WORDS["brand"] if brand not in body]),
    )
    return title.replace(firm, other), body.replace(firm, other)


def _alter_person(random: Random, title: str, body: str) -> tuple[str, str]:
    """Another person wherever the article names one."""
    persons = re.findall(r"(?:法官|负责人|传承人)([一-鿿]{2,3}?)(?:介绍|对记者|说，)", body)
    if not persons:
        return title, body
    return title, body.replace(random.choice(persons), draw(random, "person"))


ALTERED: dict[str, Callable[[Random, str, str], tuple[str, str]]] = {
    "article, one figure": _alter_figure,
    "article, one firm": _alter_firm,
    "article, one person": _alter_person,
}
