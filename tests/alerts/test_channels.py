"""Channels: what arrives, and what the receipt says when it doesn't."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from hypothesis import given
from hypothesis import strategies as st
from loopback import Said, Server, serve
from rich.console import Console
from standardwebhooks import Webhook, WebhookVerificationError

from errors import ConfigurationError
from pipeline.alerts.channels import ConsoleChannel, build_channel, check_recipient
from pipeline.alerts.message import Message, Receipt, Told, flatten, render_brief
from pipeline.alerts.wording import Wording

MESSAGE = Message(
    id="d-41f0",
    rule="trade marks",
    event="new",
    title="某某公司商标权纠纷案一审宣判",
    url="https://court.example/article/7.html",
    publisher="某某知识产权法院",
    published="2024-03-05",
    summary="本院依法判决被告停止侵害。",
    created_at=datetime(2024, 3, 5, 8, 0, tzinfo=UTC),
    facts=(Told("case_number", "（2023）京73民初1号"),),
    snapshot="ab" * 32,
)
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()

# --- Text ---


def test_turned_text_is_straightened() -> None:
    assert flatten("a\u202eb\u2066c") == "abc"


@given(st.text(st.characters(exclude_categories=())))
def test_flattened_text_is_one_line_that_can_be_encoded(text: str) -> None:
    line = flatten(text)
    assert len(line.splitlines()) <= 1
    assert line.encode("utf-8").decode("utf-8") == line
    assert flatten(line) == line


def test_a_message_needs_a_zone_aware_time() -> None:
    with pytest.raises(ValueError, match="time zone"):
        replace(MESSAGE, created_at=datetime(2024, 3, 5))  # noqa: DTZ001


def test_a_link_that_is_no_web_address_is_left_out_on_a_screen() -> None:
    assert "javascript" not in render_brief(replace(MESSAGE, url="javascript:alert(1)"))


# --- Console and file ---


def test_the_console_prints_markup_as_it_is() -> None:
    out = io.StringIO()
    receipt = ConsoleChannel("screen", out).send(replace(MESSAGE, title="[red]判决[/red] :smile:"), "")
    assert receipt.ok
    assert "[red]判决[/red] :smile:" in out.getvalue()


def test_the_console_may_be_a_rich_one() -> None:
    out = io.StringIO()
    ConsoleChannel("screen", Console(file=out, width=20)).send(MESSAGE, "")
    assert MESSAGE.url in out.getvalue()


def test_a_console_whose_reader_is_gone_is_tried_again() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    receipt = ConsoleChannel("screen", Gone()).send(MESSAGE, "")
    assert (receipt.ok, receipt.retry) == (False, True)
    assert "nobody reads it" in receipt.detail


def test_a_file_gets_one_line_per_alert(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    channel = build_channel("log", {"kind": "file", "path": str(path)})
    assert channel.send(replace(MESSAGE, title="一\n二"), "").ok
    assert channel.send(replace(MESSAGE, id="d-2"), "").ok
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [line["id"] for line in lines] == ["d-41f0", "d-2"]
    assert lines[0]["title"] == "一\n二"
    assert lines[0]["created_at"] == "2024-03-05T08:00:00+00:00"


def test_a_line_that_a_crash_cut_short_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b'{"id": "d-')
    build_channel("log", {"kind": "file", "path": str(path)}).send(MESSAGE, "")
    first, second = path.read_bytes().splitlines()
    assert first == b'{"id": "d-'
    assert json.loads(second)["id"] == MESSAGE.id


def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    receipt = build_channel("log", {"kind": "file", "path": str(tmp_path / "none" / "a")}).send(MESSAGE, "")
    assert (receipt.ok, receipt.retry) == (False, True)
    assert "No such file" in receipt.detail


# --- Mail ---


class Mailbox:
    """An aiosmtpd handler that answers as told; it keeps what it accepted."""

    def __init__(self, *, recipient: str = "250 OK", data: str = "250 taken", bye: str | None = None) -> None:
        self.recipient, self.data, self.bye = recipient, data, bye
        self.mails: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data.startswith("250"):
            self.mails.append(envelope)
        return self.data

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self.bye or "221 bye"


@contextmanager
def mail_server(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """A real SMTP server on a free port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(lambda: SMTP(mailbox, loop=loop, **options), "127.0.0.1", 0)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:

        async def stop() -> None:
            server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def mail(port: int, message: Message = MESSAGE, to: str = "ip@firm.example", **options: Any) -> Receipt:
    smtp = {"kind": "smtp", "host": "127.0.0.1", "port": port, "sender": "watch@firm.example"}
    return build_channel("mail", {**smtp, "security": "none", "timeout": 5, **options}).send(message, to)


