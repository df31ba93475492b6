"""Items: found, and one in full."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from query.api import answers
from query.api.asking import Cursor, Limit, Search, Uid, place_in
from query.api.authorisation import Asker, asks_for
from query.api.cursors import write_cursor
from query.api.problems import documented
from query.api.served import served_by
from query.facets import FACETS, count_facets
from query.facts import list_facts
from query.item import describe_item
from query.search import describe_hit

router = APIRouter(tags=["items"], dependencies=[Depends(asks_for("read"))])


class ItemsAsked(Search):
    """A search, in which order, and the page of it."""

    order: Annotated[
        Literal["newest", "relevance", "story"],
        Field(
            description="What comes first: what was published last; what says the words of `q` oftenest; or one item a "
            "story, with the others in `also_reported_by`, the story that was reported last first."
        ),
    ] = "newest"
    limit: Limit = 20
    cursor: Cursor = None


class FactsAsked(Search):
    """A search, which facts of its items, and the page of them."""

    fact: Annotated[tuple[str, ...], Query(max_length=20, description="Only facts of these kinds.")] = ()
    limit: Limit = 50
    cursor: Cursor = None


class FacetsAsked(Search):
    """A search, and what to count of it."""

    by: Annotated[
        tuple[str, ...],
        Query(max_length=len(FACETS), description=f"Any of {', '.join(FACETS)}; all when none is given."),
    ] = ()


@router.get("/items", responses=documented())
def find_items(request: Request, asked: Annotated[ItemsAsked, Query()]) -> answers.Hits:
    """Items that a search finds.

    In the order `newest` an item that is there all the while and whose date isn't corrected is on exactly one page,
    however many arrive. So is a story in the order `story` that gets no new report; one that does moves to the front,
    and is on a later page no more. In the order `relevance` the next page begins at a rank, so that what arrives in
    between can push an item onto it that was on the page before.
    """
    after = place_in(asked, asked.cursor, int, int)
    found = asked.find(served_by(request), order=asked.order, after=after, limit=asked.limit + 1)
    hits, more = found.hits[: asked.limit], found.hits[asked.limit :]
    return answers.Hits.model_validate(
        {
            "total": found.total,
            "more": found.more,
            "items": [describe_hit(hit) for hit in hits],
            "next": write_cursor(asked.cursor_key(), hits[-1].place) if more else None,
        }
    )


@router.get("/items/{uid}", responses=documented(404))
def show_item(request: Request, uid: Uid, asker: Annotated[Asker, Depends(asks_for("read"))]) -> answers.Item:
    """Everything known of an item: each field and fact with its origin, versions, story, alerts, evidence."""
    item = describe_item(served_by(request).engine, uid)
    if not asker.may("admin"):
        # Who else is told of what is no business of every reader.
        item["deliveries"] = [{**row, "recipient": None, "detail": None} for row in item["deliveries"]]
    return answers.Item.model_validate(item)


@router.get("/facts", responses=documented())
def find_facts(request: Request, asked: Annotated[FactsAsked, Query()]) -> answers.Facts:
    """Facts of the items that a search finds, those of the newest item first, each with its sentence."""
    served = served_by(request)
    after = place_in(asked, asked.cursor, int, int, int)
    rows = list_facts(served.engine, asked.conditions(served), asked.fact, after=after, limit=asked.limit + 1)
    page, more = rows[: asked.limit], rows[asked.limit :]
    return answers.Facts.model_validate(
        {
            "facts": [fact for _, fact in page],
            "next": write_cursor(asked.cursor_key(), page[-1][0]) if more else None,
        }
    )


@router.get("/facets", responses=documented())
def show_facets(request: Request, asked: Annotated[FacetsAsked, Query()]) -> answers.Facets:
    """How many of the items that a search finds there are of each source, court, kind of right, month and outcome."""
    served = served_by(request)
    counted = count_facets(served.engine, asked.conditions(served), list(dict.fromkeys(asked.by)))
    facets: dict[str, Any] = {
        name: {
            "values": [{"value": value, "count": count} for value, count in facet.values],
            "without": facet.without,
            "left_out": facet.left_out,
        }
        for name, facet in counted.facets.items()
    }
    return answers.Facets.model_validate(
        {"counted": counted.counted, "complete": counted.complete, "facets": facets}
    )
