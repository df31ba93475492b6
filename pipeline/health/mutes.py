"""Sources that are known not to be well: the operator's word, with a reason and an end, shown in every summary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Engine, Update, insert, select, update

from errors import ConfigurationError
from pipeline.store.health_tables import Mute as MuteRow


@dataclass(frozen=True, slots=True)
class Mute:
    """A source that may be unwell without anybody being told, up to and including a day in China."""

    source_key: str
    until: date
    reason: str


def mute_source(engine: Engine, source_key: str, until: date, reason: str, *, today: date) -> None:
    """Mute a source; an earlier mute of it ends. Raises ConfigurationError for a day that is past or no reason."""
    if until < today:
        raise ConfigurationError(f"--until {until}: that day is past, today is {today}.")
    if not reason.strip():
        raise ConfigurationError("--reason: say why, whoever reads the summary will ask.")
    now = datetime.now(UTC)
    row = {"source_key": source_key, "until_on": until, "reason": reason.strip(), "muted_at": now}
    with engine.begin() as connection:
        connection.execute(_standing(source_key).values(ended_at=now))
        connection.execute(insert(MuteRow).values(ended_at=None, **row))


def unmute_source(engine: Engine, source_key: str) -> bool:
    """End the mute of a source; False when there was none."""
    with engine.begin() as connection:
        return connection.execute(_standing(source_key).values(ended_at=datetime.now(UTC))).rowcount > 0


def read_mutes(engine: Engine, today: date) -> dict[str, Mute]:
    """The mutes that hold on a day in China, by source."""
    query = select(MuteRow.source_key, MuteRow.until_on, MuteRow.reason)
    query = query.where(MuteRow.ended_at.is_(None), MuteRow.until_on >= today).order_by(MuteRow.source_key)
    with engine.connect().execution_options(read_only=True) as connection:
        return {row.source_key: Mute(*row) for row in connection.execute(query)}


def _standing(source_key: str) -> Update:
    return update(MuteRow).where(MuteRow.source_key == source_key, MuteRow.ended_at.is_(None))
