"""The process that runs one question: it reads the question from standard input as JSON and prints the answer as JSON.

A single step of a database can take long and much memory without asking anybody. So the question runs where the
system itself keeps limits, and where it can be killed.
It imports little, so that a question isn't slower than its answer: the names of the views come with it.
"""

from __future__ import annotations

import json
import math
import resource
import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from query.errors import QueryError

_MEMORY = 1 << 30
_FILE = 1 << 30
MOST_BYTES = 64_000_000
"""How large an answer may be."""


def main() -> None:
    """Answer one question: `{"columns", "rows"}` or `{"error"}`."""
    question = json.loads(sys.stdin.read())
    seconds = question["seconds"]
    for limit, value in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, _FILE),
        (resource.RLIMIT_CPU, math.ceil(seconds) + 1),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    limits = {"rows": question["rows"] + 1, "seconds": seconds}
    try:
        if question["file"] is not None:
            from query.sql.sqlite import ask_sqlite

            columns, rows = ask_sqlite(
                Path(question["file"]), question["statement"], question["views"], **limits
            )
        else:
            from query.sql.postgresql import ask_postgresql

            columns, rows = ask_postgresql(
                question["conninfo"], question["statement"], question["views"], **limits
            )
        answer: dict[str, Any] = {
            "columns": columns,
            "rows": [[_as_json(cell) for cell in row] for row in rows],
        }
        written = json.dumps(answer, ensure_ascii=False)
        if len(written) > MOST_BYTES:
            raise QueryError(
                f"The answer is larger than {MOST_BYTES} characters; ask for fewer columns or rows."
            )
    except QueryError as error:
        written = json.dumps({"error": str(error)}, ensure_ascii=False)
    except MemoryError:
        written = json.dumps({"error": "The answer needs more memory than a question may take."})
    sys.stdout.write(written)


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | bool | dict | list | None) else str(value)


if __name__ == "__main__":
    main()
