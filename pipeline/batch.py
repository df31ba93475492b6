"""Notices through all steps, a batch at a time: interpreted one by one, stored in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine

from pipeline import interpret
from pipeline.health.coverage import filled_fields
from pipeline.record import Record, Sighting
from pipeline.store.outbox_rows import Matcher
from pipeline.store.write import Written, write_records
from pipeline.topics import Lexicon


def process_batch(
    engine: Engine, sightings: Sequence[Sighting], match: Matcher, lexicon: Lexicon
) -> list[Written | str]:
    """What became of each notice, in their order; a message where a step or the store refused it.

    One that is refused costs no other: a batch that can't be stored is tried again record by record.
    """
    results: list[Written | str | None] = [None] * len(sightings)
    records: dict[int, Record] = {}
    for place, sighting in enumerate(sightings):
        try:
            records[place] = interpret(sighting.notice, sighting.context, lexicon)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to that one notice
            results[place] = _describe(error)
    for place, result in zip(records, _store(engine, list(records.values()), match), strict=True):
        filled = filled_fields(records[place])
        results[place] = replace(result, filled=filled) if isinstance(result, Written) else result
    return [result for result in results if result is not None]


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
