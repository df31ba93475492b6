"""The ledger: every attempt, who asked for no more, what was given up and who is told of that, and sending again."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import pytest
from loopback import Said, serve
from sqlalchemy import Engine, select

from errors import ConfigurationError
from pipeline.alerts.channels import build_channel
from pipeline.alerts.gone import enable_recipient
from pipeline.alerts.message import Receipt
from pipeline.alerts.outbox import Report, deliver
from pipeline.alerts.resend import NoSuchAlert, resend
from pipeline.alerts.rules import Recipient, Rule, check_recipients, read_languages
from pipeline.store.tables import Delivery
from query.deliveries import describe_delivery, list_gone_recipients
from query.why import explain_alerts
from tests.alerts.test_outbox import BUSY, REFUSED, Sender, due, rows, wait

OPERATORS = [Recipient(channel="mail", to="it@firm.example"), Recipient(channel="log")]
LATER = timedelta(minutes=2)


def attempts(engine: Engine, alert: str) -> list[tuple[int, str, str]]:
    made = describe_delivery(engine, alert)["attempts_made"]
    return [(attempt["part"], attempt["outcome"], attempt["detail"]) for attempt in made]


def test_every_attempt_is_kept_with_what_came_back(engine: Engine) -> None:
    (alert,) = due(engine)
    deliver(engine, {"log": Sender(lambda _message: BUSY)})
    wait(engine, LATER)
    deliver(engine, {"log": Sender()})
    assert attempts(engine, alert) == [(1, "retry", "busy"), (1, "sent", "taken")]


# --- Given up ---


def test_what_is_given_up_is_told_to_the_operators_by_another_channel_once(engine: Engine) -> None:
    (alert,) = due(engine)
    mail = Sender(name="mail")
    channels = {"log": Sender(lambda _message: REFUSED), "mail": mail}
    for _ in range(3):
        deliver(engine, channels, operators=OPERATORS)
    ((message, to),) = mail.got
    assert (message.rule, to) == ("operators", "it@firm.example")
    assert "no such person" in message.summary
    assert f"iprwatch alerts resend {alert}" in message.summary


def test_a_report_that_is_given_up_itself_is_told_to_nobody(engine: Engine) -> None:
    due(engine)
    refusing = Sender(lambda _message: REFUSED)
    for _ in range(4):
        deliver(engine, {"log": refusing, "mail": refusing}, operators=OPERATORS)
    assert len(rows(engine)) == 2


def test_what_is_only_late_is_told_to_no_operator(engine: Engine) -> None:
    due(engine)
    deliver(engine, {"log": Sender(lambda _message: BUSY)}, operators=OPERATORS)
    assert len(rows(engine)) == 1


# --- 410 ---


def test_after_a_410_nothing_more_is_sent_until_somebody_enables_the_recipient(engine: Engine) -> None:
    with serve(lambda _path, n: Said(410 if n == 1 else 200)) as server:
        due(engine, 3, to=[("hook", server.url + "/x")])
        secret = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
        options = {"kind": "webhook", "secret": secret, "allowed_private": [server.place]}
        channels = {"hook": build_channel("hook", options)}
        report = deliver(engine, channels)
        assert (len(report.failed), len(server.seen)) == (3, 1)
        assert [gone["channel"] for gone in list_gone_recipients(engine)] == ["hook"]
        assert sum("wants no more messages" in str(alert.detail) for alert in rows(engine)) == 2
        assert enable_recipient(engine, "hook", server.url + "/x")
        assert not enable_recipient(engine, "hook", server.url + "/x")
        for alert in rows(engine):
            resend(engine, alert.id)
        assert len(deliver(engine, channels).sent) == 3


# --- Sending again ---


def test_an_alert_can_be_sent_again_with_the_same_id(engine: Engine) -> None:
    (alert,) = due(engine)
    sender = Sender(lambda _message: Receipt(True, False, "taken", parts=2))
    deliver(engine, {"log": sender})
    assert deliver(engine, {"log": sender}) == Report()
    assert resend(engine, alert[:8]) == alert
    deliver(engine, {"log": sender})
    assert [(message.id, message.part) for message, _ in sender.got] == [(alert, 1), (alert, 2)] * 2
    assert [outcome for _, outcome, _ in attempts(engine, alert)] == [
        "sent",
        "sent",
        "resend",
        "sent",
        "sent",
    ]


def test_an_alert_that_is_being_sent_is_not_sent_again_meanwhile(engine: Engine) -> None:
    (alert,) = due(engine)
    refused: list[str] = []

    def ask(_message: object) -> Receipt:
        with pytest.raises(NoSuchAlert, match="is being sent at this moment") as caught:
            resend(engine, alert)
        refused.append(str(caught.value))
        return BUSY

    deliver(engine, {"log": Sender(ask)})
    assert len(refused) == 1


@pytest.mark.parametrize("given", ["", "abc", "abcdef", "%" * 8])
def test_an_id_that_names_no_alert_is_refused(engine: Engine, given: str) -> None:
    due(engine)
    with pytest.raises(NoSuchAlert, match="No alert's id begins with"):
        resend(engine, given)


# --- Why ---


def rule(name: str, **asked: object) -> Rule:
    return Rule.model_validate({"name": name, "send": [{"channel": "log"}], **asked})


def answers(engine: Engine, *rules: Rule, matches: bool | None) -> dict[str, str]:
    with engine.connect() as connection:
        uid = connection.scalar(select(Delivery.item_id).limit(1))
    assert uid is not None
    url = "https://www.court.gov.cn/fabu/xiangqing/1.html"
    found = explain_alerts(engine, url, rules, lambda *_: matches)
    return {answer["rule"]: answer["answer"] for answer in found["answers"]}


def test_why_says_who_was_told_and_who_was_not(engine: Engine) -> None:
    due(engine, 1, to=[("log", ""), ("mail", "ann")])
    deliver(engine, {"log": Sender(), "mail": Sender(lambda _message: REFUSED)})
    found = explain_alerts(engine, "https://www.court.gov.cn/fabu/xiangqing/1.html", [], lambda *_: True)
    told = {answer["channel"]: answer for answer in found["answers"]}
    assert (told["log"]["answer"], bool(told["log"]["at"])) == ("told", True)
    assert told["mail"]["answer"] == "not told: given up (no such person)"


@pytest.mark.parametrize(
    ("matches", "words"),
    [(False, "does not match"), (None, "unknown: "), (True, "matches it today, but did not")],
)
def test_why_names_the_reason_for_a_rule_without_an_alert(
    engine: Engine, matches: bool | None, words: str
) -> None:
    due(engine)
    assert words in answers(engine, rule("Other"), matches=matches)["Other"]


def test_why_says_when_a_rule_asks_for_other_events(engine: Engine) -> None:
    due(engine)
    assert "asks for edited only" in answers(engine, rule("Edits", events=["edited"]), matches=True)["Edits"]


# --- Language of the recipient ---


def test_a_recipient_has_one_language() -> None:
    two = [
        Recipient(channel="mail", to="a@b.example", language="zh"),
        Recipient(channel="mail", to="a@b.example", language="en"),
    ]
    with pytest.raises(ConfigurationError, match="two languages"):
        read_languages(two, "here")
    assert read_languages(two[:1], "here") == {("mail", "a@b.example"): "zh"}


def test_a_language_on_a_channel_without_texts_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=re.escape("writes no text in a language")):
        check_recipients([Recipient(channel="log", language="zh")], {"log": "file"}, "here")
