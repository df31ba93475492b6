"""Notices interpreted and stored by processes of their own: the same rows, and no loss that isn't told."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier, Event, Thread
from time import sleep
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, func, select, update

from crawlers import pipeline_server
from crawlers.archive import Archive
from crawlers.pipeline_process import PipelineError, PipelineProcess
from crawlers.pipeline_server import Server, Setup, forked_server, launch_server
from pipeline.alerts.rules import Recipient, Rule, Rules
from pipeline.legal.court_codes import extend_court_codes
from pipeline.record import Sighting
from pipeline.store.lease import Lease, acquire
from pipeline.store.tables import Delivery, FactRow, Filtered, Item, LeaseRow, Version
from pipeline.store.write import Written
from tests.notices import CONTEXT, make_notice

Result = TypeVar("Result")
RULES = Rules([Rule(name="all", send=(Recipient(channel="log"),))])


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def make_setup(store: Engine, **changes: Any) -> Setup:
    url = store.url.set(drivername=store.dialect.name).render_as_string(hide_password=False)
    return Setup(
        **{
            "database_url": url,
            "leases": (),
            "rules": RULES,
            "lexicon": None,
            "court_codes": None,
            "archive": Path("/nowhere"),
        }
        | changes
    )


def ask(
    store: Engine,
    question: Callable[[PipelineProcess], Awaitable[Result]],
    *,
    few: int = 0,
    **changes: Any,
) -> Result:
    """`few` is 0 where the other processes are to be ready for the first notice."""
    process = PipelineProcess(make_setup(store, **changes), few=few)

    async def run() -> Result:
        if not few:
            process.expect()
        return await question(process)

    try:
        return asyncio.run(run())
    finally:
        process.close()


def watch_questions(
    monkeypatch: pytest.MonkeyPatch, before: Callable[[], object] = lambda: None
) -> list[int]:
    """How many notices each question to the other processes has; `before` is called before it is asked."""
    sizes: list[int] = []
    ask_server = Server.ask

    def note_and_ask(server: Server, question: Any) -> Any:
        if isinstance(question, list):
            sizes.append(len(question))
            before()
        return ask_server(server, question)

    monkeypatch.setattr(Server, "ask", note_and_ask)
    return sizes


def sighting(number: int, **changes: object) -> Sighting:
    return Sighting(make_notice(number, **changes), CONTEXT, None)


def take_all(sightings: Iterable[Sighting]) -> Callable[[PipelineProcess], Awaitable[list[Any]]]:
    async def take(process: PipelineProcess) -> list[Any]:
        return await asyncio.gather(*map(process.take, sightings), return_exceptions=True)

    return take


async def one_after_another(process: PipelineProcess) -> list[Written]:
    return [await process.take(sighting(number)) for number in range(1, 4)]


def count(store: Engine, table: Any) -> int:
    with store.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("few", [0, 1000])
def test_what_was_taken_is_stored_with_its_outbox_rows_in_both_places(store: Engine, few: int) -> None:
    written = ask(store, take_all(sighting(number) for number in range(1, 451)), few=few)
    assert [(one.outcome, one.deliveries) for one in written] == [("new", 1)] * 450
    assert all(one.filled["items"] == one.filled["body"] == 1 for one in written)
    with store.connect() as connection:
        stored = {row.id: row.identity for row in connection.execute(select(Item.id, Item.identity))}
    assert [stored[one.item_id] for one in written] == [f"court.gov.cn:{number}" for number in range(1, 451)]
    assert count(store, Delivery) == 450


def test_what_comes_within_a_moment_goes_to_the_other_process_together(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trickle(process: PipelineProcess) -> list[Written]:
        taking = []
        for number in range(1, 11):
            taking.append(asyncio.create_task(process.take(sighting(number))))
            await asyncio.sleep(0.001)
        return await asyncio.gather(*taking)

    sizes = watch_questions(monkeypatch)
    assert [one.outcome for one in ask(store, trickle)] == ["new"] * 10
    assert sizes == [10]


def test_what_comes_while_the_last_transaction_goes_on_is_stored_too(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Event()

    def wait_a_little() -> None:
        asked.set()
        sleep(0.3)

    async def take_late(process: PipelineProcess) -> list[Written]:
        await process.take(sighting(1))
        asked.clear()
        first = asyncio.create_task(process.take(sighting(2)))
        await asyncio.to_thread(asked.wait, 30)
        return [await process.take(sighting(3)), await first]

    watch_questions(monkeypatch, wait_a_little)
    assert [one.outcome for one in ask(store, take_late)] == ["new", "new"]


def test_the_other_process_starts_when_more_than_a_few_are_expected(store: Engine) -> None:
    async def one_by_one(process: PipelineProcess) -> Any:
        process.expect()
        process.expect()
        here = await process.take(sighting(1))
        assert process._server is None
        process.expect()
        there = await process.take(sighting(2))
        assert process._server is not None
        return here.outcome, there.outcome

    assert ask(store, one_by_one, few=2) == ("new", "new")
    assert count(store, Item) == 2


def test_one_transaction_is_interpreted_while_another_is_stored_and_each_notice_hears_of_itself(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two questions that come together, or none.
    sizes = watch_questions(monkeypatch, partial(Barrier(2).wait, 30))
    notices = [sighting(number) for number in range(1, 401)]
    notices[299] = sighting(300, title=" ")
    written = ask(store, take_all(notices))
    assert sizes == [100] * 4
    assert isinstance(written[299], PipelineError)
    assert "needs a title" in str(written[299])
    assert [one.outcome for place, one in enumerate(written) if place != 299] == ["new"] * 399
    with store.connect() as connection:
        stored = {row.id: row.identity for row in connection.execute(select(Item.id, Item.identity))}
    for number, one in enumerate(written, 1):
        assert number == 300 or stored[one.item_id] == f"court.gov.cn:{number}"


def test_what_is_less_than_a_transaction_waits_for_no_other_where_no_more_is_expected(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = watch_questions(monkeypatch, partial(Barrier(2).wait, 30))

    async def take_ten_more(process: PipelineProcess) -> list[Written]:
        first = [asyncio.create_task(process.take(sighting(number))) for number in range(1, 101)]
        while not sizes:
            await asyncio.sleep(0.01)
        last = [asyncio.create_task(process.take(sighting(number))) for number in range(101, 111)]
        return await asyncio.gather(*first, *last)

    assert [one.outcome for one in ask(store, take_ten_more)] == ["new"] * 110
    assert sizes == [100, 10]


def test_without_the_other_process_this_one_goes_on(
    store: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    async def one_by_one(process: PipelineProcess) -> list[Written]:
        for _ in range(29):
            process.expect()
        return [await process.take(sighting(number)) for number in range(1, 30)]

    written = ask(store, one_by_one, few=2)
    assert [one.outcome for one in written] == ["new"] * 29
    assert caplog.text.count("did not start") == 1


def test_where_only_one_of_the_other_processes_starts_it_ends_and_this_one_goes_on(
    store: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    launch, launched = pipeline_server._launch, list[Any]()

    def launch_one(task: str, questions: Any) -> Any:
        if task == "store":
            raise OSError("no room for one more")
        launched.append(launch(task, questions))
        return launched[0]

    monkeypatch.setattr(pipeline_server, "_launch", launch_one)
    assert [one.outcome for one in ask(store, one_after_another)] == ["new"] * 3
    assert "did not start (OSError('no room for one more'))" in caplog.text
    assert launched[0].returncode == 0


def test_a_database_that_only_the_other_process_cannot_open_costs_no_notice(
    store: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    begin = Server.begin

    def begin_elsewhere(server: Server, setup: Setup) -> None:
        begin(server, replace(setup, database_url=f"sqlite:///{tmp_path / 'missing.db'}"))

    monkeypatch.setattr(Server, "begin", begin_elsewhere)
    assert [one.outcome for one in ask(store, one_after_another)] == ["new"] * 3
    assert "did not start (EOFError" in caplog.text


def test_a_process_that_answers_for_too_few_is_told_for_every_notice(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_server = Server.ask

    def forget_one(server: Server, question: Any) -> Any:
        answer = ask_server(server, question)
        return answer[1:] if isinstance(question, list) else answer

    monkeypatch.setattr(Server, "ask", forget_one)
    lost = ask(store, take_all([sighting(1), sighting(2)]))
    assert [type(error) for error in lost] == [PipelineError] * 2
    assert "1 results for 2 notices" in str(lost[0])


def test_no_notice_waits_for_a_process_that_fails_in_a_way_nobody_thought_of(
    store: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_server: Server, _setup: Setup) -> None:
        raise RuntimeError("unheard of")

    monkeypatch.setattr(Server, "begin", fail)
    assert [one.outcome for one in ask(store, one_after_another)] == ["new"] * 3
    assert "unheard of" in caplog.text


def test_a_signal_that_reaches_all_processes_of_a_service_costs_no_notice(store: Engine) -> None:
    async def interrupt(process: PipelineProcess) -> list[Written]:
        await process.take(sighting(0))
        assert process._server is not None
        for one in process._server._processes:
            for number in (signal.SIGTERM, signal.SIGINT):
                os.kill(one.pid, number)
        return await one_after_another(process)

    assert [one.outcome for one in ask(store, interrupt)] == ["new"] * 3


@pytest.mark.parametrize("few", [0, 1000])
def test_the_page_of_a_notice_is_kept_before_its_row(store: Engine, tmp_path: Path, few: int) -> None:
    pages = {number: f"page {number}".encode() for number in range(1, 4)}
    notices = [
        replace(sighting(number, sha256=hashlib.sha256(page).hexdigest()), page=page)
        for number, page in pages.items()
    ]
    folder = tmp_path / "archive"
    written = ask(store, take_all(notices), few=few, archive=folder)
    assert [one.outcome for one in written] == ["new"] * 3
    with store.connect() as connection:
        kept = connection.scalars(select(Version.snapshot_sha256).order_by(Version.item_id)).all()
    assert [Archive(folder).open_page(sha256) for sha256 in kept] == list(pages.values())


@pytest.mark.parametrize("few", [0, 1000])
def test_a_notice_whose_page_cannot_be_kept_is_not_stored(store: Engine, tmp_path: Path, few: int) -> None:
    (tmp_path / "archive").touch()
    notices = [replace(sighting(1), page=b"page"), sighting(2)]
    lost, other = ask(store, take_all(notices), few=few, archive=tmp_path / "archive")
    assert isinstance(lost, PipelineError)
    assert "the page can't be kept" in str(lost)
    assert (other.outcome, count(store, Item)) == ("new", 1)


@pytest.mark.parametrize("few", [0, 1000])
def test_a_notice_that_is_refused_costs_no_other(store: Engine, few: int) -> None:
    unknown_run = Sighting(make_notice(4), replace(CONTEXT, run_id=99), None)
    notices = [sighting(1), sighting(2, title=" "), sighting(3), unknown_run]
    first, untitled, third, homeless = ask(store, take_all(notices), few=few)
    assert (first.outcome, third.outcome) == ("new", "new")
    assert isinstance(untitled, PipelineError)
    assert "needs a title" in str(untitled)
    assert isinstance(homeless, PipelineError)
    assert "refused to store 1 notices" in str(homeless)
    assert count(store, Item) == 2


def test_the_other_process_writes_nothing_after_its_lease(store: Engine) -> None:
    lease = acquire(store, "www.court.gov.cn", "one")
    assert isinstance(lease, Lease)
    with store.begin() as connection:
        connection.execute(update(LeaseRow).values(epoch=LeaseRow.epoch + 1))
    (refused,) = ask(store, take_all([sighting(1)]), leases=(lease,))
    assert isinstance(refused, PipelineError)
    assert "LeaseLost" in str(refused)
    assert count(store, Item) == 0


@pytest.mark.parametrize("few", [0, 1])
def test_topics_are_judged_by_the_lexicon_of_the_operator_in_both_places(
    store: Engine, tmp_path: Path, few: int
) -> None:
    lexicon = tmp_path / "lexicon.toml"
    lexicon.write_text('[add.trademark]\nalone = ["字号抢登"]\n', encoding="utf-8")
    context = replace(CONTEXT, only_ip=True)
    notice = make_notice(1, title="整治字号抢登", body="正文")
    (written,) = ask(store, take_all([Sighting(notice, context, None)]), few=few, lexicon=lexicon)
    assert (written.outcome, count(store, Filtered)) == ("new", 0)


def test_the_other_process_knows_the_courts_of_the_operator(store: Engine, tmp_path: Path) -> None:
    name = "广东省某某互联网法院"
    courts = tmp_path / "my-courts.toml"
    courts.write_text(
        f'[courts]\n"粤0199" = {{ level = "basic", zh = "{name}", source = "https://example.com/1" }}',
        encoding="utf-8",
    )

    async def take(process: PipelineProcess) -> Written:
        await process.take(sighting(2))
        # Only the other processes can know the court now.
        extend_court_codes(None)
        return await process.take(sighting(1, title="（2026）粤0199民初1号"))

    try:
        ask(store, take, court_codes=courts)
    finally:
        extend_court_codes(None)
    with store.connect() as connection:
        values = connection.scalars(select(FactRow.value).where(FactRow.kind == "case_number")).all()
    assert [value["court_zh"] for value in values] == [name]


def test_the_few_notices_of_a_small_crawl_start_no_process(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PipelineProcess, "_start", lambda _: pytest.fail("a process was started"))

    async def take(process: PipelineProcess) -> Written:
        process.expect()
        return await process.take(sighting(1))

    assert ask(store, take, few=1).outcome == "new"


def test_one_processor_starts_no_process(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(PipelineProcess, "_start", lambda _: pytest.fail("a process was started"))
    written = ask(store, one_after_another)
    assert [one.outcome for one in written] == ["new"] * 3
    with forked_server() as server:
        assert server is None


@pytest.mark.parametrize("task", [0, 1], ids=["interpreting", "storing"])
def test_the_end_of_a_process_is_told_for_every_notice_after_it(store: Engine, task: int) -> None:
    async def after_its_end(process: PipelineProcess) -> Any:
        await process.take(sighting(1))
        assert process._server is not None
        os.kill(process._server._processes[task].pid, signal.SIGKILL)
        return await asyncio.gather(*map(process.take, [sighting(2), sighting(3)]), return_exceptions=True)

    lost = ask(store, after_its_end)
    assert [type(error) for error in lost] == [PipelineError, PipelineError]
    assert count(store, Item) == 1


def close_as_if_killed(server: Server) -> list[int | None]:
    """Close the pipes as the kernel does for a process that was killed; the exit codes of the others."""
    server._questions.flush()
    server._answers.close()
    return server.end()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["before", "amid", "after"])
def test_the_other_process_ends_in_silence_when_the_crawl_is_killed(
    store: Engine, capfd: pytest.CaptureFixture[str], share: float
) -> None:
    server = launch_server()
    server.begin(make_setup(store))
    notices = pickle.dumps([sighting(number) for number in range(1, 31)])
    server._questions.write(notices[: int(len(notices) * share)])
    assert close_as_if_killed(server) == [0, 0]
    assert capfd.readouterr().err == ""
    # What was taken whole is stored whole.
    assert count(store, Item) == count(store, Delivery) == (30 if share == 1.0 else 0)


def test_all_that_was_given_whole_is_stored_when_the_crawl_is_killed(
    store: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    server = launch_server()
    server.begin(make_setup(store))
    for first in (1, 31, 61):
        pickle.dump([sighting(number) for number in range(first, first + 30)], server._questions)
    assert close_as_if_killed(server) == [0, 0]
    assert capfd.readouterr().err == ""
    assert count(store, Item) == count(store, Delivery) == 90


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["before", "amid", "after"])
def test_the_other_process_ends_in_silence_when_the_crawl_is_killed_while_it_starts(
    store: Engine, capfd: pytest.CaptureFixture[str], share: float
) -> None:
    server = launch_server()
    setup = pickle.dumps(make_setup(store))
    server._questions.write(setup[: int(len(setup) * share)])
    assert close_as_if_killed(server) == [0, 0]
    assert capfd.readouterr().err == ""


# --- A process that is forked; only in a process of its own, since tests run in one that has threads ---

forks = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")

FORKING = """
import asyncio, os, pickle, sys
from crawlers.pipeline_process import PipelineProcess
from crawlers.pipeline_server import forked_server

