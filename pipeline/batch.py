"""Notices through all steps, a batch at a time: interpreted one by one, stored in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Engine

from pipeline import interpret
from pipeline.health.coverage import filled_fields
from pipeline.record import Record, Sighting
from pipeline.store.outbox_rows import Matcher
from pipeline.store.write import Written, write_records
from pipeline.topics import Lexicon

Keep = Callable[[str, bytes], None]
"""Archives the bytes of a page under their SHA-256, and has them synced when it returns."""


def interpret_each(notices: Sequence[Sighting], lexicon: Lexicon, keep: Keep) -> list[Record | str]:
    """The record of each notice, in their order, its page kept; a message where that or a step refused it."""
    results: list[Record | str] = []
    for notice in notices:
        try:
            if notice.page is not None:
                keep(notice.notice.sha256, notice.page)
            results.append(interpret(notice.notice, notice.context, lexicon))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to that one notice
            results.append(_describe(error))
    return results


def store_each(engine: Engine, interpreted: Sequence[Record | str], match: Matcher) -> list[Written | str]:
    """What became of each record, in their order; a message where the store refused it, or what interpreted it.

    One that is refused costs no other: a batch that can't be stored is tried again record by record.
    """
    records = [record for record in interpreted if isinstance(record, Record)]
    stored = iter(_store(engine, records, match))
    return [_count(record, next(stored)) if isinstance(record, Record) else record for record in interpreted]


def _count(record: Record, result: Written | str) -> Written | str:
    return replace(result, filled=filled_fields(record)) if isinstance(result, Written) else result


def _store(engine: Engine, records: Sequence[Record], match: Matcher) -> list[Written | str]:
    if not records:
        return []
    try:
        return [*write_records(engine, records, match)]
    except Exception as error:  # noqa: BLE001 - told for each of the batch, or for the one that it belongs to
        if len(records) == 1:
            return [_describe(error)]
    return [result for record in records for result in _store(engine, [record], match)]


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