def test_a_mail_arrives_whole() -> None:
    with mail_server(box := Mailbox()) as port:
        assert mail(port).ok
    (envelope,) = box.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("watch@firm.example", ["ip@firm.example"])
    read = message_from_bytes(envelope.content, policy=policy.default)
    assert read["Subject"] == MESSAGE.title
    assert read.get_content_type() == "multipart/alternative"
    plain, html = read.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().splitlines() == Wording("mail").write(MESSAGE, "ip@firm.example").splitlines()
    assert html.get_content().splitlines() == Wording("html").write(MESSAGE, "ip@firm.example").splitlines()


def test_a_mail_says_how_to_unsubscribe_where_the_operator_does() -> None:
    with mail_server(box := Mailbox()) as port:
        assert mail(port).ok
        assert mail(port, unsubscribe="mailto:it@firm.example?subject=no%20more%20to%20{to}").ok
    without, having = (message_from_bytes(envelope.content, policy=policy.default) for envelope in box.mails)
    assert without["List-Unsubscribe"] is None
    assert (
        having["List-Unsubscribe"].strip()
        == "<mailto:it@firm.example?subject=no%20more%20to%20ip@firm.example>"
    )


def test_a_refused_login_is_told_without_what_the_server_said_of_it() -> None:
    def refuse(*_: object) -> Any:
        return AuthResult(success=False, handled=False, message="535 wrong password hunter2hunter2")

    with mail_server(box := Mailbox(), authenticator=refuse, auth_require_tls=False) as port:
        channel = build_channel(
            "mail",
            {
                **SMTP_OPTIONS,
                "host": "127.0.0.1",
                "port": port,
                "username": "w",
                "password": "hunter2hunter2",
            },
        )
        receipt = replace(channel, security="none").send(MESSAGE, "ip@firm.example")
    assert (receipt.ok, receipt.retry, receipt.detail, box.mails) == (
        False,
        True,
        "535 the login was refused",
        [],
    )


def test_a_second_copy_carries_the_same_message_id_and_another_alert_does_not() -> None:
    with mail_server(box := Mailbox()) as port:
        mail(port)
        mail(port)
        mail(port, replace(MESSAGE, id="d-2"))
    first, copy, other = (message_from_bytes(envelope.content)["Message-ID"] for envelope in box.mails)
    assert first == copy != other


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028"])
def test_a_title_cannot_add_a_header(newline: str) -> None:
    with mail_server(box := Mailbox()) as port:
        assert mail(port, replace(MESSAGE, title=f"判决{newline}Bcc: all@firm.example")).ok
    read = message_from_bytes(box.mails[0].content, policy=policy.default)
    assert read["Bcc"] is None
    assert read["Subject"] == "判决 Bcc: all@firm.example"


@pytest.mark.parametrize(
    "title",
    [
        "判决 =?utf-8?q?=0D=0ABcc:_all@firm.example?=",
        "=?utf-8?B?SGkNCkJjYzogYWxsQGZpcm0uZXhhbXBsZQ==?=",
        "a=?utf-8?q?=E2=80=AE=0D=0A=0D=0A<b>x</b>?=",
    ],
)
def test_an_encoded_word_in_a_title_is_never_decoded(title: str) -> None:
    with mail_server(box := Mailbox()) as port:
        assert mail(port, replace(MESSAGE, title=title)).ok
    read = message_from_bytes(box.mails[0].content, policy=policy.default)
    assert read["Bcc"] is None
    assert read["Subject"] == title.replace("=?", "=\u200b?")
    assert read.is_multipart()


def test_a_long_title_is_cut_in_the_subject_and_not_in_the_text() -> None:
    title = "判" * 1000
    with mail_server(box := Mailbox()) as port:
        assert mail(port, replace(MESSAGE, title=title)).ok
    read = message_from_bytes(box.mails[0].content, policy=policy.default)
    assert read["Subject"] == "判" * 249 + "…"
    assert title in read.get_body(("plain",)).get_content()


