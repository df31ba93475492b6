"""Reading WeChat articles: this project's reader against what a user would pick instead.

    python benchmarks/readers.py [FOLDER]

FOLDER (default: `../shared/captures` beside the checkout) holds recorded pages and `MANIFEST.csv` with the
columns file, kind, title, published. Every article below `wechat/` is read by each candidate in the same
run: `crawlers.readers.wechat` from the bytes (hashing them included), trafilatura and gne from the text decoded
beforehand (their decoding is not timed). Measured for each candidate:

- pages a second, and as a ratio to the slowest: the best of three passes over all pages, one process;
- title: equal to the manifest's, spaces aside, on the pages for which the manifest has a one-line title;
- day and minute: the best date that the candidate gives, in Beijing time, against the manifest, on the pages
  for which it has them. A candidate that gives only a day has no minute;
- body: F1 of character 5-grams (counted, spaces aside) of at least 0.9 against a reference.

The reference is made here, without the project's reader: the text of `#js_content` in lxml's tree of the
whole page or, for image and text posts, which have no body in the markup, the string that
`window.cgiDataNew` holds, taken by regular expression and unescaped.

Needs the `bench` extra: `pip install -e '.[bench]'`.
"""

from __future__ import annotations

import csv
import gzip
import html
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import trafilatura
from gne import GeneralNewsExtractor
from lxml import html as lxml_html
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from crawlers.errors import PageError  # noqa: E402 (the checkout goes in front of any installed copy)
from crawlers.page import Page  # noqa: E402
from crawlers.readers import wechat  # noqa: E402

BEIJING = ZoneInfo("Asia/Shanghai")
PASSES = 3


@dataclass(frozen=True)
class Case:
    page: Page
    text: str
    title: str | None
    day: str | None
    minute: str | None
    body: str


@dataclass(frozen=True)
class Answer:
    """What a candidate gives for a page; `date` is `YYYY-MM-DD` or `YYYY-MM-DD HH:MM`."""

    title: str
    date: str
    body: str


def read_cases(folder: Path) -> list[Case]:
    cases = []
    with (folder / "MANIFEST.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["kind"] != "article" or not row["file"].startswith("wechat/"):
                continue
            body = (folder / row["file"]).read_bytes()
            if row["file"].endswith(".gz"):
                body = gzip.decompress(body)
            page = Page(row["original_url"], body, datetime.now(UTC))
            published = row["published"]
            cases.append(
                Case(
                    page,
                    body.decode("utf-8"),
                    row["title"] if row["title"] and "\\n" not in row["title"] else None,
                    published[:10] if published[:2] == "20" else None,
                    published if len(published) == 16 else None,
                    reference(body),
                )
            )
    return cases


def reference(body: bytes) -> str:
    if re.search(rb"real_item_show_type: '(8|10)'", body):
        start = body.index(b"window.cgiDataNew = {")
        block = body[start : body.index(b"</script", start)].decode()
        fields = re.findall(r"\bcontent_noencode: (?:JsDecode\()?'(.*)'\)?,\n", block)
        text = next(field for field in reversed(fields) if field)
        return html.unescape(re.sub(r"\\x(..)", lambda code: chr(int(code[1], 16)), text))
    document = lxml_html.document_fromstring(
        body, parser=lxml_html.HTMLParser(encoding="utf-8", huge_tree=True)
    )
    content = document.get_element_by_id("js_content")
    for script in list(content.iter("script", "style")):
        script.drop_tree()
    return str(content.text_content())


def read_with_iprwatch(case: Case) -> Answer:
    notice = wechat.read_article(replace(case.page))  # a new Page, so that hashing it is timed in every pass
    date = notice.dates[0]
    if date.form == "unix":
        printed = datetime.fromtimestamp(int(date.raw), BEIJING).strftime("%Y-%m-%d %H:%M")
    else:
        printed = date.raw
    return Answer(notice.title, printed, notice.body)


def read_with_trafilatura(case: Case) -> Answer:
    found = trafilatura.bare_extraction(case.text, url=case.page.url or None, with_metadata=True)
    if found is None or isinstance(found, dict):
        return Answer("", "", "")
    return Answer(found.title or "", found.date or "", found.text or "")


def read_with_gne(case: Case) -> Answer:
    found = GeneralNewsExtractor().extract(case.text)
    return Answer(found["title"], found["publish_time"], found["content"])


def solid(text: str) -> str:
    return re.sub(r"\s+", "", text)


def five_grams(text: str) -> Counter[str]:
    text = solid(text)
    return Counter(text[start : start + 5] for start in range(max(1, len(text) - 4)))


def f1(found: str, expected: str) -> float:
    mine, theirs = five_grams(found), five_grams(expected)
    common = (mine & theirs).total()
    return 2 * common / (mine.total() + theirs.total())


def measure(read: Callable[[Case], Answer], cases: list[Case]) -> tuple[float, list[Answer]]:
    """Seconds of the best pass, and the answers; a page that the candidate fails on is an empty answer."""
    best = float("inf")
    answers: list[Answer] = []
    for _ in range(PASSES):
        answers = []
        started = time.perf_counter()
        for case in cases:
            try:
                answers.append(read(case))
            except (PageError, ValueError, KeyError, IndexError, TypeError, AttributeError):
                answers.append(Answer("", "", ""))
        best = min(best, time.perf_counter() - started)
    return best, answers


def share(right: list[bool]) -> str:
    return f"{sum(right)}/{len(right)}"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "captures"
    if not (folder / "MANIFEST.csv").is_file():
        sys.exit(f"No MANIFEST.csv in {folder}: give the folder of recorded pages as the argument.")
    logging.disable(logging.CRITICAL)
    cases = read_cases(folder)
    candidates = {
        "iprwatch": read_with_iprwatch,
        "trafilatura": read_with_trafilatura,
        "gne": read_with_gne,
    }
    measured = {name: measure(read, cases) for name, read in candidates.items()}
    slowest = max(seconds for seconds, _ in measured.values())
    table = Table(
        title=f"{len(cases)} WeChat articles, {sum(len(case.page.body) for case in cases) / 1e6:.0f} MB"
    )
    for column in ("reader", "pages/s", "ratio", "title", "day", "minute", "body"):
        table.add_column(column, justify="left" if column == "reader" else "right")
    for name, (seconds, answers) in measured.items():
        pairs = list(zip(cases, answers, strict=True))
        table.add_row(
            name,
            f"{len(cases) / seconds:.1f}",
            f"{slowest / seconds:.1f}x",
            share([solid(answer.title) == solid(case.title) for case, answer in pairs if case.title]),
            share([answer.date[:10] == case.day for case, answer in pairs if case.day]),
            share([answer.date[:16] == case.minute for case, answer in pairs if case.minute]),
            share([f1(answer.body, case.body) >= 0.9 for case, answer in pairs]),
        )
    Console().print(table)


if __name__ == "__main__":
    main()
