"""How fast and how well legal facts are read, beside what one would pick instead.

Run: python -m benchmarks.facts

Speed: articles of 1,000 characters, pieced together from the hand-written notices of
tests/pipeline/legal/articles.toml and plain prose, so that they hold about as many facts as real ones do; the dense
ones are notices alone. Every reader reads the same articles in one run on one core, and the figure is the median of
the rounds. Accuracy: the cases of tests/pipeline/legal/amounts.toml and case_numbers.toml, which were
written for this project and in its spirit: right counts values read right, wrong those read at the right place with
another value, missed those not found, invented those found where nothing is. The readers beside ours read money or
case numbers only, ours reads all kinds.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import statistics
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.legal import find_amounts, find_case_numbers, find_facts, find_in_pinyin

_TABLES = Path(__file__).resolve().parent.parent / "tests" / "pipeline" / "legal"
_ARTICLES = 300
_LENGTH = 1_000
_ROUNDS = 5

# The reasoning between the facts, as long as in real notices.
_PROSE = (
    "法院认为，判断是否容易造成混淆，应当以相关公众的一般注意力为准，既要进行整体比对，也要进行主要部分的比对，"
    "并考虑请求保护的标识的显著性和知名度。被告虽称其行为属于正当使用，但其使用方式已经起到识别来源的作用，"
    "难以认定为善意。鼓励创新与维护公平并不矛盾，权利的边界应当清楚，竞争的规则应当得到遵守。"
    "承办人表示，企业在研发之初就应当建立档案，妥善保管设计图纸、实验记录与往来邮件，以便在争议发生时能够说明来源。"
    "下一步将继续完善多元化解机制，加强与行业组织的沟通，推动同类争议在源头上得到解决，让创新者安心、让消费者放心。\n"
)

Span = tuple[int, int]
Values = list[tuple[Span, str]]
Reader = Callable[[str], Values]


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to read facts; `judged` names the table that it is judged by, None for speed only."""

    name: str
    read: Callable[[str], Any]
    judged: str | None = None


def load_articles(prose: int) -> list[str]:
    """Piece articles of 1,000 characters together, each with another beginning, with `prose` times the plain prose."""
    marked = tomllib.loads((_TABLES / "articles.toml").read_text(encoding="utf-8"))["article"]
    notices = [re.sub(r"⟦[a-z_,]+\|", "", article["marked"]).replace("⟧", "") for article in marked]
    articles = []
    for number in range(_ARTICLES):
        text = f"第{number}篇\n"
        place = number
        while len(text) < _LENGTH:
            text += notices[place % len(notices)] + _PROSE * prose
            place += 1
        articles.append(text[:_LENGTH])
    return articles


def read_our_amounts(text: str) -> Values:
    return [((fact.start, fact.end), str(fact.value["amount"])) for fact in find_amounts(text)]


def read_our_case_numbers(text: str) -> Values:
    facts = find_case_numbers(text) + find_in_pinyin(text)
    return [((fact.start, fact.end), str(fact.value["serial"])) for fact in facts]


_PLAIN_MONEY = re.compile(r"([\d,.]+|[零一二三四五六七八九十百千万亿两]+)(万|亿)?(?:多|余)?(?:元|美元|欧元)")
_PLAIN_CASE_NUMBER = re.compile(r"[（(](\d{4})[)）]([\u4e00-\u9fff]\d{0,4})([\u4e00-\u9fff]{1,6})(\d+)号")


def read_plain_amounts(text: str) -> Values:
    """Read money as a short regular expression and cn2an would."""
    cn2an = importlib.import_module("cn2an").cn2an
    values: Values = []
    for match in _PLAIN_MONEY.finditer(text):
        try:
            number = Decimal(str(cn2an(match[1].replace(",", "") + (match[2] or ""), "smart")))
        except (ValueError, InvalidOperation):
            continue
        values.append((match.span(), format(number.normalize(), "f")))
    return values


def read_plain_case_numbers(text: str) -> Values:
    """Read case numbers as a short regular expression would."""
    return [(match.span(), str(int(match[4]))) for match in _PLAIN_CASE_NUMBER.finditer(text)]


