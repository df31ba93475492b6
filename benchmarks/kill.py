"""Is anything lost or doubled when a crawl is killed at any moment?  python -m benchmarks.kill --kills 200

A crawl of the made-up site of `benchmarks.loopback_site` (lists, articles, archive, facts, one rule for everything) is
killed with SIGKILL at a random moment between its start and its end, and begun again until a run is ok; then the next
round begins with an empty folder. Many crawls are killed more than once before they are complete.

After every kill, while nothing runs: each stored item must have its version and its alert in the outbox, and the
processes of the pipeline must have ended. At the end of a round, each article of the site must be there once, as version
1, with one alert, its bytes in the archive under the hash that its version names. The figures are counts of what was
not so, but for `orphans`, which are processes that were still there ten seconds after the kill of the one that started
them, and `slowest end`, the longest that one of the others needed. Exit code 1 when anything was not so. With
`--minutes` it kills no more after so long, and completes the round.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, func, select

from benchmarks.loopback_site import HOSTS, lead_to_loopback
from benchmarks.throughput import SOURCE, open_site
from configuration import Configuration
from crawlers.archive import Archive, ArchiveError
from crawlers.crawl import crawl
from crawlers.pipeline_server import forked_server
from pipeline.alerts.rules import Recipient, Rule
from pipeline.store.runs import RUNNING
from pipeline.store.session import open_engine
from pipeline.store.tables import Delivery, Item, Run, Version

RULE = Rule(name="All", send=(Recipient(channel="log"),))
WITHIN = 10.0
"""Seconds that the processes of the pipeline have to end after the crawl that started them."""
_LEAST = 0.3  # share of a whole crawl in which a later one is killed at the latest: starting takes time too

# Crawls are copies of one process that has imported everything: importing takes longer than the crawl.
COPIES = multiprocessing.get_context("forkserver")


@dataclass
class Tally:
    """What was counted in all rounds."""

    kills: int = 0
    rounds: int = 0
    articles: int = 0
    with_process: int = 0
    halves: int = 0
    lost: int = 0
    doubled: int = 0
    without_alert: int = 0
    alerts_doubled: int = 0
    bytes_missing: int = 0
    runs_left_open: int = 0
    orphans: int = 0
    slowest_end: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """True when nothing was lost, doubled, half-written or left over."""
        faults = (self.halves, self.lost, self.doubled, self.without_alert, self.alerts_doubled)
        return not (any(faults) or self.bytes_missing or self.runs_left_open or self.orphans or self.failures)


def configure(folder: Path, port: int) -> Configuration:
    """An installation that watches the site, with one rule that tells everything."""
    folder.mkdir(exist_ok=True)
    sources = folder / "sources.toml"
    sources.write_text(SOURCE.format(port=port), encoding="utf-8")
    return Configuration(
        data=folder / "data",
        contact="benchmark@example.org",
        delay=0,
        built_in_sources=False,
        source_files=(sources,),
        allowed_private=tuple(f"{host}:{port}" for host in HOSTS),
        channels={"log": {"kind": "file", "path": str(folder / "alerts.jsonl")}},
        rules=(RULE,),
    )


def run_crawl(folder: Path, port: int) -> None:
    """In a process of its own: one crawl of everything; exit code 0 when its run is ok."""
    lead_to_loopback()
    configuration = configure(folder, port)
    sources = configuration.load_sources().values()
    with forked_server() as server:
        (outcome,) = crawl(configuration, sources, alert_baseline=True, server=server)
    if outcome.state != "ok":
        (folder / "reason").write_text(f"{outcome.state}: {outcome.reason}", encoding="utf-8")
        sys.exit(1)


def measure(kills: int, pages: int, folder: Path, *, seed: int = 1, seconds: float = float("inf")) -> Tally:
    """Kill crawls of a site with so many articles this often, or for so long, each of them resumed until complete."""
    COPIES.set_forkserver_preload(["cli", "benchmarks.throughput", "crawlers.court"])
    random, tally = Random(seed), Tally()
    with open_site(pages) as port:
        began = time.monotonic()
        whole = _begin(folder / "whole", port)
        whole.join()
        duration = time.monotonic() - began
        _judge(folder / "whole", port, pages, whole.exitcode, tally)
        end = began + seconds

        def is_enough() -> bool:
            return tally.kills >= kills or time.monotonic() > end

        while not (is_enough() or tally.failures):
            place = folder / f"round {tally.rounds}"
            began = time.monotonic()
            if _kill_until_complete(place, port, pages, duration, is_enough, random, tally):
                # It came to its end before its moment: the machine has become quicker.
                duration = min(duration, time.monotonic() - began)
    return tally


def _begin(folder: Path, port: int) -> multiprocessing.process.BaseProcess:
    process = COPIES.Process(target=run_crawl, args=(folder, port))
    process.start()
    return process


def _kill_until_complete(
    folder: Path,
    port: int,
    pages: int,
    duration: float,
    is_enough: Callable[[], bool],
    random: Random,
    tally: Tally,
) -> bool:
    """A round; True when its crawl was never killed."""
    stored, before = 0, tally.kills
    while True:
        process = _begin(folder, port)
        moment = random.uniform(0, duration * max(_LEAST, 1 - stored / pages))
        process.join(None if is_enough() else moment)
        if process.exitcode is not None:
            _judge(folder, port, pages, process.exitcode, tally)
            return tally.kills == before
        assert process.pid is not None
        started = list(_children(process.pid))
        process.kill()
        process.join()
        tally.kills += 1
        tally.with_process += bool(started)
        _await_end(started, tally)
        stored = _look(folder, port, tally)
        print(f"{tally.kills} kills, {tally.rounds} rounds", file=sys.stderr)


def _children(pid: int) -> Iterator[int]:
    """Processes that a process has started, by the kernel's own list."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                stat = (process / "stat").read_text("utf-8")
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                yield int(process.name)


