"""Searches that people keep by a name, each as one expression of the query language."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, String, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from errors import IprwatchError
from pipeline.store.columns import Text
from pipeline.store.tables import Base

_NAME = re.compile(r"[\w.@ -]{1,100}")


class SavedSearchError(IprwatchError):
    """A search that can't be saved under this name. Raised by `save_search`; then nothing is written."""


class NoSuchSearch(IprwatchError):
    """No search is saved under this name. Raised by `read_search` and `delete_search`."""


class SavedSearch(Base):
    """A search by its name; `expression` is in the query language and says all that was asked for."""

    __tablename__ = "saved_search"
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    expression: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]


def save_search(engine: Engine, name: str, expression: str, *, now: datetime) -> None:
    """Keep a search. Raises SavedSearchError for a name that can't be used or is in use."""
    if not _NAME.fullmatch(name) or name != name.strip():
        raise SavedSearchError(
            f"{name!r} is no name for a search: up to 100 letters, digits, spaces and any of . @ - _ can be used."
        )
    try:
        with engine.begin() as connection:
            connection.execute(insert(SavedSearch).values(name=name, expression=expression, saved_at=now))
    except IntegrityError:
        raise SavedSearchError(
            f"A search called {name!r} is saved already; choose another name, or delete that one first."
        ) from None


def read_search(engine: Engine, name: str) -> dict[str, Any]:
    """A saved search: its name, expression, and when it was saved. Raises NoSuchSearch."""
    found = [search for search in list_searches(engine) if search["name"] == name]
    if not found:
        raise _no_such(name)
    return found[0]


def list_searches(engine: Engine) -> list[dict[str, Any]]:
    """All saved searches by name, each as `read_search` gives it."""
    query = select(SavedSearch.name, SavedSearch.expression, SavedSearch.saved_at)
    with engine.connect().execution_options(read_only=True) as connection:
        rows = connection.execute(query).all()
    # Sorted here: databases order names by rules of their own.
    return [
        {
            "name": row.name,
            "expression": row.expression,
            "saved_at": row.saved_at.isoformat(timespec="seconds"),
        }
        for row in sorted(rows, key=lambda row: str(row.name))
    ]


def delete_search(engine: Engine, name: str) -> None:
    """Forget a saved search. Raises NoSuchSearch."""
    with engine.begin() as connection:
        deleted = connection.execute(delete(SavedSearch).where(SavedSearch.name == name))
    if not deleted.rowcount:
        raise _no_such(name)


def _no_such(name: str) -> NoSuchSearch:
    return NoSuchSearch(f"No search is saved as {name!r}; `iprwatch searches list` shows all.")
