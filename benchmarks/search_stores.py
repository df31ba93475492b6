"""Filling a store with many articles, in bulk, and with the rows that the pipeline would have written.

Only what search reads is stored: items, facts, search documents with their index, stories. `check_rows` holds some of
it against what `pipeline.store.write` stores of the same articles.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, insert, select, text

from benchmarks.search_texts import SOURCES, Article, Texts, seen_at
from crawlers.notice import Notice, PrintedDate
from pipeline import interpret
from pipeline.dates import SHANGHAI
from pipeline.record import Context
from pipeline.store.dating import sort_key
from pipeline.store.documents import place_of, write_sequence
from pipeline.store.marks import marks_of
from pipeline.store.session import open_engine
from pipeline.store.standing import fact_row
from pipeline.store.story_tables import Story, StoryMember
from pipeline.store.tables import FactRow, Item, Run, SearchDocument
from pipeline.store.write import write_records

_BATCH = 10_000
_GATHERED = 512 * 2**20
"""Bytes of index that FTS5 gathers before it writes a segment; a crawl leaves it at one MB and commits more often."""
_TABLES: tuple[Table, ...] = tuple(
    model.__table__  # type: ignore[misc]
    for model in (Item, FactRow, SearchDocument, Story, StoryMember)
)
_READ = (
    Item.title, Item.url, Item.publisher, Item.publisher_zh, Item.publisher_en, Item.source_key, Item.topics,
    Item.published_on, Item.published_at, Item.body, Item.sort_key, Item.same_as, SearchDocument.place,
    SearchDocument.sequence,
)  # fmt: skip
TOPICS = ("law",)


def fill(engine: Engine, texts: Texts, of: int) -> None:
    """Store articles 1 to `of`."""
    with engine.begin() as connection:
        connection.execute(
            insert(Run).values(
                id=1, source_key=SOURCES[0], started_at=seen_at(0, of), finished_at=None, list_read_at=None, state="finished",
                reason=None, baseline=False, counts={},
            )
        )  # fmt: skip
    articles = texts.articles(1, of, of)
    facts: dict[int, list[dict[str, Any]]] = {}
    while batch := list(islice(articles, _BATCH)):
        _store(engine, [_rows(article, of, facts) for article in batch])


def _rows(
    article: Article, of: int, known: dict[int, list[dict[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    number, head = article.number, article.head
    rows = known.get(id(head))
    if rows is None:
        rows = [
            fact_row(0, field, fact)
            for field, found in (("title", head.title_facts), ("body", head.facts))
            for fact in found
        ]
        known[id(head)] = rows
    moment, seen = article.moment, seen_at(article.number, of)
    instant = moment if isinstance(moment, datetime) else None
    day = instant.astimezone(SHANGHAI).date() if instant else moment
    key = sort_key(moment, seen)
    item = {
        "id": number, "uid": hashlib.sha256(str(number).encode()).hexdigest()[:32], "identity": f"benchmark:{number}",
        "source_key": article.source, "reader": "court_gov", "url": url_of(number), "title": head.title,
        "publisher": article.publisher, "publisher_zh": "某院", "publisher_en": "Some court", "author": None,
        "topics": list(TOPICS), "published_on": day, "published_at": instant, "published_precision": "day",
        "published_raw": str(moment), "published_method": "benchmark", "published_place": "page",
        "published_inferred": False, "dates": [], "dates_disagree": False, "body": article.body, "body_note": None,
        "attachments": [], "links": [], "images": [], "content_sha256": "0" * 64, "version_number": 1,
        "first_seen_at": seen, "last_seen_at": seen, "run_id": 1, "sort_key": key, "same_as": None,
    }  # fmt: skip
    marks = marks_of(article.source, TOPICS, head.title, rows)
    return {
        "item": [item],
        "fact": [{**row, "item_id": number} for row in rows],
        "search_document": [
            {
                "item_id": number,
                "place": place_of(key, number),
                "sequence": write_sequence(article.words, marks),
            }
        ],
        "story": [{"id": number, "lead_id": number, "lead_reason": "the only report", "created_at": seen}],
        "story_member": [{"item_id": number, "story_id": number, "reasons": [], "since": seen}],
    }


def url_of(number: int) -> str:
    """The address of the article of this number."""
    return f"https://www.court.gov.cn/fabu/xiangqing/{number}.html"


def _store(engine: Engine, articles: Sequence[dict[str, list[dict[str, Any]]]]) -> None:
    driver = engine.raw_connection()
    try:
        cursor = driver.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute(f"INSERT INTO item_search(item_search, rank) VALUES ('hashsize', {_GATHERED})")
            cursor.execute("BEGIN IMMEDIATE")
        for table in _TABLES:
            rows = [row for article in articles for row in article[table.name]]
            if table.name == "search_document":
                rows.sort(key=lambda row: row["place"])
            columns = [column for column in table.columns if rows and column.name in rows[0]]
            processors = [
                column.type.dialect_impl(engine.dialect).bind_processor(engine.dialect) for column in columns
            ]
            written = (
                [
                    process(row[column.name]) if process else row[column.name]
                    for column, process in zip(columns, processors, strict=True)
                ]
                for row in rows
            )
            names = ", ".join(f'"{column.name}"' for column in columns)
            if engine.dialect.name == "sqlite":
                marks = ", ".join("?" for _ in columns)
                cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", written)
            else:
                with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                    for row in written:
                        copy.write_row(row)
        if engine.dialect.name == "sqlite":
            cursor.execute("COMMIT")
            cursor.execute(f"INSERT INTO item_search(item_search, rank) VALUES ('hashsize', {2**20})")
        else:
            driver.commit()
        cursor.close()
    finally:
        driver.close()


def build(engine: Engine, texts: Texts, of: int) -> float:
    """Fill a store and settle it as `iprwatch db vacuum` does; returns the seconds."""
    start = time.perf_counter()
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("DROP INDEX ix_search_document_tokens"))
    fill(engine, texts, of)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET maintenance_work_mem = '512MB'"))
            connection.execute(
                text(
                    "CREATE INDEX ix_search_document_tokens ON search_document USING gin (string_to_array(sequence, ' '))"
                )
            )
            connection.execute(text("VACUUM (ANALYZE)"))
    if engine.dialect.name == "sqlite":
        driver = engine.raw_connection()
        driver.cursor().execute("ANALYZE")
        driver.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        driver.close()
    return time.perf_counter() - start


def check_rows(texts: Texts, number: int = 100) -> None:
    """Raise AssertionError where bulk loading makes other rows than the pipeline, in what search reads."""
    articles = list(texts.articles(1, number, number))
    with tempfile.TemporaryDirectory(prefix="iprwatch-search-") as folder:
        bulk = open_engine(f"sqlite:///{Path(folder) / 'bulk.db'}")
        piped = open_engine(f"sqlite:///{Path(folder) / 'piped.db'}")
        for engine in (bulk, piped):
            with engine.begin() as connection:
                connection.execute(
                    insert(Run).values(
                        id=1, source_key=SOURCES[0], started_at=seen_at(0, 1), finished_at=None, list_read_at=None,
                        state="finished", reason=None, baseline=False, counts={},
                    )
                )  # fmt: skip
        _store(bulk, [_rows(article, number, {}) for article in articles])
        for article in articles:
            write_records(piped, [interpret(_notice(article, number), _context(article))])
        for loaded, piped_row in zip(_what_search_reads(bulk), _what_search_reads(piped), strict=True):
            differ = [pair for pair in zip(loaded, piped_row, strict=True) if pair[0] != pair[1]]
            assert not differ, f"bulk loading differs from the pipeline: {differ}"
        bulk.dispose()
        piped.dispose()


def _notice(article: Article, of: int) -> Notice:
    moment, url = article.moment, url_of(article.number)
    printed = ""
    if isinstance(moment, datetime):
        printed = moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    elif moment is not None:
        printed = moment.isoformat()
    return Notice(
        reader="court_gov", url=url, title=article.head.title, publisher=article.publisher, author=None,
        dates=(PrintedDate(printed, "labelled text"),) if printed else (), body=article.body, links=(), attachments=(),
        identity=f"benchmark:{article.number}", entry=None, fetched_at=seen_at(article.number, of),
        sha256=hashlib.sha256(url.encode()).hexdigest(),
    )  # fmt: skip


def _context(article: Article) -> Context:
    return Context(
        source_key=article.source, publisher_zh="某院", publisher_en="Some court", topics=TOPICS, run_id=1, baseline=False,
        status=200, headers={},
    )  # fmt: skip


def _what_search_reads(engine: Engine) -> list[Any]:
    with engine.connect().execution_options(read_only=True) as connection:
        items = connection.execute(
            select(*_READ).join(SearchDocument, SearchDocument.item_id == Item.id).order_by(Item.id)
        ).all()
        facts = connection.execute(
            select(
                FactRow.item_id, FactRow.field, FactRow.kind, FactRow.raw, FactRow.value, FactRow.start, FactRow.end,
                FactRow.method, FactRow.key, FactRow.court, FactRow.amount,
            ).order_by(FactRow.item_id, FactRow.id)
        ).all()  # fmt: skip
    return [*map(tuple, items), *map(tuple, facts)]
