"""Conditional requests: a page is asked for only if it has changed since the copy that is kept."""

from __future__ import annotations

from scrapy.http import Response
from sqlalchemy import Engine, exists, select

from crawlers.runs import Watch
from crawlers.source import Source
from pipeline.store.health_tables import UnreadArticle
from pipeline.store.runs import OK
from pipeline.store.tables import Listed, Run, Snapshot


def conditions(engine: Engine, watch: Watch, url: str) -> dict[str, str]:
    """Headers that ask for a list only if it has changed: the validators of its newest copy.

    Empty where the run before this one was not `ok` (killed, or with articles still to be fetched), where an article
    of it was missing and wants a second look or could not be read, and where the source is watched in another way than
    then.
    """
    key = watch.source.key
    with engine.connect().execution_options(read_only=True) as connection:
        last = connection.scalar(
            select(Run.state)
            .where(Run.source_key == key, Run.id < watch.run_id)
            .order_by(Run.id.desc())
            .limit(1)
        )
        missing = exists().where(
            Listed.source_key == key, Listed.gone_since.is_not(None), Listed.gone.is_(None)
        )
        unread = exists().where(UnreadArticle.source_key == key, UnreadArticle.set_aside_at.is_(None))
        copy = connection.execute(
            select(Snapshot.headers, Snapshot.detail, (missing | unread).label("missing"))
            .where(Snapshot.source_key == key, Snapshot.url == url, Snapshot.kind == "list")
            .order_by(Snapshot.id.desc())
            .limit(1)
        ).first()
    if last != OK or copy is None or copy.missing or copy.detail != describe_watching(watch.source):
        return {}
    return condition_headers(copy.headers.get("etag"), copy.headers.get("last-modified"))


def condition_headers(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """The headers of a conditional request, from what the server said of the copy that is kept."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value}


def was_conditional(response: Response) -> bool:
    """True when the request asked for a changed page only: else a 304 is no answer to it."""
    asked = response.request.headers if response.request is not None else {}
    return "If-None-Match" in asked or "If-Modified-Since" in asked


def describe_watching(source: Source) -> str:
    """How much of a list is watched; kept with its copies, since a change of it makes old copies useless."""
    return f"depth {source.depth}, most {source.most}, only_ip {source.only_ip}"
