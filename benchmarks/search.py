"""How long a search takes among a hundred thousand and a million items, beside Tantivy and a LIKE scan.

    python -m benchmarks.search [--items 100000 1000000] [--postgresql postgresql://…] [--folder /var/tmp]

Stores of made-up articles of about 800 characters (`benchmarks.search_texts`) are filled in bulk, once it was checked
that this makes the same rows as the pipeline. Then `query.search.search_items` is asked for the newest 20 as the
command and the API do, from the text of the query to the hits with their facts: words of two characters, of three to
five, of six and more, English, phrases in quotes, and mixed expressions; each *plain*, *filtered* (by source, days,
court, kind of right, sum, or two of them) and *counted*. Every query is asked once. Times are by the wall clock, and of
CPU, the server's included, which a machine that others share leaves as it is.

Tantivy has the same tokens and orders by a fast field; a filter is a term, and days and sums are left out. The LIKE scan
is SQLite's over title, publisher and body, newest first. Recall is held against a substring scan of every item: the
set of all items found, and the newest 20 in their order. PostgreSQL is used when a URL is given, in a schema of
its own, dropped at the end.

With `--gate` it ends with an error where a kind of question takes more CPU than `GATE`, five to ten times what is usual
among ten thousand items: the continuous integration asks for that, on both databases and without Tantivy and the scan.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, select, text

from benchmarks.search_stores import build, check_rows
from benchmarks.search_texts import COURTS, SOURCES, Texts
from pipeline.expression import read_query
from pipeline.expression.conditions import All, Condition, OneOf, Words
from pipeline.store.session import open_engine
from pipeline.store.tables import Item, SearchDocument
from query.fact_filters import FactFilter
from query.search import find_conditions, search_items

_SCANNED = 3
"""LIKE scans of a class: each may read every item."""
_console = Console(width=150)
GATE = {"SQLite": 50.0, "PostgreSQL": 400.0}
"""Milliseconds of CPU of 19 in 20 questions, of each mode."""
Times = dict[tuple[str, str], list[tuple[float, float]]]
"""By kind of query and mode: milliseconds by the wall clock, and of CPU."""


@dataclass(frozen=True)
class Asked:
    """A query, and the filters that go with it when it is filtered."""

    kind: str
    written: str
    filters: dict[str, Any] = field(default_factory=dict)


def make_queries(texts: Texts, each: int) -> list[Asked]:
    """So many of each kind, over the whole range of frequencies."""
    random = Random(7)
    two = [word for word in texts.vocabulary if len(word) == 2]
    three = [word for word in texts.vocabulary if len(word) == 3]

    def ranked(words: Sequence[str]) -> str:
        return words[min(len(words) - 1, int(10 ** random.uniform(0, 4.2)))]

    def piece(least: int, most: int) -> str:
        while True:
            sentence = random.choice(texts.sentences).rstrip("。")
            length = random.randint(least, most)
            if len(sentence) >= length:
                start = random.randint(0, len(sentence) - length)
                return sentence[start : start + length]

    def english() -> str:
        words = [ranked(texts.english[:4000]) for _ in range(random.choice((1, 1, 2)))]
        return " ".join(words)

    def phrase() -> str:
        if random.random() < 0.3:
            words = random.choice(texts._english_sentences).rstrip(". ").split()
            start = random.randint(0, len(words) - 3)
            return f'"{" ".join(words[start : start + random.randint(2, 3)])}"'
        return f'"{piece(4, 14)}"'

    def mixed() -> str:
        one, other, third = ranked(two), ranked(two), ranked(three)
        head = random.choice(texts.heads)
        number = next((fact.raw for fact in head.facts if fact.kind == "case_number"), "trademark")
        return random.choice(
            (
                f"{one} {other}", f"{one} OR {third}", f"{one} -{other}", f"{one} {ranked(texts.english[:300])}",
                f"({one} OR {other}) {third}", number, random.choice(COURTS)[0], f"商标 {one}", "专利 OR 商标",
                f"{one} {other} {ranked(two)}", f"{one} amount>=100万", f"court:{random.choice(COURTS)[0]} {one}",
            )
        )  # fmt: skip

    makers: dict[str, Callable[[], str]] = {
        "2 characters": lambda: ranked(two),
        "3 to 5": lambda: piece(3, 5) if random.random() < 0.5 else ranked(three),
        "6 and more": lambda: piece(6, 12),
        "English": english,
        "phrases": phrase,
        "mixed": mixed,
    }
    return [Asked(kind, make(), _filters(random)) for kind, make in makers.items() for _ in range(each)]


def _filters(random: Random) -> dict[str, Any]:
    """One filter or two, some of which leave much and some of which leave little."""
    first = date(random.randint(2006, 2025), random.randint(1, 12), 1)
    makers: dict[str, Callable[[], Any]] = {
        "sources": lambda: (random.choice(SOURCES),),
        "since": lambda: first,
        "until": lambda: date(first.year + 1, 1, 1),
        "courts": lambda: (random.choice(COURTS)[0],),
        "ip_types": lambda: (random.choice(("trademark", "patent", "copyright", "trade_secret")),),
        "amount_min": lambda: Decimal(random.choice((10_000, 1_000_000, 50_000_000))),
        "amount_max": lambda: Decimal(random.choice((100_000, 90_000_000))),
    }
    chosen = {name: makers[name]() for name in random.sample(list(makers), random.choice((1, 1, 2)))}
    if "amount_min" in chosen and "amount_max" in chosen:
        del chosen["amount_max"]
    return chosen


def arguments(filters: dict[str, Any]) -> dict[str, Any]:
    """The filters as `search_items` takes them."""
    own = {name: value for name, value in filters.items() if name in ("sources", "since", "until")}
    facts = {name: value for name, value in filters.items() if name not in own}
    return own | ({"facts": FactFilter(**facts)} if facts else {})


class Clock:
    """Milliseconds by the wall clock, and of CPU: of this process and of the server process that works for it."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._server: Path | None = None
        if engine is not None and engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                pid = connection.scalar(text("SELECT pg_backend_pid()"))
            self._server = Path(f"/proc/{pid}/schedstat")

    def now(self) -> tuple[float, float]:
        served = int(self._server.read_text().split()[0]) if self._server else 0
        return 1000 * time.perf_counter(), 1000 * time.process_time() + served / 1e6

    def since(self, start: tuple[float, float]) -> tuple[float, float]:
        wall, cpu = self.now()
        return wall - start[0], cpu - start[1]


