"""How the sources stand, for Prometheus, which asks for `/metrics` by itself."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from pipeline.health.metrics import show_metrics
from pipeline.health.status import read_status
from query.api.authorisation import Asker, asks_for, in_header
from query.api.problems import documented
from query.api.served import served_by

router = APIRouter(tags=["watching"])

_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
_admit_reader = asks_for("read")


def asks_for_metrics(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(in_header)]
) -> Asker:
    """A dependency that lets in who may read, and everybody where the operator has opened the metrics."""
    if served_by(request).open_metrics and "authorization" not in request.headers:
        return Asker(None, "read")
    return _admit_reader(request, given)


@router.get(
    "/metrics",
    responses={**documented(), **_TEXT},
    response_class=Response,
    dependencies=[Depends(asks_for_metrics)],
)
def show(request: Request) -> Response:
    """How every source stands, in the text format of Prometheus: the same as in the configured `metrics_file`."""
    served = served_by(request)
    statuses = read_status(served.engine, served.watched, served.now())
    return Response(show_metrics(statuses), media_type=CONTENT_TYPE_LATEST)
