"""How fast and how well texts about intellectual property are told from others, beside what one would pick instead.

Run: python -m benchmarks.topics

Speed: articles of 1,000 characters pieced together from plain prose and the made-up titles of
tests/pipeline/topic_cases.toml; one in five is about intellectual property. All contenders read the same articles in
one run on one core, and the figure is the median of the rounds. Accuracy: the titles of the same table, which were
written for this project and in its spirit: kept are the share of titles about intellectual property that are
recognised, wrong the number of other titles that are. "All words" are those of the lexicon that decide alone.
"""

from __future__ import annotations

import re
import statistics
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.topics import TOPICS, find_topics, load_lexicon

_ROOT = Path(__file__).resolve().parent.parent
_ARTICLES = 500
_LENGTH = 1_000
_ROUNDS = 7
_FEW_WORDS = ("知识产权", "专利", "商标", "著作权", "版权", "patent", "trademark", "copyright")
_PROSE = (
    "法院经审理认为，双方签订的合同系真实意思表示，内容不违反法律的强制性规定，应当认定有效。被告未按约定支付价款，"
    "构成违约，应当承担继续履行、赔偿损失等责任。承办法官多次组织双方沟通，释明利害，最终促成一致意见。"
    "近年来，该院坚持把调解挺在前面，健全多元化解机制，与街道、行业协会建立联动，推动矛盾在基层得到化解。"
    "下一步将继续优化诉讼服务，压缩办理时间，让群众少跑腿、数据多跑路，不断提升司法公信力和群众满意度。"
)

Judge = Callable[[str], bool]


def load_titles() -> tuple[list[str], list[str]]:
    """The made-up titles: about intellectual property, and about something else."""
    cases = tomllib.loads((_ROOT / "tests" / "pipeline" / "topic_cases.toml").read_text(encoding="utf-8"))
    return list(cases["concerned"]), cases["not_concerned"]["titles"]


def load_words() -> tuple[list[str], list[str]]:
    """The words of the lexicon that decide alone, and all words and phrases that the lexicon looks for."""
    tables = tomllib.loads((_ROOT / "pipeline" / "topics" / "topics.toml").read_text(encoding="utf-8"))
    alone = [word for topic in TOPICS for word in tables[topic].get("alone", [])]
    other = [word for topic in TOPICS for word in tables[topic].get("beside", [])]
    other += [word for topic in TOPICS for pair in tables[topic].get("pairs", []) for word in pair]
    return alone, [*alone, *other, *tables["pass_over"]["everywhere"], *tables["pass_over"]["body"]]


def piece_articles(about: list[str], other: list[str]) -> list[str]:
    """Articles of equal length, each with another beginning; one in five is about intellectual property."""
    articles = []
    for number in range(_ARTICLES):
        titles = about if number % 5 == 0 else other
        text = ""
        place = number
        while len(text) < _LENGTH:
            text += f"{titles[place % len(titles)]}\n{_PROSE}\n"
            place += 1
        articles.append(text[:_LENGTH])
    return articles


def list_contenders() -> list[tuple[str, Judge]]:
    """Each way to decide, by name."""
    alone, words = load_words()
    lexicon = load_lexicon()
    alternation = re.compile("|".join(map(re.escape, sorted(alone, key=len, reverse=True))), re.IGNORECASE)
    whole = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))), re.IGNORECASE)
    small = [word.lower() for word in alone]

    def contains_any(text: str) -> bool:
        lowered = text.lower()
        return any(word in lowered for word in small)

    return [
        ("find_topics (verdict, topics, offsets)", lambda text: find_topics(text, "").concerns_ip),
        ("find_words (search only)", lambda text: bool(lexicon.find_words(text, "title"))),
        ("regex, whole lexicon, every hit", lambda text: bool(whole.findall(text))),
        ("regex, all words, first hit", lambda text: alternation.search(text) is not None),
        ("any(word in text), all words", contains_any),
        ("any(word in text), 8 words", lambda text: any(word in text for word in _FEW_WORDS)),
    ]


def measure(judge: Judge, articles: list[str]) -> float:
    """Articles a second, the median of the rounds."""
    rates = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for article in articles:
            judge(article)
        rates.append(len(articles) / (time.perf_counter() - begun))
    return statistics.median(rates)


def main() -> None:
    """Print speed and accuracy of every contender."""
    about, other = load_titles()
    articles = piece_articles(about, other)
    alone, words = load_words()
    table = Table(title=f"{len(alone)} words that decide alone, {len(set(words))} words and phrases in all")
    for heading in ("", "articles/s", f"kept of {len(about)}", f"wrong of {len(other)}"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, judge in list_contenders():
        accuracy = (f"{sum(map(judge, about)) / len(about):.1%}", str(sum(map(judge, other))))
        if name.startswith("find_words"):
            accuracy = ("", "")
        table.add_row(name, f"{measure(judge, articles):,.0f}", *accuracy)
    Console().print(table)


if __name__ == "__main__":
    main()