os.cpu_count = lambda: 2
setup, notices = pickle.load(sys.stdin.buffer)
with forked_server() as server:
    assert server is not None
    process = PipelineProcess(setup, server, few=0)

    async def take():
        process.expect()
        return await asyncio.gather(*map(process.take, notices))

    written = asyncio.run(take())
    assert process._server is server
    if "--killed" in sys.argv:
        print(*[one.pid for one in server._processes], flush=True)
        os.kill(os.getpid(), 9)
    process.close()
print([(one.outcome, one.deliveries, one.item_id is not None) for one in written])
print(server.end())
"""


def run_forking(store: Engine, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    notices = [sighting(number) for number in range(1, 231)]
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, *arguments],
        input=pickle.dumps((make_setup(store), notices)), capture_output=True, check=False, timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip


@forks
def test_a_process_that_was_forked_stores_as_any_other_and_ends_with_the_crawl(store: Engine) -> None:
    done = run_forking(store)
    assert done.stderr == b""
    assert done.stdout.decode().splitlines() == [str([("new", 1, True)] * 230), "[0, 0]"]
    assert count(store, Item) == count(store, Delivery) == 230


@forks
def test_a_process_that_was_forked_ends_in_silence_when_the_crawl_is_killed(store: Engine) -> None:
    done = run_forking(store, "--killed")
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, b"")
    processes = [Path(f"/proc/{number}") for number in done.stdout.decode().split()]
    assert len(processes) == 2
    waited = 0
    while any(process.exists() for process in processes) and waited < 600:
        sleep(0.1)
        waited += 1
    assert waited < 600
    assert count(store, Item) == 230


@forks
def test_a_process_that_nobody_needed_ends_with_the_block() -> None:
    script = (
        "import os; os.cpu_count = lambda: 2; from crawlers.pipeline_server import forked_server\n"
        "with forked_server() as server: assert server is not None\n"
        "print(server.end(), [os.path.exists(f'/proc/{one.pid}') for one in server._processes])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, check=False, timeout=60, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[0, 0] [False, False]\n", "")


def test_nothing_is_forked_from_a_process_with_threads() -> None:
    end = Event()
    thread = Thread(target=end.wait)
    thread.start()
    try:
        with forked_server() as server:
            assert server is None
    finally:
        end.set()
        thread.join()