def test_a_long_address_to_unsubscribe_stays_an_address() -> None:
    with mail_server(box := Mailbox()) as port:
        assert mail(port, unsubscribe=f"https://lists.example/{'leave/' * 20}?who={{to}}").ok
    raw = box.mails[0].content.partition(b"List-Unsubscribe: ")[2]
    assert raw.startswith(b"<https://lists.example/" + b"leave/" * 20 + b"?who=ip@firm.example>\r\n")


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "nobody",
        "a@firm.example, b@firm.example",
        "a@firm.example\nBcc: b@firm.example",
        "知产@firm.example",
    ],
)
def test_a_recipient_that_is_no_single_address_is_refused_for_good(recipient: str) -> None:
    with mail_server(box := Mailbox()) as port:
        receipt = mail(port, to=recipient)
    assert (receipt.ok, receipt.retry, box.mails) == (False, False, [])
    assert "no mail address" in receipt.detail


@pytest.mark.parametrize("place", ["recipient", "data"])
@pytest.mark.parametrize(("answer", "retry"), [("451 later", True), ("550 unknown", False)])
def test_4xx_is_tried_again_and_5xx_is_final(place: str, answer: str, retry: bool) -> None:
    with mail_server(Mailbox(**{place: answer})) as port:
        receipt = mail(port)
    assert (receipt.ok, receipt.retry, receipt.detail) == (False, retry, answer)


@pytest.mark.parametrize("place", ["recipient", "data"])
def test_an_answer_that_is_too_long_to_be_read_is_tried_again(place: str) -> None:
    with mail_server(Mailbox(**{place: "250 " + "x" * 9000})) as port:
        receipt = mail(port)
    assert (receipt.ok, receipt.retry) == (False, True)
    assert "Line too long" in receipt.detail


def test_a_failing_goodbye_does_not_make_an_accepted_mail_fail() -> None:
    with mail_server(box := Mailbox(bye="451 confused")) as port:
        assert mail(port).ok
    assert len(box.mails) == 1


def test_a_mail_server_that_is_down_is_tried_again() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        receipt = mail(held.getsockname()[1])
    assert (receipt.ok, receipt.retry) == (False, True)


@pytest.mark.parametrize("options", [{"host": "mail..example"}, {"username": "张", "password": "hunter2"}])
def test_what_a_mail_server_can_not_be_asked_with_is_said_unshown(options: dict[str, str]) -> None:
    with mail_server(Mailbox(), auth_require_tls=False) as port:
        smtp = {**SMTP_OPTIONS, "host": "127.0.0.1", "port": port, **options}
        receipt = replace(build_channel("mail", smtp), security="none").send(MESSAGE, "ip@firm.example")
    assert (receipt.ok, receipt.retry) == (False, False)
    assert receipt.detail == "the host, the user name or the password has characters that can't be sent"


def test_a_server_without_starttls_gets_no_mail() -> None:
    with mail_server(box := Mailbox()) as port:
        receipt = mail(port, security="starttls")
    assert (receipt.ok, receipt.retry, box.mails) == (False, True, [])
    assert "STARTTLS" in receipt.detail


def test_a_server_that_speaks_no_tls_gets_no_mail() -> None:
    with mail_server(box := Mailbox()) as port:
        receipt = mail(port, security="tls")
    assert (receipt.ok, receipt.retry, box.mails) == (False, True, [])


# --- Webhooks ---


def hook(server: Server, path: str = "/hook", **options: Any) -> Receipt:
    settings = {
        "kind": "webhook",
        "secret": SECRET,
        "allowed_private": [server.place],
        "timeout": 5,
        **options,
    }
    return build_channel("hook", settings).send(MESSAGE, server.url + path)


def answering(*said: Said) -> Callable[[str, int], Said]:
    return lambda path, n: said[min(n, len(said)) - 1]


def test_a_webhook_is_signed_and_the_signature_verifies() -> None:
    with serve(answering(Said(200))) as server:
        assert hook(server).ok
    (request,) = server.seen
    document = Webhook(SECRET).verify(request.body, dict(request.headers))
    assert document["type"] == "new"
    assert document["data"]["title"] == MESSAGE.title
    assert request.headers["webhook-id"] == MESSAGE.id


