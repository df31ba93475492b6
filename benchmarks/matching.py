"""How fast many rules are held against many items, beside evaluating each rule's regular expression one by one.

Run: python -m benchmarks.matching [--rules 1000] [--items 10000]

The rules are queries such as people write: a name of a firm, a word with synonyms and another one, two words and not a
third, and one in ten with a filter alone. The items are articles of benchmarks/notices.py, interpreted before the clock
starts; one in a hundred names a watched firm. Both ways hold all rules against the same items in one run on one core. The
regular expressions stand for the words of the rules alone (their forms joined by |, Latin ones whole), without filters, on
text that was folded before: the least that such an evaluation has to do. They are measured on a part of the items, for
all of them would take minutes; the figure is items a second either way. That both find the same is checked for the rules
without filters.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from random import Random

from rich.console import Console
from rich.table import Table

from benchmarks.notices import write_article
from pipeline.expression import Query, read_query
from pipeline.expression.conditions import All, Condition, Negation, OneOf, Words, leaves
from pipeline.expression.matcher import Matcher
from pipeline.expression.subject import Subject
from pipeline.legal import find_facts
from pipeline.normalize import fold

_SEED = 20261128
_REGEX_ITEMS = 60
_DISTINCT = 500  # articles that are interpreted; items take them in turn, each with words of its own
_FIRST, _SECOND = "澄云雾青白南东西北", "禾语石溪篱岭桥海山"
_WORDS = (
    "商标",
    "专利",
    "著作权",
    "商业秘密",
    "不正当竞争",
    "域名",
    "地理标志",
    "植物新品种",
    "侵权",
    "假冒",
)
_OTHERS = ("赔偿", "法院", "检察", "公告", "司法解释", "典型案例", "无效宣告", "许可", "海关", "平台")
_FILTERS = ("amount>=500万", "court:北京知识产权法院", "ip:plant_variety", "level:supreme amount>=1000万")


def draw_firm(random: Random) -> str:
    """The invented name of a firm."""
    return "".join(random.choice(part) for part in (_FIRST, _SECOND, _FIRST, _SECOND)) + "有限公司"


def write_queries(random: Random, number: int, firms: list[str]) -> list[Query]:
    """Queries as people write them: seven in ten are names, the rest words and filters."""
    queries = []
    for place in range(number):
        match place % 10:
            case 7:
                text = f"{random.choice(_WORDS)} {random.choice(_OTHERS)} {draw_firm(random)[:2]}"
            case 8:
                text = f"({random.choice(_WORDS)} OR {random.choice(_WORDS)}) {draw_firm(random)[:3]} -{random.choice(_OTHERS)}"
            case 9:
                text = random.choice(_FILTERS)
            case _:
                text = f'"{firms[place]}" OR {firms[place][:4]}'
        queries.append(read_query(text))
    return queries


def write_items(random: Random, number: int, firms: list[str]) -> list[Subject]:
    """Articles with their facts; every hundredth names a watched firm."""
    articles = [write_article(random) for _ in range(_DISTINCT)]
    facts = [(tuple(find_facts(title)), tuple(find_facts(body))) for title, body in articles]
    items = []
    for place in range(number):
        title, body = articles[place % _DISTINCT]
        in_title, in_body = facts[place % _DISTINCT]
        named = f"\n原告为{random.choice(firms)}。" if place % 100 == 0 else f"\n原告为{draw_firm(random)}。"
        items.append(Subject(title, body + named, ("某院", "", ""), (), in_title, in_body, "x", (), None))
    return items


Judge = Callable[[str], bool]


def build_regex(condition: Condition) -> Judge:
    """The condition as a regular expression for each of its words, tied together as the condition is."""
    match condition:
        case Words():
            search = re.compile("|".join(map(_write_form, condition.forms))).search
            return lambda text: search(text) is not None
        case All():
            parts = [build_regex(part) for part in condition.parts]
            return lambda text: all(part(text) for part in parts)
        case OneOf():
            parts = [build_regex(part) for part in condition.parts]
            return lambda text: any(part(text) for part in parts)
        case Negation():
            inner = build_regex(condition.part)
            return lambda text: not inner(text)
    return lambda _text: False


def _write_form(form: str) -> str:
    folded = re.escape(fold(form))
    return rf"\b{folded}\b" if form.isascii() else folded


def main() -> None:
    """Print items a second either way, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--items", type=int, default=10_000)
    options = parser.parse_args()
    random = Random(_SEED)
    firms = [draw_firm(random) for _ in range(options.rules)]
    queries = write_queries(random, options.rules, firms)
    items = write_items(random, options.items, firms)

    begun = time.perf_counter()
    matcher = Matcher([query.condition for query in queries])
    built = time.perf_counter() - begun
    begun = time.perf_counter()
    together = [matcher.find(item) for item in items]
    fast = len(items) / (time.perf_counter() - begun)

    judges = [build_regex(query.condition) for query in queries]
    words_alone = {
        place
        for place, query in enumerate(queries)
        if all(isinstance(leaf, Words) for leaf in leaves(query.condition))
    }
    some = items[:: max(1, len(items) // _REGEX_ITEMS)][:_REGEX_ITEMS]
    folded = [fold(f"{item.title}\n{item.publishers[0]}\n{item.body}") for item in some]
    begun = time.perf_counter()
    one_by_one = [[place for place, judge in enumerate(judges) if judge(text)] for text in folded]
    slow = len(some) / (time.perf_counter() - begun)
    for item, found in zip(some, one_by_one, strict=True):
        assert words_alone & set(found) == words_alone & set(matcher.find(item))

    length = sum(len(item.body) for item in items) / len(items)
    table = Table(title=f"{len(queries)} rules, {len(items)} items of {length:.0f} characters on average")
    for heading in ("", "items/s", "ratio"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("all rules together, with filters", f"{fast:,.0f}", f"{fast / slow:.0f}x")
    table.add_row(f"a regular expression a rule, words alone ({len(some)} items)", f"{slow:,.0f}", "1x")
    Console().print(table)
    Console().print(
        f"{sum(map(len, together))} matches; the matcher of all rules is built in {built * 1000:.0f} ms."
    )


if __name__ == "__main__":
    main()
