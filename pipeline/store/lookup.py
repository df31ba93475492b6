"""Which stored item a person means: by its id, the beginning of it, or the address of its page."""

from __future__ import annotations

import re

from sqlalchemy import Connection, select

from errors import IprwatchError
from pipeline.normalize import identify_url
from pipeline.store.tables import Address, Item

_UID = re.compile(r"[0-9a-f]{6,32}")


class NoSuchItem(IprwatchError):
    """What a person gave names no stored item, or several. Raised by `find_item`."""


def find_item(connection: Connection, given: str, *, lock: bool = False) -> int:
    """The row id of the item with this id (at least 6 characters of it) or URL; raises NoSuchItem.

    `lock` keeps other writers of the item waiting until the transaction ends.
    """
    if "://" in given:
        query = select(Item.id).join(Address, Address.item_id == Item.id)
        query = query.where(Address.address == identify_url(given))
    elif _UID.fullmatch(given):
        query = select(Item.id).where(Item.uid.startswith(given)).limit(2)
    else:
        raise NoSuchItem(f"{given!r} is no item's id; `iprwatch search` shows ids, and a URL will do too.")
    found = connection.scalars(query.with_for_update(of=Item, key_share=True) if lock else query).all()
    if not found:
        raise NoSuchItem(f"No stored item is {given}; `iprwatch search` shows ids, and a URL will do too.")
    if len(found) > 1:
        raise NoSuchItem(f"Several items' ids begin with {given}; write more of it.")
    return found[0]
