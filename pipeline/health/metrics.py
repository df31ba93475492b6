"""The status as Prometheus metrics: for the textfile collector of its node exporter, or any other way.

https://github.com/prometheus/node_exporter#textfile-collector
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest, write_to_textfile

from errors import IprwatchError
from pipeline.health.status import SourceStatus
from pipeline.health.verdict import VERDICTS


class MetricsError(IprwatchError):
    """The file of metrics can't be written. Raised by `write_metrics`."""


def write_metrics(path: Path, statuses: Iterable[SourceStatus]) -> None:
    """Write the metrics, the whole file at once. Raises MetricsError."""
    try:
        write_to_textfile(str(path), _collect(statuses))
    except OSError as error:
        raise MetricsError(f"{path}: the metrics can't be written ({error.strerror}).") from None


def show_metrics(statuses: Iterable[SourceStatus]) -> bytes:
    """The metrics as an answer to Prometheus."""
    return generate_latest(_collect(statuses))


def _collect(statuses: Iterable[SourceStatus]) -> CollectorRegistry:
    registry = CollectorRegistry()

    def gauge(name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"iprwatch_source_{name}", words, ["source", *labels], registry=registry)

    verdict = gauge("verdict", "1 for the verdict that the source has now", "verdict")
    well = gauge("well", "1 when the source is well, 0 when it is not")
    muted = gauge("muted", "1 when the operator knows that the source is not well")
    heard = gauge("heard_timestamp_seconds", "When a list of the source was last read")
    missed = gauge("missed_runs", "How often the source should have been crawled and was not")
    new = gauge("new_items", "Items stored for the first time on the last day with a crawl")
    unread = gauge("unread_articles", "Articles that could not be read, without those set aside")
    for status in statuses:
        unread.labels(status.key).set(len(status.waiting))
        for name in VERDICTS:
            verdict.labels(status.key, name).set(name == status.verdict)
        well.labels(status.key).set(status.is_well)
        muted.labels(status.key).set(status.mute is not None)
        missed.labels(status.key).set(status.missed)
        if status.heard_at is not None:
            heard.labels(status.key).set(status.heard_at.timestamp())
        if status.days:
            new.labels(status.key).set(status.days[-1].new)
    return registry
