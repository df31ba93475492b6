"""A person's word that an alert is to be sent once more, with the same id."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, insert, select, update

from errors import IprwatchError
from pipeline.store.alert_tables import Attempt
from pipeline.store.outbox_rows import BUNDLED
from pipeline.store.tables import Delivery

_SHORTEST = 6


class NoSuchAlert(IprwatchError):
    """What a person gave names no alert, several, or one that can't be sent now. Raised by `find_alert`, `resend`."""


def find_alert(connection: Connection, given: str) -> str:
    """The id of the alert that begins so (at least 6 characters). Raises NoSuchAlert."""
    found = []
    if len(given) >= _SHORTEST and given.isalnum():
        found = list(connection.scalars(select(Delivery.id).where(Delivery.id.startswith(given)).limit(2)))
    if not found:
        raise NoSuchAlert(
            f"No alert's id begins with {given!r}; `iprwatch alerts list` shows ids, and 6 characters of one will do."
        )
    if len(found) > 1:
        raise NoSuchAlert(f"Several alerts' ids begin with {given}; write more of it.")
    return found[0]


def resend(engine: Engine, given: str) -> str:
    """Make an alert due once more, whatever became of it, from its first part; its id. Raises NoSuchAlert.

    One that is being sent at this moment is refused.
    """
    now = datetime.now(UTC)
    with engine.begin() as connection:
        delivery_id = find_alert(connection, given)
        row = connection.execute(
            select(Delivery.state, Delivery.next_at, Delivery.message_id)
            .where(Delivery.id == delivery_id)
            .with_for_update()
        ).one()
        if row.state == BUNDLED:
            raise NoSuchAlert(
                f"The alert {delivery_id} goes in the message {row.message_id}, which is still to be sent; "
                "resend that one."
            )
        if row.state == "sending" and row.next_at > now:
            raise NoSuchAlert(f"The alert {delivery_id} is being sent at this moment; look at it again soon.")
        connection.execute(
            update(Delivery)
            .where(Delivery.id == delivery_id)
            .values(state="due", next_at=now, attempts=0, parts_sent=0, sent_at=None, message_id=None)
        )
        connection.execute(
            update(Delivery)
            .where(Delivery.message_id == delivery_id, Delivery.state == "failed")
            .values(state=BUNDLED)
        )
        connection.execute(
            insert(Attempt).values(
                delivery_id=delivery_id, part=1, outcome="resend", detail=f"was {row.state}", made_at=now
            )
        )
    return delivery_id
