"""At the end of a run: whether the source's numbered series have a gap, which is told to the operators once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from pipeline.alerts.operators import tell_operators
from pipeline.alerts.rules import Recipient
from pipeline.store.missing_numbers import note_missing_numbers

if TYPE_CHECKING:
    from crawlers.runs import Watch


def report_missing_numbers(engine: Engine, operators: Iterable[Recipient], watch: Watch) -> None:
    """Note what is missing from the series of a source whose list was read, and what has arrived. Raises StoreError."""
    key = watch.source.key
    gaps = note_missing_numbers(engine, key, datetime.now(UTC))
    if gaps.missing:
        watch.count("numbers missing", len(gaps.missing))
        shown = ", ".join(gaps.missing)
        tell_operators(
            engine, operators, "number missing", f"{key}: missing from its series: {shown}",
            "A later number was published, and this source has not shown what comes before it. It may come late, be "
            "published elsewhere, or have been withdrawn before it was seen.",
            about=f"{key} {shown}",
        )  # fmt: skip
    if gaps.arrived:
        watch.count("numbers arrived", len(gaps.arrived))
        shown = ", ".join(gaps.arrived)
        tell_operators(
            engine, operators, "number arrived", f"{key}: no longer missing: {shown}",
            "What was told to be missing from the series has been published by this source.",
            about=f"{key} {shown}",
        )  # fmt: skip
