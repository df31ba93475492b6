"""The inbox: links to articles that people found and want read, as a source like any other.

Links come from the command (`iprwatch add`), from text files, and from a folder in which staff drop files: text,
shortcuts (`.url`), saved mails (`.eml`, or a file of many: mbox); or that folder is a mailbox (Maildir,
https://cr.yp.to/proto/maildir.html), whose messages are read. A link stays `waiting` until its article is stored or
said to be gone.
"""

from __future__ import annotations

import codecs
import email
import email.policy
import html
import itertools
import mailbox
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, exists, select, update
from w3lib.url import safe_url_string

from crawlers.source import check_source_url
from errors import IprwatchError
from pipeline.normalize import identify_url
from pipeline.store.sketches import chunks
from pipeline.store.tables import Address, InboxLink
from pipeline.store.write import insert_ignoring

INBOX_KEY = "inbox_links"
READ_SUFFIX = ".read"
PUNCTUATION = "“”‘’，。；、：！？…（）【】《》「」『』"  # that ends a link, and no address ends with
# Browsers copy addresses with all but ASCII escaped; Chinese that follows a path without a space is the sentence's.
_LINK = re.compile(rf"(?i:https?)://[^\s/?#<>\"'{PUNCTUATION}]+(?:[/?#][^\x00-\x20<>\"'\x7f-\U0010ffff]*)?")
# The first line of a mail in an mbox (RFC 4155), with its sender and time.
_MBOX = re.compile(rb"^From \S+ +[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d .*\n", re.MULTILINE)
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?|[0-9a-f.]*:[0-9a-f:.]*")
_MESSAGES = ("new", "cur")  # of a Maildir; what is in its `tmp` is still being written
_LARGEST = 5_000_000  # bytes of a dropped file


class InboxError(IprwatchError):
    """A link or a dropped file can't be taken. Raised by the functions of this module; names it."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the links that were handed in: new in the inbox, there already, stored already."""

    new: tuple[str, ...]
    waiting: tuple[str, ...]
    stored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handed:
    """A link that was handed in: where it came from (a file's name, or `command`), when (UTC), and what became of it,
    with the reason in `detail` where its article could not be read or is gone."""

    url: str
    origin: str
    added_at: datetime
    state: str
    detail: str | None


def find_links(text: str) -> list[str]:
    """The http(s) links of a text in order, each once; what leads nowhere (`http://…`) is no link."""
    links = dict.fromkeys(_without_end(link) for link in _LINK.findall(text))
    return [link for link in links if is_link(link)]


def _without_end(link: str) -> str:
    """Without the punctuation of the sentence that the link ends; a bracket that was opened in it is its own."""
    link = link.rstrip(".,;:!?")
    if link.endswith(")") and link.count(")") > link.count("("):
        return _without_end(link[:-1])
    return link


def is_link(url: str) -> bool:
    """True for an http(s) URL with a host that could be asked."""
    try:
        check_source_url(url)
        safe_url_string(url)  # as it will be sent
    except ValueError:
        return False
    return _HOST.fullmatch(urlsplit(url).hostname or "") is not None


def add_links(engine: Engine, urls: Iterable[str], origin: str) -> Added:
    """Put links into the inbox. Raises InboxError for one that is no http(s) URL; then none is taken."""
    addresses: dict[str, str] = {}
    for url in urls:
        if not is_link(url):
            raise InboxError(
                f"{url!r} is not an http(s) link (a file is given with --file); nothing was added."
            )
        addresses.setdefault(identify_url(url), url)
    now = datetime.now(UTC)
    with engine.begin() as connection:
        stored: set[str] = set()
        known: set[str] = set()
        for chunk in chunks(addresses):
            stored.update(connection.scalars(select(Address.address).where(Address.address.in_(chunk))))
            known.update(connection.scalars(select(InboxLink.address).where(InboxLink.address.in_(chunk))))
        fresh = [address for address in addresses if address not in stored and address not in known]
        rows = [
            {
                "address": address,
                "url": addresses[address],
                "origin": origin,
                "state": "waiting",
                "detail": None,
                "added_at": now,
            }
            for address in fresh
        ]
        insert_ignoring(connection, InboxLink, rows)
        # A link that failed before is given another chance when somebody hands it in again.
        for chunk in chunks(known - stored):
            connection.execute(
                update(InboxLink)
                .where(InboxLink.address.in_(chunk), InboxLink.state != "stored")
                .values(state="waiting", detail=None)
            )
    return Added(
        tuple(addresses[address] for address in fresh),
        tuple(addresses[address] for address in addresses if address in known and address not in stored),
        tuple(addresses[address] for address in addresses if address in stored),
    )


def waiting_links(engine: Engine) -> list[tuple[str, str]]:
    """(address, url) of every link that is to be read, oldest first; those stored meanwhile are settled."""
    with engine.begin() as connection:
        stored = exists().where(Address.address == InboxLink.address)
        connection.execute(
            update(InboxLink).where(InboxLink.state == "waiting", stored).values(state="stored", detail=None)
        )
        query = (
            select(InboxLink.address, InboxLink.url)
            .where(InboxLink.state == "waiting")
            .order_by(InboxLink.added_at, InboxLink.address)
        )
        return [(row.address, row.url) for row in connection.execute(query)]


