"""Searches that people keep by a name. They are saved and deleted by `iprwatch search --save` and `searches delete`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from pipeline.store.saved_searches import list_searches, read_search
from query.api import answers
from query.api.authorisation import asks_for
from query.api.problems import documented
from query.api.served import served_by

router = APIRouter(tags=["items"], dependencies=[Depends(asks_for("read"))])


@router.get("/searches", responses=documented())
def show_searches(request: Request) -> answers.SavedSearches:
    """All saved searches, by name."""
    return answers.SavedSearches.model_validate({"searches": list_searches(served_by(request).engine)})


@router.get("/searches/{name}", responses=documented(404))
def show_search(
    request: Request, name: Annotated[str, Path(min_length=1, max_length=100)]
) -> answers.SavedSearch:
    """One saved search."""
    return answers.SavedSearch.model_validate(read_search(served_by(request).engine, name))
