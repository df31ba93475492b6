"""The application: routes, refusals, and the OpenAPI document that describes all of them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import ASGIApp

from query.api import corrections, exports, feeds, items, metrics, problems, searches, stories, watching
from query.api.edge import Edge
from query.api.served import Served

PREFIX = "/api/v1"
MOST_BODY = 64 * 1024
_ABOUT = (
    "Items, stories, facts, counts, exports, sources, runs, alerts and feeds of iprwatch. "
    "Every refusal is a problem document (RFC 9457). "
    "Answers have an ETag, but for exports; ask again with If-None-Match. "
    "Texts are plain text and not to be rendered as HTML."
)


def build_app(served: Served) -> ASGIApp:
    """An ASGI application that answers from this installation. It offers no pages, and no foreign page may read it:
    there are no CORS headers."""
    app = FastAPI(
        title="iprwatch",
        version=version("iprwatch"),
        description=_ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        # The framework's pages about the API load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=MOST_BODY,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.served = served
    for router in (
        items.router, exports.router, searches.router, stories.router, watching.router, corrections.router,
    ):  # fmt: skip
        app.include_router(router, prefix=PREFIX)
    app.include_router(feeds.listing, prefix=PREFIX)
    app.include_router(feeds.router, prefix="/feeds")
    app.include_router(metrics.router)
    problems.install(app)

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]
    return Edge(app, served)


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    described = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(described.pop("$defs"))
    schemas[problems.Problem.__name__] = described
    # The framework's own form of a refusal, in whose place a problem document is sent.
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document
