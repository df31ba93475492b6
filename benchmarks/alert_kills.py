"""Is an alert lost, or doubled without need, when senders are killed?  python -m benchmarks.alert_kills --kills 200

10,000 alerts (500 made-up items, 20 rules) wait in the outbox of an installation whose only channel is a webhook on
loopback. Three processes run the command `iprwatch alerts send` again and again; while they work, one of them is killed
with SIGKILL at a random moment, 200 times, and another one takes its place. The webhook answers one request in ten
badly: with a 500, by closing without an answer, or slowly. Then everything is awaited, and the ledger is held against
the webhook's own log. `--postgresql URL` does the same there, in a schema that is removed at the end.

A claim lasts `--claim` seconds here and a first retry waits `--retry`, in place of ten minutes and one, so that the
trial ends; nothing else of the command is changed.

The figures: `lost` alerts never came. `copies` came once more after they were taken; `copies beyond kills` are those
for which no sender was killed, or not as often. `other ids` are copies under another id than the first. The ledger is
`untrue` for an alert where it says sent and the webhook has not taken it or the other way round, where it has another
number of attempts than the webhook, but for those that were cut off by a kill, or where it is not settled at the end.
Exit code 1 when anything but copies is not 0, or when there are more copies than kills.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, func, insert, select

from benchmarks.loopback_webhook import SECRET, TAKEN, Answer, Arrival, Webhook, open_webhook
from configuration import load_configuration
from crawlers.notice import Notice, PrintedDate
from pipeline import interpret
from pipeline.alerts import outbox
from pipeline.alerts.rules import Rules
from pipeline.record import Context, Record
from pipeline.store.alert_tables import Attempt
from pipeline.store.session import open_engine
from pipeline.store.tables import Delivery, Run
from pipeline.store.write import write_records

RULES = 20
SENDERS = 3
BAD = 0.1
"""The share of requests that the webhook answers badly."""
PATIENCE = 300.0
"""Seconds without a request after which the trial gives up waiting for what is still due."""
CONFIGURATION = """data = "data"
database = "{database}"
built_in_sources = false
contact = "benchmark@example.org"
allowed_private = ["{place}"]
[channels.desk]
kind = "webhook"
secret = {{ file = "secret" }}
"""
RULE = (
    '[[rules]]\nname = "Rule {number}"\nstorm = 0\nsend = [{{ channel = "desk", to = "http://{place}/" }}]\n'
)
_HEADERS = {"content-type": "text/html; charset=utf-8"}
# Senders are copies of one process that has imported everything: else they would be killed while they import.
COPIES = multiprocessing.get_context("forkserver")


@dataclass
class Tally:
    """What was counted."""

    alerts: int = 0
    kills: int = 0
    requests: int = 0
    answered_badly: int = 0
    cut_off: int = 0
    copies: int = 0
    lost: int = 0
    copies_beyond_kills: int = 0
    other_ids: int = 0
    untrue: int = 0
    unsettled: int = 0

    @property
    def is_clean(self) -> bool:
        """True when every promise was kept."""
        faults = (self.lost, self.copies_beyond_kills, self.other_ids, self.untrue, self.unsettled)
        return not any(faults) and self.copies <= self.kills


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be tried, and how long claims and first retries last, in seconds."""

    alerts: int
    kills: int
    claim: float
    retry: float
    seed: int


def send(file: Path, claim: float, retry: float) -> None:
    """In a process of its own: `iprwatch alerts send`, with shorter waits."""
    import cli

    outbox.CLAIM = timedelta(seconds=claim)
    outbox.FIRST_RETRY = timedelta(seconds=retry)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        sys.argv = ["iprwatch", "--config", str(file), "alerts", "send", "--json"]
        cli.main()


def make_record(random: Random, number: int, run_id: int) -> Record:
    """An article that has nothing in common with another one, so that none is another report of its event."""
    body = "".join(chr(random.randint(0x4E00, 0x9000)) for _ in range(400))
    notice = Notice(
        reader="court_gov",
        url=f"https://www.example.org/{number}.html",
        title=f"{body[:12]}（第{number}号）",
        publisher="最高人民法院",
        author=None,
        dates=(PrintedDate("2026-11-19", "labelled text"),),
        body=body,
        links=(),
        attachments=(),
        identity=f"example.org:{number}",
        entry=None,
        fetched_at=datetime.now(UTC),
        sha256=f"{number:064x}",
    )
    return interpret(
        notice, Context("made_up", "最高人民法院", "Court", ("law",), run_id, False, 200, _HEADERS)
    )


