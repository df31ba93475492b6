"""The watch itself: sources, their runs, and the alerts that were sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field
from starlette.exceptions import HTTPException

from query.api import answers
from query.api.asking import Cursor, Limit, Many, Question, check_sources, place_in
from query.api.authorisation import asks_for
from query.api.cursors import write_cursor
from query.api.problems import documented
from query.api.served import Served, served_by
from query.deliveries import list_deliveries
from query.runs import last_runs, list_runs

router = APIRouter(tags=["watching"])


class RunsAsked(Question):
    """Which runs."""

    source: Annotated[Many, Field(description="Only of these sources, by key.")] = ()
    state: Annotated[Many, Field(description="Only in these states.")] = ()
    limit: Limit = 50
    cursor: Cursor = None


class DeliveriesAsked(Question):
    """Which alerts."""

    rule: Annotated[Many, Field(description="Only of these rules, by name.")] = ()
    state: Annotated[Many, Field(description="Only in these states.")] = ()
    limit: Limit = 50
    cursor: Cursor = None


@router.get("/sources", responses=documented(), dependencies=[Depends(asks_for("read"))])
def list_sources(request: Request) -> answers.Sources:
    """All lists that are watched, each with its last run."""
    served = served_by(request)
    return answers.Sources.model_validate({"sources": _sources(served, list(served.sources))})


@router.get("/sources/{key}", responses=documented(404), dependencies=[Depends(asks_for("read"))])
def show_source(request: Request, key: Annotated[str, Path(max_length=100)]) -> answers.Source:
    """One list that is watched, with its last run."""
    served = served_by(request)
    if key not in served.sources:
        raise HTTPException(404, f"No source is called {key!r}.")
    return answers.Source.model_validate(_sources(served, [key])[0])


@router.get("/runs", responses=documented(), dependencies=[Depends(asks_for("read"))])
def find_runs(request: Request, asked: Annotated[RunsAsked, Query()]) -> answers.Runs:
    """Crawls of sources, newest first."""
    served = served_by(request)
    check_sources(served, asked.source)
    place = place_in(asked, asked.cursor, int)
    rows = list_runs(
        served.engine,
        asked.source,
        states=asked.state,
        before=None if place is None else place[0],
        limit=asked.limit + 1,
    )
    page, more = rows[: asked.limit], rows[asked.limit :]
    return answers.Runs.model_validate(
        {"runs": page, "next": write_cursor(asked.cursor_key(), (page[-1]["id"],)) if more else None}
    )


@router.get("/deliveries", responses=documented(), dependencies=[Depends(asks_for("admin"))])
def find_deliveries(request: Request, asked: Annotated[DeliveriesAsked, Query()]) -> answers.Deliveries:
    """The ledger of alerts with their recipients, newest first. Needs the scope admin."""
    place = place_in(asked, asked.cursor, str)
    rows = list_deliveries(
        served_by(request).engine,
        rules=asked.rule,
        states=asked.state,
        after=None if place is None else place[0],
        limit=asked.limit + 1,
    )
    page, more = rows[: asked.limit], rows[asked.limit :]
    return answers.Deliveries.model_validate(
        {"deliveries": page, "next": write_cursor(asked.cursor_key(), (page[-1]["id"],)) if more else None}
    )


def _sources(served: Served, keys: list[str]) -> list[dict[str, object]]:
    runs = last_runs(served.engine)
    return [{**served.sources[key], "last_run": runs.get(key)} for key in keys]
