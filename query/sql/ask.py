"""Asking a question in SQL and being sure of an end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from pipeline.store.session import StoreError, read_url, show_url
from pipeline.store.views import VIEWS
from query.errors import QueryError
from query.sql.statement import read_statement

_ROOT = Path(__file__).parents[2]
_GRACE = 0.5
"""Seconds that the child has to give up by itself before it is killed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows found, at most as many as asked for; `more` tells that there are others. Cells are what JSON holds:
    times in ISO form, exact numbers as text, bytes in hex."""

    columns: list[str]
    rows: list[list[Any]]
    more: bool


def ask(url: str, statement: str, *, rows: int = 1000, seconds: float = 10.0) -> Answer:
    """Run one SELECT over the views (`pipeline.store.views`) and nothing else.

    Raises QueryError for what is not allowed, fails, or takes longer than `seconds`, and StoreError for a database
    that isn't there.
    """
    # What can be told without a database is told at once; the child judges again, knowing the tables.
    read_statement(statement, forbidden=())
    question = {
        "statement": statement,
        "rows": rows,
        "seconds": seconds,
        "views": list(VIEWS),
        **_place(read_url(url)),
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "query.sql.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"},
    )
    try:
        out, _ = process.communicate(json.dumps(question), timeout=seconds + _GRACE)
    except subprocess.TimeoutExpired:
        raise QueryError(f"The statement took longer than {seconds:g} seconds and was broken off.") from None
    finally:
        process.kill()
        process.communicate()
    if not out:
        raise QueryError(
            "The statement needed more memory or time than a question may take and was broken off."
        )
    answer = json.loads(out)
    if "error" in answer:
        raise QueryError(answer["error"])
    return Answer(answer["columns"], answer["rows"][:rows], len(answer["rows"]) > rows)


def _place(url: URL) -> dict[str, str | None]:
    if url.drivername == "sqlite":
        file = Path(str(url.database)).resolve()
        if not file.is_file():
            raise StoreError(f"{show_url(url)}: there is no such database yet; run a crawl first.")
        return {"file": str(file), "conninfo": None}
    return {"file": None, "conninfo": url.render_as_string(hide_password=False)}