def test_the_signature_covers_the_body() -> None:
    with serve(answering(Said(200))) as server:
        hook(server)
    (request,) = server.seen
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body.replace(b"d-41f0", b"d-41f1"), dict(request.headers))


def test_an_id_with_odd_characters_stays_one_header() -> None:
    with serve(answering(Said(200))) as server:
        channel = build_channel(
            "hook", {"kind": "webhook", "secret": SECRET, "allowed_private": [server.place]}
        )
        assert channel.send(replace(MESSAGE, id="规则 1\r\nX: y"), server.url).ok
    (request,) = server.seen
    assert "x" not in request.headers
    Webhook(SECRET).verify(request.body, dict(request.headers))


@pytest.mark.parametrize(
    ("status", "ok", "retry"),
    [
        (200, True, False),
        (204, True, False),
        (400, False, False),
        (404, False, False),
        (410, False, False),
        (429, False, True),
        (500, False, True),
        (503, False, True),
    ],
)
def test_the_status_decides(status: int, ok: bool, retry: bool) -> None:
    with serve(answering(Said(status))) as server:
        receipt = hook(server)
    assert (receipt.ok, receipt.retry) == (ok, retry)
    assert f"HTTP {status}" in receipt.detail


def test_a_wait_in_seconds_is_passed_on() -> None:
    with serve(answering(Said(429, headers={"Retry-After": "120"}))) as server:
        assert hook(server).retry_after == 120


def test_a_wait_until_a_date_is_passed_on() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    stamp = later.strftime("%a, %d %b %Y %H:%M:%S GMT")
    with serve(answering(Said(503, headers={"Retry-After": stamp}))) as server:
        wait = hook(server).retry_after
    assert wait is not None
    assert 3000 < wait <= 3600


def test_a_redirect_is_not_followed_and_is_final() -> None:
    with serve(answering(Said(200))) as canary:
        with serve(answering(Said(302, headers={"Location": canary.url}))) as server:
            receipt = hook(server, allowed_private=[server.place, canary.place])
        assert canary.seen == []
    assert (receipt.ok, receipt.retry) == (False, False)


@pytest.mark.parametrize("said", [Said(close=True), Said(wait=True)], ids=["closed", "silent"])
def test_a_webhook_that_does_not_answer_is_tried_again(said: Said) -> None:
    with serve(answering(said)) as server:
        receipt = hook(server, "/token", timeout=0.3)
    assert (receipt.ok, receipt.retry) == (False, True)
    assert "token" not in receipt.detail


def test_a_webhook_s_url_that_can_not_be_written_is_refused() -> None:
    receipt = build_channel("hook", {"kind": "webhook", "secret": SECRET}).send(
        MESSAGE, "https://h.example/\udcff"
    )
    assert (receipt.ok, receipt.retry) == (False, False)
    assert receipt.detail.startswith("not sent: not a URL")


def test_an_internal_webhook_that_is_not_listed_is_never_contacted() -> None:
    with serve(answering(Said(200))) as canary:
        receipt = hook(canary, "/token", allowed_private=[])
    assert (receipt.ok, receipt.retry, canary.seen) == (False, False, [])
    assert "not a public address" in receipt.detail
    assert "token" not in receipt.detail


def test_what_a_webhook_says_is_one_line_of_the_receipt() -> None:
    with serve(answering(Said(400, b"bad\nforged line"))) as server:
        assert hook(server).detail == "HTTP 400 bad forged line"


# --- Options ---

SMTP_OPTIONS = {"kind": "smtp", "host": "mail.example", "port": 587, "sender": "watch@firm.example"}


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "kind"),
        ({"kind": "pigeon"}, "kind"),
        ({"kind": ["file"]}, "kind"),
        ({"kind": "console", "colour": "red"}, "colour"),
        ({"kind": "file"}, "path"),
        ({"kind": "smtp"}, "host"),
        ({**SMTP_OPTIONS, "port": 0}, "port"),
        ({**SMTP_OPTIONS, "port": "many"}, "port"),
        ({**SMTP_OPTIONS, "sender": "watch"}, "sender"),
        ({**SMTP_OPTIONS, "security": "maybe"}, "security"),
        ({**SMTP_OPTIONS, "username": "watch"}, "password"),
        ({**SMTP_OPTIONS, "username": "watch", "password": "p", "security": "none"}, "security"),
        ({"kind": "webhook"}, "secret"),
        ({"kind": "webhook", "secret": "whsec_"}, "secret"),
        ({"kind": "webhook", "secret": "whsec_c2hvcnQ="}, "secret"),
        ({"kind": "webhook", "secret": "not base64!"}, "secret"),
        ({"kind": "webhook", "secret": SECRET, "timeout": 0}, "timeout"),
        ({"kind": "webhook", "secret": SECRET, "allowed_private": ["nowhere"]}, "allowed_private"),
        ({"kind": "webhook", "secret": SECRET, "allowed_private": "hooks.lan:8080"}, "must be a list"),
        ({"kind": "webhook", "secret": SECRET, "allowed_private": [8080]}, "must be a list"),
        ({"kind": "webhook", "secret": SECRET, "allowed_private": 8080}, "must be a list"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError, match=key):
        build_channel("team", options)