def measure_store(engine: Engine, queries: Sequence[Asked]) -> Times:
    """Times by kind and mode."""
    times: Times = {}
    for asked in queries[:: max(1, len(queries) // 12)]:
        search_items(engine, read_query(asked.written))
    clock = Clock(engine)
    slowest: list[tuple[float, str, str, str]] = []
    for asked in queries:
        filters = arguments(asked.filters)
        for mode, options in (
            ("plain", {"counted": False}),
            ("filtered", {"counted": False, **filters}),
            ("counted", {"counted": True}),
        ):
            start = clock.now()
            search_items(engine, read_query(asked.written), **options)
            took = clock.since(start)
            times.setdefault((asked.kind, mode), []).append(took)
            slowest.append((took[1], mode, asked.written, str(asked.filters if mode == "filtered" else "")))
    for cpu, mode, written, filters in sorted(slowest, reverse=True)[:12]:
        print(f"    {cpu:8.1f} ms of CPU  {mode:<9} {written}  {filters}", flush=True)
    return times


def count_phrases(asked: Asked) -> list[str]:
    """The words that a query looks for, one of which is enough; empty for what a substring scan can't say."""
    condition: Condition = read_query(asked.written).condition
    if isinstance(condition, OneOf | All):
        return []
    return list(condition.forms) if isinstance(condition, Words) else []


def measure_recall(engine: Engine, queries: Sequence[Asked], most: int) -> tuple[int, int]:
    """How many queries in Chinese were held against a substring scan, and how many items that found. Raises
    AssertionError where search finds others, or the newest 20 in another order."""
    wanted: dict[str, list[str]] = {}
    for asked in queries:
        forms = count_phrases(asked)
        if forms and not any(form.isascii() for form in forms):
            wanted.setdefault(asked.written, forms)
    chosen = dict(list(wanted.items())[:: max(1, len(wanted) // most)])
    scanned: dict[str, list[tuple[int, int]]] = {written: [] for written in chosen}
    columns = (Item.id, Item.sort_key, Item.title, Item.publisher, Item.body)
    with engine.connect().execution_options(read_only=True, yield_per=2000) as connection:
        for row in connection.execute(select(*columns)):
            whole = f"{row.title}\n{row.publisher}\n{row.body}"
            for written, forms in chosen.items():
                if any(form in whole for form in forms):
                    scanned[written].append((row.sort_key, row.id))
    differ = found_by_scan = 0
    for written, places in scanned.items():
        query = read_query(written)
        with engine.connect().execution_options(read_only=True) as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            conditions = find_conditions(engine.dialect.name, query)
            found = set(connection.scalars(select(Item.id).where(*conditions)))
        meant = {number for _, number in places}
        differ += len(found ^ meant)
        found_by_scan += len(meant)
        hits = [hit.place for hit in search_items(engine, query).hits]
        assert hits == sorted(places, reverse=True)[:20], f"{written}: the newest are others"
    assert not differ, f"{differ} items are found by one of search and scan alone"
    return len(chosen), found_by_scan


def measure_like(file: str, queries: Sequence[Asked]) -> Times:
    times: Times = {}
    clock = Clock()
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    for kind in dict.fromkeys(asked.kind for asked in queries):
        plain = [asked for asked in queries if asked.kind == kind and count_phrases(asked)]
        for asked in plain[:: max(1, len(plain) // _SCANNED)][:_SCANNED]:
            word = f"%{asked.written.strip(chr(34))}%"
            start = clock.now()
            connection.execute(
                "SELECT id FROM item WHERE title LIKE ? OR publisher LIKE ? OR body LIKE ?"
                " ORDER BY sort_key DESC, id DESC LIMIT 20",
                (word, word, word),
            ).fetchall()
            times.setdefault((kind, "plain"), []).append(clock.since(start))
    connection.close()
    return times


def build_tantivy(engine: Engine, folder: Path) -> tuple[Any, float]:
    """An index of the same tokens, and the seconds that it took."""
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace")
    builder.add_integer_field("place", stored=True, fast=True)
    folder.mkdir()
    index = tantivy.Index(builder.build(), path=str(folder))
    start = time.perf_counter()
    writer = index.writer(heap_size=256_000_000, num_threads=1)
    with engine.connect().execution_options(read_only=True, yield_per=2000) as connection:
        for place, sequence in connection.execute(select(SearchDocument.place, SearchDocument.sequence)):
            writer.add_document(tantivy.Document(text=sequence, place=place))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index, time.perf_counter() - start


def measure_tantivy(index: Any, queries: Sequence[Asked]) -> Times:
    import tantivy

    from pipeline.store.marks import court_mark, key_mark, source_mark
    from query.sought import divide_condition

    schema, times = index.schema, {}
    searcher = index.searcher()
    clock = Clock()

    def term(token: str) -> Any:
        return tantivy.Query.term_query(schema, "text", token)

    def written(sought: Any) -> Any:
        if hasattr(sought, "phrases"):
            parts = [
                term(phrase.tokens[0])
                if len(phrase.tokens) == 1
                else tantivy.Query.phrase_query(schema, "text", list(phrase.tokens))
                for phrase in sought.phrases
            ]
            return tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in parts])
        occurs = tantivy.Occur.Must if hasattr(sought, "without") else tantivy.Occur.Should
        parts = [(occurs, written(part)) for part in sought.parts]
        parts += [(tantivy.Occur.MustNot, written(part)) for part in getattr(sought, "without", ())]
        return tantivy.Query.boolean_query(parts)

    for asked in queries:
        for mode in ("plain", "filtered", "counted"):
            start = clock.now()
            sought, _ = divide_condition(read_query(asked.written).condition)
            query = written(sought)
            if mode == "filtered":
                tokens = [source_mark(key) for key in asked.filters.get("sources", ())]
                tokens += [court_mark("court", court) for court in asked.filters.get("courts", ())]
                tokens += [key_mark("ip_type", kind) for kind in asked.filters.get("ip_types", ())]
                parts = [query, *map(term, tokens)]
                query = tantivy.Query.boolean_query([(tantivy.Occur.Must, part) for part in parts])
            result = searcher.search(
                query, limit=20, count=mode == "counted", order_by_field="place", order=tantivy.Order.Desc
            )
            assert result.hits is not None
            times.setdefault((asked.kind, mode), []).append(clock.since(start))
    return times


def show(name: str, items: int, times: Times) -> None:
    """One row a kind: of each mode the median and p95 by the wall clock, and those of CPU, in milliseconds."""
    modes = [mode for mode in ("plain", "filtered", "counted") if any(key[1] == mode for key in times)]
    table = Table("newest 20, ms", title=f"{name}, {items:,} items: p50, p95; of CPU p50, p95")
    for mode in modes:
        for column in (mode, "p95", "CPU", "p95"):
            table.add_column(column, justify="right")
    for kind in [*dict.fromkeys(kind for kind, _ in times), "all"]:
        row = []
        for mode in modes:
            took = [
                pair
                for key, each in times.items()
                if key[1] == mode and kind in (key[0], "all")
                for pair in each
            ]
            for own in (sorted(wall for wall, _ in took), sorted(cpu for _, cpu in took)):
                row += [f"{own[round(share * (len(own) - 1))]:.1f}" if own else "" for share in (0.5, 0.95)]
        table.add_row(kind, *row)
    _console.print(table)


def check_gate(name: str, times: Times) -> None:
    """Raise SystemExit where the questions of a mode took too long."""
    for mode in {key[1] for key in times}:
        own = sorted(cpu for key, each in times.items() if key[1] == mode for _, cpu in each)
        took = own[round(0.95 * (len(own) - 1))]
        if took > GATE[name]:
            raise SystemExit(
                f"{name}: 19 in 20 {mode} searches took {took:.0f} ms, more than {GATE[name]:.0f}"
            )


def weigh(engine: Engine) -> str:
    """Megabytes of the store, and of its documents with the search index."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            tables = ("item", "fact", "search_document", "story", "story_member")
            sizes = {
                name: connection.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0
                for name in tables
            }
            whole, documents = sum(sizes.values()), sizes["search_document"]
            index = connection.scalar(text("SELECT pg_relation_size('ix_search_document_tokens')")) or 0
        else:
            pages = "SELECT sum(pgsize) FROM dbstat WHERE name LIKE :name"
            whole = Path(str(engine.url.database)).stat().st_size
            try:
                index = connection.scalar(text(pages), {"name": "item_search%"}) or 0
                documents = index + (connection.scalar(text(pages), {"name": "search_document"}) or 0)
            except Exception:  # noqa: BLE001 - not every build of SQLite has dbstat
                blocks = connection.scalar(text("SELECT sum(length(block)) FROM item_search_data")) or 0
                texts = (
                    connection.scalar(text("SELECT sum(length(CAST(sequence AS BLOB))) FROM search_document"))
                    or 0
                )
                index, documents = blocks, blocks + texts
    return f"{whole / 2**20:,.0f} MB in all, documents with index {documents / 2**20:,.0f}, index {index / 2**20:,.0f}"


@contextmanager
def open_stores(folder: Path, postgresql: str | None) -> Iterator[dict[str, Engine]]:
    """An empty store on each database; PostgreSQL's is gone at the end."""
    engines = {"SQLite": open_engine(f"sqlite:///{folder / 'search.db'}")}
    schema = f"search_{uuid.uuid4().hex}"
    if postgresql:
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{schema}"')
        engines["PostgreSQL"] = open_engine(f"{postgresql}?options=-csearch_path%3D{schema}")
    try:
        yield engines
    finally:
        for engine in engines.values():
            engine.dispose()
        if postgresql:
            with psycopg.connect(postgresql, autocommit=True) as connection:
                connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=40, help="of each kind")
    parser.add_argument("--recall", type=int, default=20, help="queries that are held against a scan")
    parser.add_argument("--postgresql", default=os.environ.get("IPRWATCH_TEST_POSTGRESQL"))
    parser.add_argument(
        "--folder", type=Path, help="where the stores are made (default: the temporary folder)"
    )
    parser.add_argument("--without", nargs="*", default=[], choices=["tantivy", "like"])
    parser.add_argument("--gate", action="store_true", help="end with an error where searches take too long")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, SQLite {sqlite3.sqlite_version}")
    texts = Texts()
    check_rows(texts)
    for items in options.items:
        with (
            tempfile.TemporaryDirectory(prefix="iprwatch-search-", dir=options.folder) as folder,
            open_stores(Path(folder), options.postgresql) as engines,
        ):
            _measure(items, texts, Path(folder), engines, options)


def _measure(items: int, texts: Texts, folder: Path, engines: dict[str, Engine], options: Any) -> None:
    queries = make_queries(texts, options.queries)
    for name, engine in engines.items():
        seconds = build(engine, texts, items)
        print(f"{name}, {items:,} items: built in {seconds:,.0f} s, {weigh(engine)}", flush=True)
        times = measure_store(engine, queries)
        show(name, items, times)
        if options.gate:
            check_gate(name, times)
        asked, found = measure_recall(engine, queries, options.recall)
        print(f"  recall: {asked} queries, {found:,} items by a scan, the same by search", flush=True)
        if name == "SQLite" and "like" not in options.without:
            show("LIKE scan", items, measure_like(str(engine.url.database), queries))
        if name == "SQLite" and "tantivy" not in options.without:
            index, seconds = build_tantivy(engine, folder / "tantivy")
            size = sum(file.stat().st_size for file in (folder / "tantivy").iterdir()) / 2**20
            print(f"Tantivy, {items:,} items: built in {seconds:,.0f} s, {size:,.0f} MB", flush=True)
            show("Tantivy", items, measure_tantivy(index, queries))


if __name__ == "__main__":
    main()
