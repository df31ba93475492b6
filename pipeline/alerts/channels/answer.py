"""What an HTTP answer makes of an attempt, the same for everything that is posted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from outgoing import Answer, Pairs, Refused, Unreachable, post, read_retry_after
from pipeline.alerts.message import Receipt, flatten


def post_json(
    url: str, body: bytes, headers: Mapping[str, str], timeout: float, allowed_private: Pairs
) -> Answer | Receipt:
    """The server's answer, or the receipt where there is none. The URL, which may be a secret, is in neither."""
    headers = {"Content-Type": "application/json; charset=utf-8", **headers}
    try:
        return post(url, body=body, headers=headers, timeout=timeout, allowed_private=allowed_private)
    except Refused as refused:
        return Receipt(ok=False, retry=False, detail=f"not sent: {flatten(refused.rule)}")
    except Unreachable as error:
        return Receipt(ok=False, retry=True, detail=flatten(str(error)))


def judge_status(answer: Answer) -> Receipt | None:
    """None for a 2xx. 429 and 5xx are worth another attempt; 410, other 4xx and redirects are final."""
    if 200 <= answer.status < 300:
        return None
    detail = f"HTTP {answer.status} {said(answer)}".rstrip()
    if answer.status == 429 or answer.status >= 500:
        wait = read_retry_after(answer.headers.get("retry-after"), datetime.now(UTC))
        return Receipt(ok=False, retry=True, detail=detail, retry_after=wait)
    if 300 <= answer.status < 400:
        detail = f"HTTP {answer.status}: redirects aren't followed, use the URL that it leads to"
    return Receipt(ok=False, retry=False, detail=detail, gone=answer.status == 410)


def said(answer: Answer) -> str:
    """The beginning of what the server said, on one line."""
    return flatten(answer.body[:200].decode("utf-8", "replace"))