def list_handed(engine: Engine, *, stored: bool = False) -> list[Handed]:
    """Links that were handed in and whose article isn't stored, the latest first; with `stored` all that were."""
    query = select(
        InboxLink.url, InboxLink.origin, InboxLink.added_at, InboxLink.state, InboxLink.detail
    ).order_by(InboxLink.added_at.desc(), InboxLink.address)
    if not stored:
        query = query.where(
            InboxLink.state != "stored", ~exists().where(Address.address == InboxLink.address)
        )
    with engine.connect().execution_options(read_only=True) as connection:
        return [Handed(*row) for row in connection.execute(query)]


def settle_link(engine: Engine, address: str, state: str, detail: str | None) -> None:
    """Note what became of a link: `stored`, `gone` or `failed` with the reason."""
    with engine.begin() as connection:
        connection.execute(
            update(InboxLink).where(InboxLink.address == address).values(state=state, detail=detail)
        )


def read_folder(engine: Engine, folder: Path) -> dict[str, Added]:
    """Take the links of every file in a folder, and rename each file that was taken to `NAME.read` (or `NAME.2.read`,
    where an earlier file had the name).

    Of a Maildir (a folder with `cur` and `new`) the messages are taken, seen or not, and each that was taken is
    moved to its folder `.read`, where mail programs show it; other files of a Maildir are its mail program's.

    Raises InboxError for a folder that can't be read; a file that can't be is reported by leaving its name
    as it is and raising at the end, after the others were taken.
    """
    try:
        is_mailbox = all((folder / part).is_dir() for part in _MESSAGES)
        if is_mailbox:
            mailbox.Maildir(folder, create=False).add_folder(READ_SUFFIX[1:])
        rooms = [folder / part for part in _MESSAGES] if is_mailbox else [folder]
        files = [path for room in rooms for path in sorted(room.iterdir()) if path.is_file()]
    except OSError as error:
        raise InboxError(f"{folder}: the inbox folder can't be read ({error.strerror}).") from None
    taken: dict[str, Added] = {}
    faults: list[str] = []
    for path in files:
        if path.name.startswith(".") or (path.suffix == READ_SUFFIX and not is_mailbox):
            continue
        try:
            links = find_links(read_dropped_file(path, is_mail=is_mailbox))
        except InboxError as error:
            faults.append(str(error))
            continue
        taken[path.name] = add_links(engine, links, origin=path.name)
        try:
            if is_mailbox:
                _move(path, folder / READ_SUFFIX / path.parent.name / path.name)
            else:
                path.rename(_name_when_read(path))
        except OSError as error:
            faults.append(f"{path}: its links were taken, but it can't be renamed ({error.strerror}).")
    if faults:
        raise InboxError(" ".join(faults))
    return taken


def _name_when_read(path: Path) -> Path:
    """`NAME.read`, with a number where an earlier file of that name was read."""
    numbers = ("" if number == 1 else f".{number}" for number in itertools.count(1))
    places = (path.with_name(f"{path.name}{number}{READ_SUFFIX}") for number in numbers)
    return next(place for place in places if not place.exists())


def _move(path: Path, place: Path) -> None:
    """Move a file, but never over another one. Raises FileExistsError, OSError."""
    place.hardlink_to(path)
    path.unlink()


def read_dropped_file(path: Path, *, is_mail: bool = False) -> str:
    """The text of a dropped file: subject and text parts of a saved mail or of all in an mbox, else the file itself.

    `is_mail` says that it is a mail whatever its name; one that says so itself, by its MIME-Version, is one too.

    Raises InboxError for a file that is too large, unreadable, or no text.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InboxError(f"{path}: larger than {_LARGEST // 1_000_000} MB, not taken.")
        body = path.read_bytes()
    except OSError as error:
        raise InboxError(f"{path}: can't be read ({error.strerror}).") from None
    if _MBOX.match(body):
        return "\n".join(_read_mail(path, mail) for mail in _MBOX.split(body)[1:])
    if is_mail or path.suffix.lower() == ".eml" or email.message_from_bytes(body)["MIME-Version"]:
        return _read_mail(path, body)
    # What Windows calls Unicode has a mark of its own at the start; elsewhere it would be taken for Chinese.
    is_utf_16 = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if is_utf_16 else ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InboxError(f"{path}: is no text file; drop a text, a .url shortcut or a saved mail (.eml).")


def _read_mail(path: Path, body: bytes) -> str:
    message = email.message_from_bytes(body, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    texts = [str(message.get("subject", ""))]
    for part in message.walk():
        if part.get_content_maintype() != "text":
            continue
        try:
            text = str(part.get_content())
        except (LookupError, UnicodeError):  # the latter for codecs that are no character set: `idna`
            raise InboxError(
                f"{path}: a part is in the unknown character set {part.get_content_charset()!r}."
            ) from None
        # In HTML the & of a link is written &amp;.
        texts.append(html.unescape(text) if part.get_content_subtype() == "html" else text)
    return "\n".join(texts)