@pytest.mark.parametrize(
    "options",
    [
        {**SMTP_OPTIONS, "username": "watch", "password": "hunter2hunter2"},
        {"kind": "webhook", "secret": "whsec_" + base64.b64encode(b"hunter2hunter2hunter2hunter2").decode()},
    ],
    ids=["smtp", "webhook"],
)
def test_secrets_are_shown_in_no_repr(options: dict[str, object]) -> None:
    secret = str(options.get("password") or options["secret"])
    assert secret not in repr(build_channel("team", options))


def test_secrets_are_shown_in_no_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_channel("team", {**SMTP_OPTIONS, "username": "w", "password": "hunter2", "port": "hunter3"})
    assert "hunter" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("kind", "recipient"),
    [
        ("console", "Anna"),
        ("file", "other.jsonl"),
        ("smtp", ""),
        ("smtp", "anna"),
        ("smtp", "@example.org"),
        ("smtp", "安娜@例子.中国"),
        ("smtp", "anna@example.org, ben@example.org"),
        ("webhook", ""),
        ("webhook", "hooks.example/secret"),
        ("webhook", "https:///secret"),
    ],
)
def test_a_recipient_that_a_channel_cannot_reach_is_refused_without_showing_it(
    kind: str, recipient: str
) -> None:
    with pytest.raises(ValueError, match="is no|must be left out") as caught:
        check_recipient(kind, recipient)
    assert not recipient or recipient not in str(caught.value)


def test_recipients_that_can_be_reached_are_taken() -> None:
    for kind, recipient in (
        ("console", ""), ("file", ""), ("smtp", "anna@example.org"), ("webhook", "http://10.0.0.3:8080/ipr"),
    ):  # fmt: skip
        check_recipient(kind, recipient)


def test_every_channel_says_its_name_and_kind() -> None:
    webhook = {"kind": "webhook", "secret": SECRET}
    for options in ({"kind": "console"}, {"kind": "file", "path": "a"}, SMTP_OPTIONS, webhook):
        channel = build_channel("team", options)
        assert (channel.name, channel.kind) == ("team", options["kind"])


# --- Long texts ---

FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
LONG = "".join(chr(0x4E00 + number) + (FAMILY if number % 10 == 0 else "") for number in range(5000))


def test_5000_chinese_characters_and_emoji_arrive_whole_where_there_is_no_limit(tmp_path: Path) -> None:
    long = replace(MESSAGE, summary=LONG)
    path = tmp_path / "alerts.jsonl"
    assert build_channel("log", {"kind": "file", "path": str(path)}).send(long, "").parts == 1
    with serve(answering(Said(200))) as server:
        options = {"kind": "webhook", "secret": SECRET, "allowed_private": [server.place]}
        assert build_channel("hook", options).send(long, server.url).parts == 1
    (request,) = server.seen
    with mail_server(box := Mailbox()) as port:
        assert mail(port, long).parts == 1
    read = message_from_bytes(box.mails[0].content, policy=policy.default)
    assert json.loads(path.read_bytes())["summary"] == LONG
    assert json.loads(request.body)["data"]["summary"] == LONG
    assert all(LONG in part.get_content() for part in read.iter_parts())
    assert max(map(len, box.mails[0].content.splitlines())) <= 998  # RFC 5322


def test_the_console_shows_a_long_title_whole() -> None:
    out = io.StringIO()
    assert ConsoleChannel("screen", out).send(replace(MESSAGE, title=LONG), "").ok
    assert LONG in out.getvalue()