def read_jionlp_amounts(text: str) -> Values:
    """Read money with jionlp's extraction; a range of values counts by its lower end."""
    jionlp = importlib.import_module("jionlp")
    values: Values = []
    for found in jionlp.ner.extract_money(text):
        number = found["detail"]["num"]
        lowest = number[0] if isinstance(number, list) else number
        start, end = found["offset"]
        values.append(((start, end), format(Decimal(lowest).normalize(), "f")))
    return values


def judge(read: Reader, table: str) -> dict[str, int]:
    """Count right, wrong, missed and invented over one table; places count as the same when they overlap."""
    key = "amount" if table == "amounts" else "serial"
    counts = dict.fromkeys(("right", "wrong", "missed", "invented"), 0)
    cases: list[dict[str, Any]] = tomllib.loads((_TABLES / f"{table}.toml").read_text(encoding="utf-8"))[
        "case"
    ]
    for case in cases:
        with contextlib.redirect_stdout(io.StringIO()):
            found = read(case["text"])
        places = locate(case["text"], [expected["raw"] for expected in case["facts"]])
        for expected, (start, end) in zip(case["facts"], places, strict=True):
            hit = next((item for item in found if item[0][0] < end and start < item[0][1]), None)
            if hit is None:
                counts["missed"] += 1
                continue
            found.remove(hit)
            counts["right" if hit[1] == str(expected.get(key, hit[1])) else "wrong"] += 1
        counts["invented"] += len(found)
    return counts


def locate(text: str, raws: list[str]) -> list[Span]:
    """Find where the raw texts stand, in order; members of a range stand at one place."""
    places: list[Span] = []
    for raw in raws:
        start = text.find(raw, places[-1][1] if places else 0)
        if start < 0:
            places.append(places[-1])
        else:
            places.append((start, start + len(raw)))
    return places


def measure(read: Callable[[str], object], articles: list[str]) -> float:
    """Return articles a second: the median of the rounds, after one round to warm up."""
    rates = []
    for _ in range(_ROUNDS + 1):
        start = time.process_time()
        for article in articles:
            read(article)
        rates.append(len(articles) / (time.process_time() - start))
    return statistics.median(rates[1:])


def list_contenders() -> list[Contender]:
    """Ours first; those whose library isn't installed are left out."""
    contenders = [
        Contender("iprwatch, all kinds", find_facts),
        Contender("iprwatch, money", read_our_amounts, "amounts"),
        Contender("iprwatch, case numbers", read_our_case_numbers, "case_numbers"),
        Contender("short regex, case numbers", read_plain_case_numbers, "case_numbers"),
    ]
    for library, contender in (
        ("cn2an", Contender("short regex + cn2an, money", read_plain_amounts, "amounts")),
        ("jionlp", Contender("jionlp, money", read_jionlp_amounts, "amounts")),
    ):
        with contextlib.suppress(ImportError), contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(library)
            contenders.append(contender)
    return contenders


def main() -> None:
    """Print one table: articles a second, their ratio to ours for all kinds, and the counts."""
    ordinary, dense = load_articles(prose=2), load_articles(prose=0)
    load = " and ".join(
        f"{sum(len(find_facts(text)) for text in texts) / _ARTICLES:.0f}" for texts in (ordinary, dense)
    )
    table = Table(title=f"{_ARTICLES} articles of {_LENGTH} characters, {load} facts each (dense), one core")
    for column in ("reader", "articles/s", "ratio", "dense/s", "right", "wrong", "missed", "invented"):
        table.add_column(column, justify="left" if column == "reader" else "right")
    ours = 0.0
    for contender in list_contenders():
        rate = measure(contender.read, ordinary)
        ours = ours or rate
        counts = judge(contender.read, contender.judged) if contender.judged else {}
        cells = (str(counts.get(key, "")) for key in ("right", "wrong", "missed", "invented"))
        dense_rate = measure(contender.read, dense)
        table.add_row(contender.name, f"{rate:,.0f}", f"{rate / ours:.2f}", f"{dense_rate:,.0f}", *cells)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
