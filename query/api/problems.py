"""Every refusal as a problem document (RFC 9457), also those of the framework."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from errors import IprwatchError
from pipeline.normalize import make_storable
from pipeline.store.api_tokens import TokenError
from pipeline.store.corrections import CorrectionError
from pipeline.store.lookup import NoSuchItem
from pipeline.store.saved_searches import NoSuchSearch
from query.errors import QueryError
from query.export.errors import ExportError

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: Annotated[str, Field(description="The part of the request, such as `query.limit`.")]
    what: Annotated[str, Field(description="What is wrong with it.")]


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: Annotated[str, Field(description="Always `about:blank`: the status says of which kind it is.")]
    title: Annotated[str, Field(description="The status in words.")]
    status: Annotated[int, Field(description="The status of the answer.")]
    detail: Annotated[str, Field(description="What is wrong and what to do, in one sentence.")]
    errors: Annotated[list[Fault], Field(description="What is wrong, part by part.")] = []


def problem(
    status: int,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that refuses a request."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    # What the request said may come back in the sentence, and may be what UTF-8 can't hold.
    text = make_storable(json.dumps(body, ensure_ascii=False))
    return Response(text.encode(), status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def too_many(wait: float) -> Response:
    """The answer to somebody who asks too often."""
    seconds = max(1, math.ceil(wait))
    return problem(
        429, f"Too many requests; ask again in {seconds} s.", headers={"Retry-After": str(seconds)}
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These refusals, and those that every request may meet, for the OpenAPI document."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        304: {"description": "As the If-None-Match of the request has it: nothing has changed."},
        **{
            status: {
                "description": HTTPStatus(status).phrase,
                "content": {MEDIA_TYPE: {"schema": schema}},
            }
            for status in sorted({*statuses, 400, 401, 403, 413, 421, 422, 429, 500, 503})
        },
    }


# Whose fault each refusal of the project's own is; what isn't listed is the server's.
_STATUSES: tuple[tuple[type[IprwatchError], int], ...] = (
    (NoSuchItem, 404),
    (NoSuchSearch, 404),
    (ExportError, 422),
    (QueryError, 422),
    (CorrectionError, 422),
    (TokenError, 422),
    (IprwatchError, 503),
)


def install(app: FastAPI) -> None:
    """Have every exception that reaches the application answered with a problem document."""
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(IprwatchError, _of_ours)
    for failure in (DBAPIError, PoolTimeout):
        app.add_exception_handler(failure, _of_database)
    app.add_exception_handler(Exception, _of_defect)


def _of_framework(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, _sentence(str(error.detail)), headers=error.headers)


def _of_validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {
            "where": ".".join(str(part) for part in fault["loc"]),
            "what": str(fault["msg"]).removeprefix("Value error, "),
        }
        for fault in error.errors()
    ]
    first = f"{faults[0]['where']}: {faults[0]['what']}" if faults else "The request can't be read"
    return problem(422, _sentence(first), errors=faults)


def _of_ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, IprwatchError)
    return problem(next(status for kind, status in _STATUSES if isinstance(error, kind)), str(error))


def _of_database(_request: Request, _error: Exception) -> Response:
    # Not what it said: that may hold names and values of the store.
    return problem(503, "The database doesn't answer now; ask again later.", headers={"Retry-After": "5"})


def _of_defect(_request: Request, _error: Exception) -> Response:
    return problem(500, "The server failed at this request; its log says why.")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