def fill(engine: Engine, file: Path, alerts: int) -> None:
    """Store items until so many alerts are due."""
    with engine.begin() as connection:
        run_id = connection.execute(
            insert(Run).values(
                source_key="made_up", started_at=datetime.now(UTC), finished_at=None, list_read_at=None,
                state="running", reason=None, baseline=False, counts={},
            ).returning(Run.id)
        ).scalar_one()  # fmt: skip
    random, rules = Random(1), Rules(load_configuration(file).rules)
    write_records(engine, [make_record(random, n, run_id) for n in range(1, alerts // RULES + 1)], rules)


def measure(database: str, folder: Path, order: Order) -> Tally:
    """Fill the outbox, kill senders while they empty it, and count."""
    COPIES.set_forkserver_preload(
        ["cli", "benchmarks.loopback_webhook", "sqlite3", "psycopg", "alembic.command"]
    )
    random = Random(order.seed)
    bad: list[Answer] = ["500", "closed", "slow"]

    def answer() -> Answer:
        return random.choice(bad) if random.random() < BAD else "ok"

    engine = open_engine(database)
    with open_webhook(answer) as webhook:
        file = folder / "iprwatch.toml"
        rules = "".join(RULE.format(number=number, place=webhook.place) for number in range(RULES))
        (folder / "secret").write_text(SECRET, encoding="utf-8")
        file.write_text(CONFIGURATION.format(database=database, place=webhook.place) + rules, "utf-8")
        fill(engine, file, order.alerts)
        kills = _work(engine, webhook, file, order)
        tally = count(engine, webhook.arrivals, kills)
    engine.dispose()
    return tally


def _work(engine: Engine, webhook: Webhook, file: Path, order: Order) -> int:
    """Let senders work until all is settled, and kill some of them on the way; how many."""
    random = Random(order.seed)
    # Between the first and the last alerts: at each of these numbers of requests one sender dies.
    moments = sorted(random.uniform(0.005, 0.97) * order.alerts for _ in range(order.kills))
    arguments = (file, order.claim, order.retry)
    senders: list[multiprocessing.process.BaseProcess] = []
    kills, came, changed = 0, 0, time.monotonic()
    while time.monotonic() - changed < PATIENCE:
        if len(webhook.arrivals) > came:
            came, changed = len(webhook.arrivals), time.monotonic()
        senders = [sender for sender in senders if sender.is_alive()]
        if len(senders) < SENDERS:
            if _is_settled(engine):
                break
            senders.append(COPIES.Process(target=send, args=arguments))
            senders[-1].start()
        if kills < len(moments) and len(webhook.arrivals) >= moments[kills]:
            time.sleep(random.uniform(0, 0.1))
            victim = random.choice(senders)
            if victim.is_alive():
                victim.kill()
                victim.join()
                kills += victim.exitcode == -9
        time.sleep(0.01 if kills < len(moments) else 0.5)
    for sender in senders:
        sender.join()
    return kills


def _is_settled(engine: Engine) -> bool:
    with engine.connect() as connection:
        left = select(func.count(Delivery.id)).where(Delivery.state.in_(("due", "sending")))
        return connection.scalar(left) == 0


def count(engine: Engine, arrivals: list[Arrival], kills: int) -> Tally:
    """The ledger, held against the webhook's log."""
    with engine.connect() as connection:
        rows = connection.execute(select(Delivery.id, Delivery.state)).all()
        noted: dict[str, Counter[str]] = defaultdict(Counter)
        for attempt in connection.execute(select(Attempt.delivery_id, Attempt.outcome)):
            noted[attempt.delivery_id][attempt.outcome] += 1
    came: dict[str, Counter[str]] = defaultdict(Counter)
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for arrival in arrivals:
        came[arrival.id]["taken" if arrival.answer in TAKEN else "refused"] += 1
        ids[arrival.said["data"]["rule"], arrival.said["data"]["url"]].add(arrival.id)
    tally = Tally(alerts=len(rows), kills=kills, requests=len(arrivals))
    tally.answered_badly = sum(arrival.answer != "ok" for arrival in arrivals)
    tally.other_ids = sum(len(found) - 1 for found in ids.values()) + len(
        set(came) - {row.id for row in rows}
    )
    for row in rows:
        attempts, taken, refused = noted[row.id], came[row.id]["taken"], came[row.id]["refused"]
        cut_off = attempts["unknown"]
        tally.cut_off += cut_off
        tally.lost += taken == 0
        tally.copies += max(0, taken - 1)
        tally.copies_beyond_kills += max(0, taken - 1 - cut_off)
        if row.state != "sent":
            tally.unsettled += 1
            continue
        # What the ledger does not know of came from a sender that was killed before it could note the answer.
        unnoted = taken - attempts["sent"] + refused - attempts["retry"]
        told = attempts["sent"] == 1 and taken >= 1 and refused >= attempts["retry"]
        tally.untrue += not (told and 0 <= unnoted <= cut_off)
    return tally


@contextmanager
def open_database(postgresql: str | None, folder: Path) -> Iterator[str]:
    """The URL of an empty database: a file, or a schema that is gone at the end."""
    if postgresql is None:
        yield f"sqlite:///{folder / 'alerts.db'}"
        return
    schema = f"alerts_{uuid4().hex}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"')
    try:
        yield f"{postgresql}?options=-csearch_path%3D{schema}"
    finally:
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--alerts", type=int, default=10_000, help=f"a multiple of {RULES}")
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--claim", type=float, default=20.0, help="seconds that a claim lasts")
    arguments.add_argument("--retry", type=float, default=2.0, help="seconds until the first retry")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument(
        "--postgresql", help="postgresql://USER:PASSWORD@HOST/DATABASE, in place of SQLite"
    )
    given = arguments.parse_args()
    order = Order(given.alerts, given.kills, given.claim, given.retry, given.seed)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="iprwatch-alerts-") as folder,
        open_database(given.postgresql, Path(folder)) as database,
    ):
        tally = measure(database, Path(folder), order)
    table = Table("what", title=f"{database.partition(':')[0]}, {time.monotonic() - began:.0f} s")
    table.add_column("number", justify="right")
    for field in fields(tally):
        table.add_row(field.name.replace("_", " "), str(getattr(tally, field.name)))
    Console().print(table)
    sys.exit(0 if tally.is_clean else 1)


if __name__ == "__main__":
    main()
