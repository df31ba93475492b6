"""Stories: what several outlets report."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from query.api import answers
from query.api.asking import Cursor, Limit, Question, Uid, place_in
from query.api.authorisation import asks_for
from query.api.cursors import write_cursor
from query.api.problems import documented
from query.api.served import served_by
from query.stories import describe_story, page_stories

router = APIRouter(tags=["stories"], dependencies=[Depends(asks_for("read"))])


class StoriesAsked(Question):
    """Which stories."""

    single: Annotated[bool, Field(description="Also events that only one item tells of.")] = False
    limit: Limit = 20
    cursor: Cursor = None


@router.get("/stories", responses=documented())
def list_stories(request: Request, asked: Annotated[StoriesAsked, Query()]) -> answers.Stories:
    """Stories with several reports, the one that began last first.

    New reports don't move a story in this order; stories that become one in the meantime do.
    """
    place = place_in(asked, asked.cursor, int)
    rows = page_stories(
        served_by(request).engine,
        single=asked.single,
        before=None if place is None else place[0],
        limit=asked.limit + 1,
    )
    page, more = rows[: asked.limit], rows[asked.limit :]
    return answers.Stories.model_validate(
        {
            "stories": page,
            "next": write_cursor(asked.cursor_key(), (page[-1]["story"],)) if more else None,
        }
    )


@router.get("/stories/{uid}", responses=documented(404))
def show_story(request: Request, uid: Uid) -> answers.StoryInFull:
    """The story of an item, with what is near it and not in it."""
    return answers.StoryInFull.model_validate(describe_story(served_by(request).engine, uid))
