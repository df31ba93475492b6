"""Does the scheduler grow with time?  python -m benchmarks.soak --cycles 500

One process runs the scheduler as `iprwatch run` does: its jobs, its threads, a crawl of the made-up site of
`benchmarks.loopback_site` in a process of its own for each cycle, then what is done each minute (verdicts, the day's
report, alerts). The schedule is compressed: after a cycle its run row is put back by more than a minute, so that the
source, which is due each minute, is due again at once.

After every cycle the kernel is asked for this process's memory, open files, connections, threads and child processes.
What a cycle adds is the slope of a straight line through the later cycles (`--warm-up` leaves out the first). Flat is
less than 0.02 files, connections, threads or children a cycle, and less than 20 KiB of memory. Exit code 1 when
something isn't flat, or when a run was not ok. With `--minutes` it ends after so long, with the cycles done by then.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, select, update

from benchmarks.loopback_site import HOSTS
from benchmarks.throughput import SOURCE, open_site
from configuration import load_configuration
from pipeline.store.tables import Run
from scheduler import Runner, build_scheduler, set_up_log

ARTICLES = 20
COMMAND = (
    sys.executable, "-c",
    "from benchmarks.loopback_site import lead_to_loopback; lead_to_loopback(); "
    "import crawl_process; crawl_process.main()",
)  # fmt: skip
CONFIGURATION = """data = "data"
built_in_sources = false
source_files = ["sources.toml"]
contact = "benchmark@example.org"
delay = 0
allowed_private = {pairs}
operators = [{{ channel = "log" }}]
[channels.log]
kind = "file"
path = "alerts.jsonl"
[[rules]]
name = "All"
send = [{{ channel = "log" }}]
"""
FLAT = {"memory KiB": 20.0, "open files": 0.02, "connections": 0.02, "threads": 0.02, "children": 0.02}
"""What a cycle may add and still be called flat: the noise of an allocator, and of a garbage collector."""
PUT_BACK = timedelta(seconds=61)


def look_at_process() -> dict[str, int]:
    """What this process holds, as the kernel says."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines())
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue  # the one by which the folder itself was read
    return {
        "memory KiB": int(status["VmRSS"].split()[0]),
        "open files": len(links),
        "connections": sum(link.startswith("socket:") for link in links),
        "threads": int(status["Threads"]),
        "children": sum(
            len(children.read_text("utf-8").split())
            for children in Path("/proc/self/task").glob("*/children")
        ),
    }


def do_once(scheduler: BackgroundScheduler, executor: str, act: Callable[[], object]) -> None:
    """Let a thread of the scheduler do something and wait for its end."""
    done = threading.Event()

    def job() -> None:
        try:
            act()
        finally:
            done.set()

    scheduler.add_job(job, executor=executor)
    done.wait()


def put_back(engine: Engine, after: int) -> int:
    """Let the runs after this one have begun earlier; the newest run's id."""
    with engine.begin() as connection:
        query = select(Run.id, Run.started_at, Run.finished_at, Run.list_read_at).where(Run.id > after)
        for row in connection.execute(query).all():
            moments = {
                name: moment - PUT_BACK
                for name in ("started_at", "finished_at", "list_read_at")
                if (moment := getattr(row, name)) is not None
            }
            connection.execute(update(Run).where(Run.id == row.id).values(**moments))
            after = max(after, row.id)
    return after


def measure(cycles: int, folder: Path, seconds: float) -> tuple[list[dict[str, int]], dict[str, int]]:
    """What the process held after each cycle, and the runs by their state; no cycle begins after so many seconds."""
    samples: list[dict[str, int]] = []
    end = time.monotonic() + seconds
    with open_site(ARTICLES) as port:
        sources = SOURCE.format(port=port).replace("20 8,12,17 * * mon-fri", "* * * * *")
        (folder / "sources.toml").write_text(sources.replace("depth = 100", "depth = 1"), encoding="utf-8")
        file = folder / "iprwatch.toml"
        pairs = [f"{host}:{port}" for host in HOSTS]
        file.write_text(CONFIGURATION.format(pairs=pairs), encoding="utf-8")
        configuration = load_configuration(file)
        watched = list(configuration.load_sources().values())
        engine = configuration.open_store()
        runner = Runner(configuration, engine, command=COMMAND)
        scheduler = build_scheduler(runner, watched)
        for job in scheduler.get_jobs():
            job.remove()  # here the cycles are the clock
        scheduler.start()
        newest = 0
        while len(samples) < cycles and time.monotonic() < end:
            do_once(scheduler, "default", lambda: runner.crawl_due(watched[0].host))
            do_once(scheduler, "look after", runner.look_after)
            newest = put_back(engine, newest)
            samples.append(look_at_process())
        scheduler.shutdown(wait=True)
        with engine.connect() as connection:
            states = Counter(connection.scalars(select(Run.state)))
        engine.dispose()
    return samples, dict(states)


def slope(values: list[int]) -> float:
    """What each value adds to the one before, by least squares."""
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 1 else 0.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--cycles", type=int, default=500)
    arguments.add_argument("--warm-up", type=int, default=20, help="first cycles that are not counted")
    arguments.add_argument("--minutes", type=float, default=float("inf"), help="end after so long")
    order = arguments.parse_args()
    if order.cycles < order.warm_up + 2:
        arguments.error("--cycles must be at least two more than --warm-up")
    set_up_log()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="iprwatch-soak-") as folder:
        samples, states = measure(order.cycles, Path(folder), order.minutes * 60)
    if len(samples) < order.warm_up + 2:
        sys.exit(f"{len(samples)} cycles in {order.minutes:g} minutes are too few to say anything.")
    shown = ", ".join(f"{number} {state}" for state, number in states.items())
    table = Table("what", title=f"{len(samples)} cycles, {time.monotonic() - began:.0f} s; runs: {shown}")
    for column in ("after warm-up", "least", "most", "last", "a cycle adds"):
        table.add_column(column, justify="right")
    later = samples[order.warm_up :]
    grown = False
    for name, limit in FLAT.items():
        values = [sample[name] for sample in later]
        adds = slope(values)
        grown |= adds >= limit
        table.add_row(
            name, str(values[0]), str(min(values)), str(max(values)), str(values[-1]), f"{adds:+.3f}"
        )
    Console().print(table)
    sys.exit(1 if grown or set(states) != {"ok"} else 0)


if __name__ == "__main__":
    main()
