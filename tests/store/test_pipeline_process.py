"""Notices stored by a process of their own: the same rows, and no loss that isn't told."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, func, select, update

from crawlers import pipeline_process
from crawlers.pipeline_process import PipelineError, PipelineProcess, Setup, _ask, _launch, _start
from pipeline.alerts.rules import Recipient, Rule, Rules
from pipeline.legal.court_codes import extend_court_codes
from pipeline.record import Sighting
from pipeline.store.lease import Lease, acquire
from pipeline.store.tables import Delivery, FactRow, Filtered, Item, LeaseRow
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
        **{"database_url": url, "leases": (), "rules": RULES, "lexicon": None, "court_codes": None} | changes
    )


def ask(
    store: Engine,
    question: Callable[[PipelineProcess], Awaitable[Result]],
    *,
    few: int = 0,
    **changes: Any,
) -> Result:
    async def run() -> Result:
        process = PipelineProcess(make_setup(store, **changes), store, few=few)
        try:
            if not few:
                await process.start()
            return await question(process)
        finally:
            await process.close()

    return asyncio.run(run())


def sighting(number: int, **changes: object) -> Sighting:
    return Sighting(make_notice(number, **changes), CONTEXT)


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
    written = ask(store, take_all(sighting(number) for number in range(1, 151)), few=few)
    assert [(one.outcome, one.deliveries) for one in written] == [("new", 1)] * 150
    assert all(one.filled["items"] == one.filled["body"] == 1 for one in written)
    with store.connect() as connection:
        stored = {row.id: row.identity for row in connection.execute(select(Item.id, Item.identity))}
    assert [stored[one.item_id] for one in written] == [f"court.gov.cn:{number}" for number in range(1, 151)]
    assert count(store, Delivery) == 150


def test_what_comes_within_a_moment_goes_to_the_other_process_together(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def count_and_ask(process: Any, sightings: list[Sighting]) -> Any:
        sizes.append(len(sightings))
        return _ask(process, sightings)

    async def trickle(process: PipelineProcess) -> list[Written]:
        taking = []
        for number in range(1, 11):
            taking.append(asyncio.create_task(process.take(sighting(number))))
            await asyncio.sleep(0.001)
        return await asyncio.gather(*taking)

    monkeypatch.setattr(pipeline_process, "_ask", count_and_ask)
    assert [one.outcome for one in ask(store, trickle)] == ["new"] * 10
    assert sizes == [10]


def test_the_other_process_takes_over_without_a_gap(store: Engine) -> None:
    async def one_by_one(process: PipelineProcess) -> Any:
        number = 0
        while process._process is None:
            number += 1
            assert (await process.take(sighting(number))).outcome == "new"
        assert (await process.take(sighting(number + 1))).outcome == "new"
        return number, process._process

    here, process = ask(store, one_by_one, few=2)
    assert here > 2  # one at least while the other process started
    assert process.returncode == 0
    assert count(store, Item) == here + 1


def test_without_the_other_process_this_one_goes_on(
    store: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    async def one_by_one(process: PipelineProcess) -> list[Written]:
        return [await process.take(sighting(number)) for number in range(1, 30)]

    written = ask(store, one_by_one, few=2)
    assert [one.outcome for one in written] == ["new"] * 29
    assert caplog.text.count("did not start") == 1


def test_a_signal_that_reaches_all_processes_of_a_service_costs_no_notice(store: Engine) -> None:
    async def interrupt(process: PipelineProcess) -> list[Written]:
        assert process._process is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            process._process.send_signal(number)
        return await one_after_another(process)

    assert [one.outcome for one in ask(store, interrupt)] == ["new"] * 3


@pytest.mark.parametrize("few", [0, 1000])
def test_a_notice_that_is_refused_costs_no_other(store: Engine, few: int) -> None:
    unknown_run = Sighting(make_notice(4), replace(CONTEXT, run_id=99))
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
    (written,) = ask(store, take_all([Sighting(notice, context)]), few=few, lexicon=lexicon)
    assert (written.outcome, count(store, Filtered)) == ("new", 0)


def test_the_other_process_knows_the_courts_of_the_operator(store: Engine, tmp_path: Path) -> None:
    name = "广东省某某互联网法院"
    courts = tmp_path / "my-courts.toml"
    courts.write_text(
        f'[courts]\n"粤0199" = {{ level = "basic", zh = "{name}", source = "https://example.com/1" }}',
        encoding="utf-8",
    )

    async def take(process: PipelineProcess) -> Written:
        # Only the other process can know the court now.
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
    monkeypatch.setattr(
        "crawlers.pipeline_process._start", lambda _setup: pytest.fail("a process was started")
    )
    (written,) = ask(store, take_all([sighting(1)]), few=1)
    assert written.outcome == "new"


def test_one_processor_starts_no_process(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(
        "crawlers.pipeline_process._start", lambda _setup: pytest.fail("a process was started")
    )
    written = ask(store, one_after_another, few=1)
    assert [one.outcome for one in written] == ["new"] * 3


def test_the_end_of_the_process_is_told_for_every_notice_after_it(store: Engine) -> None:
    async def after_its_end(process: PipelineProcess) -> Any:
        await process.take(sighting(1))
        other: Any = process._process
        other.kill()
        other.wait()
        return await asyncio.gather(*map(process.take, [sighting(2), sighting(3)]), return_exceptions=True)

    lost = ask(store, after_its_end)
    assert [type(error) for error in lost] == [PipelineError, PipelineError]
    assert count(store, Item) == 1


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["before", "amid", "after"])
def test_the_other_process_ends_in_silence_when_the_crawl_is_killed(
    store: Engine, capfd: pytest.CaptureFixture[str], share: float
) -> None:
    process = _start(make_setup(store))
    assert process.stdin is not None
    assert process.stdout is not None
    notices = pickle.dumps([sighting(number) for number in range(1, 31)])
    process.stdin.write(notices[: int(len(notices) * share)])
    # As the kernel closes them for a process that was killed.
    process.stdout.close()
    process.stdin.close()
    assert process.wait(60) == 0
    assert capfd.readouterr().err == ""
    # What was taken whole is stored whole.
    assert count(store, Item) == count(store, Delivery) == (30 if share == 1.0 else 0)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["before", "amid", "after"])
def test_the_other_process_ends_in_silence_when_the_crawl_is_killed_while_it_starts(
    store: Engine, capfd: pytest.CaptureFixture[str], share: float
) -> None:
    process = _launch()
    assert process.stdin is not None
    assert process.stdout is not None
    setup = pickle.dumps(make_setup(store))
    process.stdin.write(setup[: int(len(setup) * share)])
    process.stdout.close()
    process.stdin.close()
    assert process.wait(60) == 0
    assert capfd.readouterr().err == ""
