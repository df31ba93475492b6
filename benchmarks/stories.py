"""Which stories a store makes of recorded pages: the samples, and a folder of captured ones.

    python -m benchmarks.stories [FOLDER]

FOLDER (default: `../shared/captures` beside the checkout) holds pages and `MANIFEST.csv` with the columns file, kind and
original_url. A fresh SQLite store gets, by the command itself and a recorded web, all sources of the samples and, through
the inbox, every captured article; those of the folder that are no pages but the text of one (JSON with title and text)
are interpreted and stored without being read. Shown are the items, versions and stories, each story with more than one
report and why, what reads alike and is kept apart, and captures that nothing was stored of.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, func, select

from crawlers.notice import Notice
from crawlers.page import Page
from crawlers.replay import find_recordings, write_recording
from pipeline import interpret
from pipeline.normalize import identify_url
from pipeline.record import Context
from pipeline.store.session import open_engine
from pipeline.store.story_tables import StoryLink, StoryMember
from pipeline.store.tables import Address, Item, Run, Version
from pipeline.store.write import write_records
from query.stories import list_stories

ROOT = Path(__file__).resolve().parent.parent
FETCHED = datetime(2026, 11, 20, tzinfo=UTC)
_SETTINGS = 'data = "data"\nsource_files = ["{sources}"]\n'


def run(folder: Path, *words: str) -> None:
    """The command, which must not end with a fault of its own; a source that is not well is no such fault."""
    ran = subprocess.run(
        [sys.executable, "-m", "cli", "--config", folder / "iprwatch.toml", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode > 1:
        raise SystemExit(f"iprwatch {' '.join(words)}: {ran.stderr[-2000:]}")


def record_captures(folder: Path, web: Path) -> tuple[dict[str, str], list[tuple[str, Path]]]:
    """Make a recorded web of the captured articles. Returns their files by URL, and the texts that are no pages."""
    pages: dict[str, str] = {}
    texts = []
    taken = {identify_url(recording.url) for recording in find_recordings(web)}
    with (folder / "MANIFEST.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["kind"] == "article"]
    for row in rows:
        path = folder / row["file"]
        if path.suffix == ".json":
            texts.append((row["original_url"], path))
            continue
        body = path.read_bytes()
        if path.suffix == ".gz":
            body = gzip.decompress(body)
        # A page of WeChat says itself which it is.
        url = row["original_url"] or f"https://mp.weixin.qq.com/s/{hashlib.sha256(body).hexdigest()[:22]}"
        if (key := identify_url(url)) in taken:
            pages[f"{url} (again)"] = row["file"]
            continue
        taken.add(key)
        pages[url] = row["file"]
        write_recording(Page(url=url, body=body, fetched_at=FETCHED), web / f"capture_{len(pages)}")
    return pages, texts


def store_texts(engine: Engine, texts: list[tuple[str, Path]]) -> int:
    """Store the texts whose pages were not kept, as their readers would have named them."""
    with engine.connect() as connection:
        run_id = connection.scalar(select(func.max(Run.id)))
    assert run_id is not None
    records = []
    for url, path in texts:
        stated = json.loads(path.read_bytes())
        if not isinstance(stated, dict) or not stated.get("text"):
            continue
        office = "court_spc" if "court.gov.cn" in url else "spp" if "spp.gov.cn" in url else "cnipa"
        publisher = {"court_spc": "最高人民法院", "spp": "最高人民检察院", "cnipa": "国家知识产权局"}[office]
        body = "\n".join(line.strip() for line in stated["text"].splitlines() if line.strip())
        notice = Notice(
            reader=office, url=url, title=stated["title"], publisher=publisher, author=None, dates=(), body=body,
            links=(), attachments=(), identity=None, entry=None, fetched_at=FETCHED, sha256="0" * 64,
        )  # fmt: skip
        context = Context(
            source_key=office, publisher_zh=publisher, publisher_en="", topics=(), run_id=run_id, baseline=True,
            status=200, headers={},
        )  # fmt: skip
        records.append(interpret(notice, context))
    write_records(engine, records)
    return len(records)


def show(engine: Engine, pages: dict[str, str], console: Console) -> None:
    with engine.connect() as connection:
        counts = [
            connection.scalar(select(func.count()).select_from(counted)) or 0
            for counted in (Item, Version, select(StoryMember.story_id).distinct().subquery())
        ]
        stored = set(connection.scalars(select(Address.address)))
        apart = connection.execute(
            select(StoryLink.kind, StoryLink.item_id, StoryLink.other_id, StoryLink.reason).where(
                StoryLink.kind != "same"
            )
        ).all()
        titles = {row.id: row.title for row in connection.execute(select(Item.id, Item.title))}
    total, stories = list_stories(engine, limit=10_000)
    console.print(
        "{} items, {} versions, {} stories".format(*counts), f"of which {total} with several reports"
    )
    table = Table("Story", "Source", "Report", "Why", title="Stories with several reports", show_lines=True)
    for story in stories:
        for report in story["reports"]:
            reasons = "\n".join(reason["text"] for reason in report["reasons"])
            shown = f"{report['title']}\n[dim]{report['url']}[/]"
            table.add_row(str(story["story"]) if report["leads"] else "", report["source"], shown, reasons)
    console.print(table)
    near = Table("Kind", "One", "Other", "Reason", title="Alike, and not one story for that", show_lines=True)
    for row in apart:
        near.add_row(row.kind, titles[row.item_id], titles[row.other_id], row.reason)
    console.print(near)
    console.print("Captures that nothing was stored of:")
    for url, file in pages.items():
        if identify_url(url.removesuffix(" (again)")) not in stored:
            console.print(f"  {file}", highlight=False)


def main() -> None:
    folder = Path(sys.argv[1]) if sys.argv[1:] else ROOT.parent / "shared" / "captures"
    if not (folder / "MANIFEST.csv").is_file():
        raise SystemExit(f"{folder}: there is no MANIFEST.csv; name a folder of captured pages.")
    with tempfile.TemporaryDirectory(prefix="iprwatch-stories-") as place:
        web = Path(place) / "web"
        shutil.copytree(ROOT / "samples", web)
        pages, texts = record_captures(folder, web)
        sources = ROOT / "samples" / "sources.toml"
        (Path(place) / "iprwatch.toml").write_text(_SETTINGS.format(sources=sources), "utf-8")
        run(Path(place), "crawl", "--replay", str(web), "--alert-baseline")
        links = [url for url in pages if not url.endswith(" (again)")]
        run(Path(place), "add", *links)
        run(Path(place), "crawl", "inbox_links", "--replay", str(web))
        engine = open_engine(f"sqlite:///{Path(place) / 'data' / 'iprwatch.db'}", create=False)
        store_texts(engine, texts)
        show(engine, pages, Console(width=160))
        engine.dispose()


if __name__ == "__main__":
    main()
