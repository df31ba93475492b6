"""A store with one run, which every record refers to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, insert

from pipeline.store.tables import Run


@pytest.fixture
def store(engine: Engine) -> Engine:
    """An empty store with the run that test records name."""
    with engine.begin() as connection:
        connection.execute(
            insert(Run).values(
                id=1,
                source_key="court_spc_interpretations",
                started_at=datetime.now(UTC),
                finished_at=None,
                list_read_at=None,
                state="running",
                reason=None,
                baseline=False,
                counts={},
            )
        )
    return engine
