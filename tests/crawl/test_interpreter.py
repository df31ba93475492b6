"""Notices interpreted in a process of their own: the same records, and no loss that isn't told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from crawlers.interpreter import Interpreter, InterpretingError
from pipeline.record import Sighting
from tests.notices import CONTEXT, make_notice, make_record

Result = TypeVar("Result")


def ask(
    question: Callable[[Interpreter], Awaitable[Result]], *, few: int = 0, lexicon: Path | None = None
) -> Result:
    async def run() -> Result:
        interpreter = Interpreter(lexicon, few=few)
        try:
            return await question(interpreter)
        finally:
            await interpreter.close()

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def sighting(number: int, **changes: object) -> Sighting:
    return Sighting(make_notice(number, **changes), CONTEXT)


def test_the_process_makes_the_same_records_in_the_order_asked() -> None:
    async def several(interpreter: Interpreter) -> Any:
        return await asyncio.gather(*(interpreter.interpret(sighting(number)) for number in range(60)))

    assert ask(several) == [make_record(number) for number in range(60)]


def test_a_notice_that_a_step_refuses_costs_no_other() -> None:
    async def several(interpreter: Interpreter) -> Any:
        notices = [sighting(1), sighting(2, title=" "), sighting(3)]
        return await asyncio.gather(*map(interpreter.interpret, notices), return_exceptions=True)

    first, refused, third = ask(several)
    assert (first, third) == (make_record(1), make_record(3))
    assert isinstance(refused, InterpretingError)
    assert "needs a title" in str(refused)


def test_topics_are_judged_by_the_lexicon_of_the_operator_in_both_places(tmp_path: Path) -> None:
    lexicon = tmp_path / "lexicon.toml"
    lexicon.write_text('[add.trademark]\nalone = ["字号抢登"]\n', encoding="utf-8")

    async def one(interpreter: Interpreter) -> Any:
        return await interpreter.interpret(sighting(1, title="整治字号抢登", body="正文"))

    here, there = ask(one, few=1, lexicon=lexicon), ask(one, lexicon=lexicon)
    assert here == there
    assert here.topics.concerns_ip


def test_the_few_notices_of_a_small_crawl_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.interpreter._start", lambda _path: pytest.fail("a process was started"))
    assert ask(lambda interpreter: interpreter.interpret(sighting(1)), few=1) == make_record(1)


def test_one_processor_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr("crawlers.interpreter._start", lambda _path: pytest.fail("a process was started"))
    assert ask(lambda interpreter: interpreter.interpret(sighting(1))) == make_record(1)


def test_the_end_of_the_process_is_told_for_every_notice_after_it() -> None:
    async def after_its_end(interpreter: Interpreter) -> Any:
        await interpreter.interpret(sighting(1))
        process: Any = interpreter._process
        process.kill()
        process.wait()
        notices = [sighting(2), sighting(3)]
        return await asyncio.gather(*map(interpreter.interpret, notices), return_exceptions=True)

    lost = ask(after_its_end)
    assert [type(error) for error in lost] == [InterpretingError, InterpretingError]


def test_the_process_is_gone_after_close() -> None:
    async def run() -> Any:
        interpreter = Interpreter(few=0)
        await interpreter.interpret(sighting(1))
        await interpreter.close()
        return interpreter._process

    assert asyncio.run(run()).returncode == 0
