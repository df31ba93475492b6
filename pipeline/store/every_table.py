"""All tables of the store, whichever module declares them: for what must not miss one."""

from __future__ import annotations

from pipeline.store.tables import Base

__all__ = ["TABLES"]

TABLES = Base.metadata.sorted_tables
"""Each behind those that it refers to. The package imports every module that declares tables."""
