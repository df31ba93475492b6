"""Why a request brought no page, as a run tells it."""

from __future__ import annotations

from scrapy.http import Request
from twisted.python.failure import Failure

from crawlers.errors import describe_error
from crawlers.gate import HostHeld
from crawlers.permissions import suggest_permission
from crawlers.replay import NotRecorded
from crawlers.robots import ClosedByRobots, RobotsUnreachable
from pipeline.store.session import StoreError


def judge_failure(failure: Failure) -> tuple[str, str, str]:
    """Why no page came: the state of the run whose list it was, how an article has ended, and in words."""
    error = failure.value
    assert error is not None
    said = describe_error(error)
    request: Request = failure.request  # type: ignore[attr-defined]
    if isinstance(error, NotRecorded):
        return "not recorded", "not recorded", said
    if isinstance(error, ClosedByRobots) and not isinstance(error, RobotsUnreachable):
        return "closed by robots", "robots", f"{said}. {suggest_permission(request.url)}"
    if isinstance(error, HostHeld):
        return error.state, "held", said
    if isinstance(error, StoreError):
        return "failed", "error", said
    name = failure.type.__name__ if failure.type else "error"
    return "down", "down", f"{request.meta.get('shown_url', request.url)}: {name}: {said}"