def _await_end(processes: list[int], tally: Tally) -> None:
    began = time.monotonic()
    while any(_is_alive(pid) for pid in processes):
        if time.monotonic() - began > WITHIN:
            tally.orphans += sum(_is_alive(pid) for pid in processes)
            return
        time.sleep(0.01)
    tally.slowest_end = max(tally.slowest_end, time.monotonic() - began)


def _is_alive(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _look(folder: Path, port: int, tally: Tally) -> int:
    """After a kill: the number of items that are stored; those without a version or an alert are halves."""
    file = folder / "data" / "iprwatch.db"
    if not file.exists():
        return 0
    engine = open_engine(configure(folder, port).database_url)
    with engine.connect() as connection:
        stored = connection.scalar(select(func.count(Item.id))) or 0
        whole = (
            select(func.count(Item.id.distinct())).join(Version).join(Delivery, Delivery.item_id == Item.id)
        )
        tally.halves += stored - (connection.scalar(whole) or 0)
    engine.dispose()
    return stored


def _judge(folder: Path, port: int, pages: int, code: int | None, tally: Tally) -> None:
    """At the end of a round: everything is there, and once."""
    tally.rounds += 1
    if code != 0:
        reason = folder / "reason"
        tally.failures.append(reason.read_text("utf-8") if reason.exists() else f"exit code {code}")
        return
    configuration = configure(folder, port)
    engine = open_engine(configuration.database_url)
    _count(engine, pages, tally)
    archive = Archive(configuration.archive)
    with engine.connect() as connection:
        for sha256 in connection.scalars(select(Version.snapshot_sha256)):
            try:
                archive.open_page(sha256)
            except ArchiveError as error:
                tally.bytes_missing += 1
                tally.failures.append(str(error))
    engine.dispose()


def _count(engine: Engine, pages: int, tally: Tally) -> None:
    with engine.connect() as connection:

        def number(of: object) -> int:
            return int(connection.scalar(select(of)) or 0)  # type: ignore[call-overload]

        urls = number(func.count(Item.url.distinct()))
        told = number(func.count(Delivery.item_id.distinct()))
        tally.articles += urls
        tally.lost += pages - urls
        tally.doubled += number(func.count(Item.id)) - urls + number(func.count(Version.id)) - urls
        tally.without_alert += urls - told
        tally.alerts_doubled += number(func.count(Delivery.id)) - told
        open_runs = select(func.count(Run.id)).where(Run.state == RUNNING)
        tally.runs_left_open += connection.scalar(open_runs) or 0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--pages", type=int, default=300)
    arguments.add_argument("--minutes", type=float, default=float("inf"))
    arguments.add_argument("--seed", type=int, default=1)
    order = arguments.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="iprwatch-kill-") as folder:
        tally = measure(order.kills, order.pages, Path(folder), seed=order.seed, seconds=order.minutes * 60)
    table = Table("what", title=f"kill -9, {order.pages} articles, {time.monotonic() - began:.0f} s")
    table.add_column("number", justify="right")
    for name, value in vars(tally).items():
        if name != "failures":
            table.add_row(
                name.replace("_", " "), f"{value:.2f} s" if isinstance(value, float) else str(value)
            )
    console = Console()
    console.print(table)
    for failure in tally.failures:
        console.print(failure, markup=False)
    sys.exit(0 if tally.is_clean else 1)


if __name__ == "__main__":
    main()
