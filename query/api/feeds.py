"""Feeds of any search and of any rule, and the list of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipeline.store.saved_searches import list_searches
from query.api import answers
from query.api.asking import Limit, Question, Search, Text
from query.api.authorisation import asks_for, asks_for_a_feed
from query.api.problems import documented
from query.api.served import served_by
from query.feeds import FORMATS, Entry, Feed, entries_of_rule, entries_of_search

router = APIRouter(tags=["feeds"], dependencies=[Depends(asks_for_a_feed)])
listing = APIRouter(tags=["feeds"], dependencies=[Depends(asks_for("read"))])

Format = Literal["atom", "rss", "json"]
Token = Annotated[
    str | None, Field(max_length=200, description="A token with the scope feed, if one is needed.")
]
_FEED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The feed.",
        "content": {
            media_type: {"schema": {"type": "object" if form == "json" else "string"}}
            for form, (media_type, _) in FORMATS.items()
        },
    }
}


class SearchFeedAsked(Search):
    """A search, and how much of it a feed shows."""

    limit: Limit = 50
    token: Token = None


class RuleFeedAsked(Question):
    """Which rule, and how much of what it told a feed shows."""

    name: Annotated[Text, Field(description="The rule's name.")]
    limit: Limit = 50
    token: Token = None


@router.get("/search.{form}", responses={**documented(), **_FEED}, response_class=Response)
def feed_of_search(form: Format, request: Request, asked: Annotated[SearchFeedAsked, Query()]) -> Response:
    """What a search finds, what was stored last first, as Atom, RSS or JSON Feed."""
    served = served_by(request)
    entries = entries_of_search(served.engine, asked.conditions(served), limit=asked.limit)
    shown = [part for part in (asked.saved, asked.q.strip()) if part]
    title = f"iprwatch: {' '.join(shown)}" if shown else "iprwatch"
    return _answer(request, form, title, asked.model_dump_json(exclude={"limit", "token"}), entries)


@router.get("/rule.{form}", responses={**documented(404), **_FEED}, response_class=Response)
def feed_of_rule(form: Format, request: Request, asked: Annotated[RuleFeedAsked, Query()]) -> Response:
    """The items that an alert rule told of, the last ones first, as Atom, RSS or JSON Feed."""
    served = served_by(request)
    if asked.name not in served.rules:
        raise HTTPException(404, f"No rule is called {asked.name!r}.")
    entries = entries_of_rule(served.engine, asked.name, limit=asked.limit)
    return _answer(request, form, f"iprwatch: {asked.name}", f"rule {asked.name}", entries)


@listing.get("/feeds", responses=documented())
def list_feeds(request: Request) -> answers.Feeds:
    """Where the feeds are: of a search, of each saved search, and of each rule."""
    base = _base(request)
    served = served_by(request)
    return answers.Feeds.model_validate(
        {
            "search": {form: f"{base}/feeds/search.{form}" for form in FORMATS},
            "saved": [
                {
                    "saved": name,
                    **{form: f"{base}/feeds/search.{form}?saved={quote(name, safe='')}" for form in FORMATS},
                }
                for name in (search["name"] for search in list_searches(served.engine))
            ],
            "rules": [
                {
                    "rule": rule,
                    **{form: f"{base}/feeds/rule.{form}?name={quote(rule, safe='')}" for form in FORMATS},
                }
                for rule in served.rules
            ],
        }
    )


def _answer(request: Request, form: str, title: str, about: str, entries: list[Entry]) -> Response:
    media_type, write = FORMATS[form]
    # A reader may pass a feed on; the token in the address that it was asked by isn't for others.
    url = request.url.remove_query_params("token")
    own = f"{_base(request)}{url.path}" + (f"?{url.query}" if url.query else "")
    return Response(write(Feed(title, about, own, entries)), media_type=media_type)


def _base(request: Request) -> str:
    return served_by(request).public_url or str(request.base_url).rstrip("/")
