"""Recipients that asked for no more messages (HTTP 410): nothing is sent to them until a person enables them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, select

from pipeline.store.alert_tables import GoneRecipient
from pipeline.store.write import insert_ignoring


def find_gone(connection: Connection, channel: str, recipient: str) -> str | None:
    """What the recipient said when it asked for no more; None where it didn't."""
    return connection.scalar(
        select(GoneRecipient.detail).where(
            GoneRecipient.channel == channel, GoneRecipient.recipient == recipient
        )
    )


def note_gone(connection: Connection, channel: str, recipient: str, detail: str) -> None:
    """Note that this recipient wants no more."""
    row = {"channel": channel, "recipient": recipient, "detail": detail, "noted_at": datetime.now(UTC)}
    insert_ignoring(connection, GoneRecipient, [row])


def enable_recipient(engine: Engine, channel: str, recipient: str) -> bool:
    """Let messages be sent to this recipient again; False when they were not held back."""
    with engine.begin() as connection:
        enabled = connection.execute(
            delete(GoneRecipient).where(
                GoneRecipient.channel == channel, GoneRecipient.recipient == recipient
            )
        )
    return enabled.rowcount > 0
