"""Each channel against a server on loopback that takes, refuses, falls silent, trickles and breaks off."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.receivers import Answer, MailReceiver, WebReceiver, mail_receiver, make_certificate, web_receiver
from threegaps.settings import SHANGHAI
from threegaps.watch import trying
from threegaps.watch.channels.dingtalk import DingTalk, signature
from threegaps.watch.channels.mail import Mail
from threegaps.watch.channels.posting import LARGEST_ANSWER_BYTES, Target
from threegaps.watch.channels.webhook import SIGNATURE_HEADER, Webhook
from threegaps.watch.channels.wecom import WeCom
from threegaps.watch.journal import Journal, Posted
from threegaps.watch.message import Channel, ChannelError, Message
from threegaps.watch.told import Told

pytestmark = pytest.mark.integration

OPENED = Message(
    "incident-1.opened.duty@threegaps",
    1,
    "opened",
    "critical",
    "【严重】Airflow 停止运行 · critical: Airflow is down",
    "调度器 12 分钟没有心跳。\nThe scheduler has been silent for 12 minutes.\n.\n看 look: threegaps status",
    {"kind": "airflow_down"},
)
CLOSED = Message(
    "incident-1.closed.duty@threegaps",
    1,
    "closed",
    "critical",
    "【恢复】Airflow 停止运行 · closed: Airflow is down",
    "已恢复。\nIt is back.",
    {"reply_to": OPENED.message_id},
)
SENSITIVE = "王小明 330106199001011237"
"""What a server might quote; it must be nowhere."""


def by_mail(receiver: MailReceiver, **changed: object) -> Mail:
    settings: dict[str, object] = {
        "name": "duty",
        "host": "127.0.0.1",
        "port": receiver.port,
        "security": "none",
        "sender": "threegaps@example.gov.cn",
        "recipients": ("duty@example.gov.cn", "second@example.gov.cn"),
        "seconds": 5.0,
    }
    return Mail(**{**settings, **changed})  # type: ignore[arg-type]


def test_mail_makes_a_thread_and_can_be_read_in_both_languages(mail: MailReceiver) -> None:
    channel = by_mail(mail)
    channel.send(OPENED)
    channel.send(CLOSED)
    first, second = mail.messages
    assert first["Message-ID"] == f"<{OPENED.message_id}>"
    assert first["In-Reply-To"] is None
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert first["Subject"] == OPENED.subject
    assert first.get_content_type() == "text/plain"
    assert first.get_content_charset() == "utf-8"
    assert first.get_content().replace("\r\n", "\n").rstrip("\n") == OPENED.text
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Importance"] == "high"
    assert first["To"] == "duty@example.gov.cn, second@example.gov.cn"


@pytest.mark.parametrize(
    "answer", ["550 5.7.1 Unable to relay", "554 Relaying denied", "530 5.7.0 Authentication required"]
)
def test_a_server_that_relays_nothing_says_nothing_of_the_recipient(mail: MailReceiver, answer: str) -> None:
    mail.puts_off = {"second@example.gov.cn": answer}
    taken = by_mail(mail).send(OPENED)
    assert taken.rest == ("second@example.gov.cn",)
    assert f"code {answer[:3]}: mend the channel" in taken.remark
    # He is asked again, for as long as for any fault of the channel; his own refusal is over at once.
    second = by_mail(mail).only(["second@example.gov.cn"])
    for said, concerns in ((answer, "channel"), ("550 5.1.1 unknown", "message")):
        mail.puts_off = {"second@example.gov.cn": said}
        with pytest.raises(ChannelError) as raised:
            second.send(OPENED)
        assert (raised.value.is_final, raised.value.concerns) == (True, concerns)


@pytest.mark.parametrize(
    ("stage", "answer", "is_final", "concerns"),
    [
        ("CONNECT", "421 4.3.2 busy", False, "channel"),
        ("MAIL", "451 4.3.0 later", False, "either"),
        ("RCPT", "450 4.7.1 greylisted", False, "channel"),
        ("RCPT", "550 5.1.1 no such user", True, "channel"),
        ("RCPT", "554 5.7.1 Relay access denied", True, "channel"),
        ("DATA", "451 4.3.0 later", False, "either"),
        ("TEXT", "452 4.3.1 full", False, "either"),
        ("TEXT", "554 5.7.1 refused as spam", True, "message"),
    ],
)
def test_mail_that_is_refused_passes_or_is_final(
    mail: MailReceiver, stage: str, answer: str, is_final: bool, concerns: str
) -> None:
    mail.answers[stage] = f"{answer} {SENSITIVE}".encode("ascii", "replace").decode()
    with pytest.raises(ChannelError, match=answer[:3]) as raised:
        by_mail(mail).send(OPENED)
    assert (raised.value.is_final, raised.value.concerns) == (is_final, concerns)
    assert "330106" not in str(raised.value)
    assert mail.messages == []
    mail.answers.clear()
    by_mail(mail).send(OPENED)
    assert len(mail.messages) == 1


def test_mail_logs_in_and_a_wrong_password_is_final(mail: MailReceiver) -> None:
    by_mail(mail, user="alerts", password="let-me-in").send(OPENED)
    with pytest.raises(ChannelError, match="login with code 535") as raised:
        by_mail(mail, user="alerts", password="wrong-one").send(OPENED)
    assert raised.value.is_final
    assert "wrong-one" not in str(raised.value)
    assert "wrong-one" not in repr(by_mail(mail, password="wrong-one"))
    assert mail.logins[0] == ("alerts", "let-me-in")
    assert len(mail.messages) == 1


def test_mail_says_that_some_recipients_were_refused_although_others_have_it() -> None:
    class Picky(MailReceiver):
        def _say(self, connection: socket.socket, command: str, usual: str) -> bool:
            self.asked = getattr(self, "asked", 0) + (command == "RCPT")
            refuses = command == "RCPT" and self.asked == 2
            return super()._say(connection, command, "550 5.1.1 unknown" if refuses else usual)

    receiver = Picky()
    try:
        taken = by_mail(receiver).send(OPENED)
        assert len(receiver.messages) == 1
        assert (taken.rest, taken.remark) == ((), f"127.0.0.1:{receiver.port} refused 1 of 2 recipients with code 550.")
    finally:
        receiver.close()


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "RCPT", "TEXT"])
def test_mail_waits_for_a_silent_server_no_longer_than_it_may(mail: MailReceiver, stage: str) -> None:
    mail.hangs_at = stage
    begun = time.monotonic()
    with pytest.raises(ChannelError) as raised:
        by_mail(mail, seconds=0.5).send(OPENED)
    assert time.monotonic() - begun < 4
    assert not raised.value.is_final


def test_mail_whose_connection_breaks_after_the_text_is_not_known_to_be_taken(mail: MailReceiver) -> None:
    mail.drops_after_text = True
    with pytest.raises(ChannelError, match="broke off") as raised:
        by_mail(mail).send(OPENED)
    assert not raised.value.is_final


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_trusts_a_certificate_that_is_vouched_for_and_no_other(tmp_path: Path, security: str) -> None:
    certificate = make_certificate(tmp_path)
    with mail_receiver(certificate, is_tls=security == "tls") as receiver:
        with pytest.raises(ChannelError, match="certificate is not accepted"):
            by_mail(receiver, security=security).send(OPENED)
        assert receiver.messages == []
        by_mail(receiver, security=security, ca_file=certificate[0], user="alerts", password="let-me-in").send(OPENED)
        assert receiver.subjects == [OPENED.subject]


def test_mail_without_starttls_sends_nothing_where_it_is_asked_for(mail: MailReceiver) -> None:
    with pytest.raises(ChannelError, match="no STARTTLS") as raised:
        by_mail(mail, security="starttls", user="alerts", password="let-me-in").send(OPENED)
    assert raised.value.is_final
    assert mail.logins == []


def test_mail_goes_unencrypted_to_this_machine_only() -> None:
    with pytest.raises(ChannelError, match="without TLS") as raised:
        Mail("duty", "mail.example.gov.cn", 25, "none", "a@b.cn", ("c@d.cn",)).send(OPENED)
    assert raised.value.is_final


def robots(web: WebReceiver) -> dict[str, Channel]:
    return {
        "dingtalk": DingTalk("duty", "the-token", "SECof-dingtalk", Target(web.url("/robot/send")), seconds=2.0),
        "wecom": WeCom("duty", "the-key", target=Target(web.url("/cgi-bin/webhook/send")), seconds=2.0),
        "webhook": Webhook("duty", Target(web.url("/hook")), "the-secret", seconds=2.0),
    }


def test_dingtalk_gets_token_signature_and_markdown(web: WebReceiver) -> None:
    at = 1_764_200_000.25
    DingTalk("duty", "a/token+", "SECret", Target(web.url("/robot/send")), clock=lambda: at).send(OPENED)
    (request,) = web.taken
    assert request.query["access_token"] == "a/token+"
    assert request.query["timestamp"] == "1764200000250"
    assert request.query["sign"] == signature("SECret", 1764200000250)
    assert request.data["msgtype"] == "markdown"
    text = request.data["markdown"]["text"]
    assert OPENED.subject in text
    assert "调度器 12 分钟没有心跳。\n\nThe scheduler" in text
    assert len(request.data["markdown"]["title"].encode()) <= 64


def test_dingtalk_without_a_secret_signs_nothing(web: WebReceiver) -> None:
    DingTalk("duty", "token", None, Target(web.url("/robot/send"))).send(OPENED)
    assert set(web.taken[0].query) == {"access_token"}


@pytest.mark.parametrize(("form", "limit"), [("text", 2048), ("markdown", 4096)])
def test_wecom_counts_bytes(web: WebReceiver, form: str, limit: int) -> None:
    long = Message("m@threegaps", None, "opened", "warning", "题目 · subject", "省" * 3000)
    WeCom("duty", "key", form, Target(web.url()), seconds=2.0).send(long)  # type: ignore[arg-type]
    content = web.taken[0].data[form]["content"]
    assert limit - 3 < len(content.encode()) <= limit
    assert content.endswith("…(已截断 cut)")
    assert web.taken[0].query == {"key": "key"}


def test_the_webhook_gets_the_message_as_data_with_its_id_and_signature(web: WebReceiver) -> None:
    Webhook("duty", Target(web.url("/hook")), "the-secret", clock=lambda: 1_764_200_000.9).send(CLOSED)
    (request,) = web.taken
    assert request.data["message_id"] == request.headers["idempotency-key"] == CLOSED.message_id
    assert request.data["reply_to"] == OPENED.message_id
    assert request.data["gravity"] == "critical"
    signed = hmac.new(b"the-secret", b"1764200000." + request.body, hashlib.sha256).hexdigest()
    assert request.headers[SIGNATURE_HEADER.lower()] == f"t=1764200000,v1={signed}"


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "webhook"])
@pytest.mark.parametrize(
    ("answer", "is_final", "pause", "concerns"),
    [
        (Answer(503, SENSITIVE.encode(), {"Retry-After": "90"}), False, 90.0, "channel"),
        (Answer(500, SENSITIVE.encode()), False, None, "either"),
        (Answer(429, b"{}", {"Retry-After": "999999"}), False, 3600.0, "channel"),
        (Answer(429, b"{}", {"Retry-After": "Fri, 27 Nov 2026 14:00:00 GMT"}), False, None, "channel"),
        (Answer(404, SENSITIVE.encode()), True, None, "channel"),
        (Answer(422, SENSITIVE.encode()), True, None, "message"),
        (Answer(302, b"{}", {"Location": "https://elsewhere.example/"}), True, None, "channel"),
    ],
)
def test_an_http_status_passes_or_is_final(
    web: WebReceiver, kind: str, answer: Answer, is_final: bool, pause: float | None, concerns: str
) -> None:
    web.answer = answer
    with pytest.raises(ChannelError, match=f"HTTP status {answer.status}") as raised:
        robots(web)[kind].send(OPENED)
    assert (raised.value.is_final, raised.value.retry_after_seconds) == (is_final, pause)
    assert raised.value.concerns == concerns
    assert "330106" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "code", "is_final", "concerns"),
    [
        ("dingtalk", 310000, True, "channel"),
        ("dingtalk", 130101, False, "channel"),
        ("dingtalk", 430104, True, "message"),
        ("dingtalk", -1, False, "either"),
        ("dingtalk", 999, False, "either"),
        ("wecom", 45009, False, "channel"),
        ("wecom", 93000, True, "channel"),
        ("wecom", 45002, True, "message"),
    ],
)
def test_a_robots_code_counts_and_not_its_http_status(
    web: WebReceiver, kind: str, code: int, is_final: bool, concerns: str
) -> None:
    web.answer = Answer.code(code, SENSITIVE)
    with pytest.raises(ChannelError, match=str(code)) as raised:
        robots(web)[kind].send(OPENED)
    assert (raised.value.is_final, raised.value.concerns) == (is_final, concerns)
    assert "330106" not in str(raised.value)
    assert len(web.requests) == 1


@pytest.mark.parametrize("kind", ["dingtalk", "wecom"])
@pytest.mark.parametrize(
    "body", [b"<html>log in first</html>", b'{"status": 1}', b"[]", b'{"errcode": "0"}', b"", b"[" * 60000]
)
def test_an_answer_without_a_code_is_not_taken_for_a_yes(web: WebReceiver, kind: str, body: bytes) -> None:
    web.answer = lambda _: Answer(200, body, {"Content-Type": "text/html"})
    web._answer = lambda handler, received: _write(handler, body)  # type: ignore[method-assign, assignment]
    with pytest.raises(ChannelError, match="without an errcode") as raised:
        robots(web)[kind].send(OPENED)
    # By its certificate the host is the right one: who answers so may have taken it.
    assert raised.value.is_unclear


def _write(handler: object, body: bytes) -> None:
    handler.send_response(200)  # type: ignore[attr-defined]
    handler.send_header("Content-Length", str(len(body)))  # type: ignore[attr-defined]
    handler.end_headers()  # type: ignore[attr-defined]
    handler.wfile.write(body)  # type: ignore[attr-defined]


def test_an_answer_that_is_too_large_is_not_read(web: WebReceiver) -> None:
    web.answer = Answer(200, b'{"errcode": 0, "errmsg": "' + b"x" * LARGEST_ANSWER_BYTES + b'"}')
    with pytest.raises(ChannelError, match="more than 65536 bytes") as raised:
        robots(web)["wecom"].send(OPENED)
    assert raised.value.is_unclear


@pytest.mark.parametrize("kind", ["dingtalk", "wecom"])
@pytest.mark.parametrize("way", ["hangs", "drips"])
def test_a_web_server_that_hangs_or_trickles_is_cut_off(web: WebReceiver, kind: str, way: str) -> None:
    setattr(web, way, True)
    channel = robots(web)[kind]
    begun = time.monotonic()
    with pytest.raises(ChannelError, match="not answered after 2 seconds") as raised:
        channel.send(OPENED)
    assert time.monotonic() - begun < 5
    assert not raised.value.is_final


def test_two_mail_servers_that_are_silent_keep_nothing_of_the_journal_from_a_third_channel(
    mail: MailReceiver, web: WebReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All limits are short here, and their ratio is the usual one.
    monkeypatch.setattr(trying, "PASS_SECONDS", 0.9)
    mail.hangs_at = "CONNECT"
    channels: dict[str, Channel] = {
        "first": by_mail(mail, seconds=0.6),
        "second": by_mail(mail, seconds=0.6),
        "hook": Webhook("hook", Target(web.url())),
    }
    now = dt.datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI)
    posted = [
        Posted(replace(OPENED, message_id=f"{number}.{name}"), name, f"airflow_down:{number}", now, now, now)
        for number in range(4)
        for name in channels
    ]
    book = Journal(posted=posted)
    for minutes in range(2):
        at = now + dt.timedelta(minutes=minutes)
        trying.work_off(book, channels, at, Told(), noted=lambda _, __: None)
    assert [request.data["message_id"] for request in web.requests] == [f"{number}.hook" for number in range(4)]
    assert mail.connections >= 3


def test_https_trusts_a_certificate_that_is_vouched_for_and_no_other(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with web_receiver(certificate) as receiver:
        with pytest.raises(ChannelError, match="certificate is not accepted"):
            Webhook("duty", Target(receiver.url("/hook"))).send(OPENED)
        Webhook("duty", Target(receiver.url("/hook"), certificate[0])).send(OPENED)
        assert len(receiver.taken) == 1


def test_nobody_there_is_passing_and_names_the_place(web: WebReceiver) -> None:
    port = web.port
    web.close()
    channel = Webhook("duty", Target(f"http://127.0.0.1:{port}/hook?token=abc"))
    with pytest.raises(ChannelError, match=f"127.0.0.1:{port} cannot be reached: connection refused") as raised:
        channel.send(OPENED)
    assert not raised.value.is_final
    assert "abc" not in str(raised.value) + repr(channel)


@pytest.mark.parametrize("kind", ["dingtalk", "wecom"])
def test_twenty_messages_a_minute_reach_a_robot_and_the_next_does_not(web: WebReceiver, kind: str) -> None:
    channel = robots(web)[kind]
    for _ in range(20):
        channel.send(OPENED)
    with pytest.raises(ChannelError, match="waits"):
        channel.send(OPENED)
    assert len(web.requests) == 20


def test_no_secret_is_shown_or_logged(web: WebReceiver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for channel in robots(web).values():
            channel.send(OPENED)
            assert not {word for word in ("the-token", "SECof", "the-key", "the-secret") if word in repr(channel)}
    assert "the-" not in caplog.text


def test_mail_of_which_the_verdict_does_not_come_may_have_been_taken(mail: MailReceiver) -> None:
    mail.drops_after_text = True
    with pytest.raises(ChannelError) as raised:
        by_mail(mail).send(OPENED)
    assert raised.value.is_unclear
    assert not raised.value.is_final
    mail.drops_after_text = False
    for stage in ("DATA", "TEXT"):
        mail.answers = {stage: "451 4.3.0 later"}
        with pytest.raises(ChannelError) as raised:
            by_mail(mail).send(OPENED)
        assert not raised.value.is_unclear


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "webhook"])
def test_a_post_of_which_the_verdict_does_not_come_may_have_been_taken(web: WebReceiver, kind: str) -> None:
    web.hangs = True
    with pytest.raises(ChannelError) as raised:
        robots(web)[kind].send(OPENED)
    assert raised.value.is_unclear
    web.hangs, web.answer = False, Answer(status=503)
    with pytest.raises(ChannelError) as raised:
        robots(web)[kind].send(OPENED)
    assert not raised.value.is_unclear


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "webhook"])
def test_a_post_that_is_taken_and_broken_off_may_have_been_taken(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            taken, _ = server.accept()
            with taken, taken.makefile("rb") as reader:
                length = 0
                while (line := reader.readline()) not in {b"\r\n", b""}:
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                reader.read(length)

        threading.Thread(target=take, daemon=True).start()
        target = Target(f"http://127.0.0.1:{server.getsockname()[1]}/hook")
        channels: dict[str, Channel] = {
            "dingtalk": DingTalk("duty", "token", None, target, seconds=5.0),
            "wecom": WeCom("duty", "key", target=target, seconds=5.0),
            "webhook": Webhook("duty", target, seconds=5.0),
        }
        with pytest.raises(ChannelError) as raised:
            channels[kind].send(OPENED)
        assert raised.value.is_unclear
