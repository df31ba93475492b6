"""Asking for a list only if it has changed since its newest copy."""

from __future__ import annotations

from scrapy.http import Response
from sqlalchemy import Engine, select

from crawlers.runs import Watch
from crawlers.source import Source
from pipeline.store.runs import OK
from pipeline.store.tables import Run, Snapshot


def conditions(engine: Engine, watch: Watch, url: str) -> dict[str, str]:
    """Headers that ask for a list only if it has changed: the validators of its newest copy.

    Empty where the run before this one was not `ok` (killed, or with articles still to be fetched), and where
    the source is watched in another way than then.
    """
    key = watch.source.key
    with engine.connect().execution_options(read_only=True) as connection:
        last = connection.scalar(
            select(Run.state)
            .where(Run.source_key == key, Run.id < watch.run_id)
            .order_by(Run.id.desc())
            .limit(1)
        )
        copy = connection.execute(
            select(Snapshot.headers, Snapshot.detail)
            .where(Snapshot.source_key == key, Snapshot.url == url, Snapshot.kind == "list")
            .order_by(Snapshot.id.desc())
            .limit(1)
        ).first()
    if last != OK or copy is None or copy.detail != describe_watching(watch.source):
        return {}
    validators = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
    return {name: copy.headers[kept] for name, kept in validators.items() if kept in copy.headers}


def was_conditional(response: Response) -> bool:
    """True when the request asked for a changed page only: else a 304 is no answer to it."""
    asked = response.request.headers if response.request is not None else {}
    return "If-None-Match" in asked or "If-Modified-Since" in asked


def describe_watching(source: Source) -> str:
    """How much of a list is watched; kept with its copies, since a change of it makes old copies useless."""
    return f"depth {source.depth}, most {source.most}, only_ip {source.only_ip}"
