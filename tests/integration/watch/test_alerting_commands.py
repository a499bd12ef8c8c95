"""`threegaps watch check` and `threegaps watch test-message`, against servers on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
import typer

from tests.receivers import Answer, MailReceiver, WebReceiver
from threegaps.cli.alerting import check, send_test_message, untold
from threegaps.errors import SettingsError
from threegaps.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
def alerts(tmp_path: Path, mail: MailReceiver, web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "alerts.yaml"
    path.write_text(
        f"""
version: 1
channels:
  duty_mail:
    kind: mail
    host: 127.0.0.1
    port: {mail.port}
    security: none
    sender: threegaps@example.gov.cn
    recipients: [duty@example.gov.cn]
  group: {{kind: dingtalk, token_variable: GROUP_TOKEN, url: "{web.url("/robot/send")}"}}
routes:
  - channels: [duty_mail, group]
""",
        encoding="utf-8",
    )
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path))
    monkeypatch.setenv("GROUP_TOKEN", "the-token")
    monkeypatch.delenv("THREEGAPS_ALERTS", raising=False)
    monkeypatch.delenv("THREEGAPS_SANDBOX", raising=False)
    return path


@pytest.mark.usefixtures("alerts")
def test_a_test_message_goes_through_all_channels_and_says_that_it_is_one(
    mail: MailReceiver, web: WebReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    send_test_message(json_=True)
    assert {row["channel"]: row["answer"] for row in json.loads(capsys.readouterr().out)} == {
        "duty_mail": "taken",
        "group": "taken",
    }
    (message,) = mail.messages
    assert message["Subject"].startswith("[合成数据 synthetic] [测试 test]")
    assert "there is nothing to do" in message.get_content()
    assert len(web.taken) == 1


@pytest.mark.usefixtures("alerts")
def test_it_goes_through_one_channel_alone(mail: MailReceiver, web: WebReceiver) -> None:
    send_test_message(channel="duty_mail")
    assert (len(mail.messages), len(web.requests)) == (1, 0)
    with pytest.raises(SettingsError, match="no channel 'other'"):
        send_test_message(channel="other")


@pytest.mark.usefixtures("alerts")
def test_a_refusal_is_shown_and_the_others_are_tried_all_the_same(
    mail: MailReceiver, web: WebReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    web.answer = Answer.code(310000)
    mail.answers["RCPT"] = "550 no such user"
    with pytest.raises(typer.Exit):
        send_test_message(json_=True)
    said = capsys.readouterr().out
    assert "errcode 310000" in said
    assert "code 550" in said
    assert "the-token" not in said


def test_check_says_what_is_wrong_and_sends_nothing(
    alerts: Path,
    mail: MailReceiver,
    web: WebReceiver,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check()
    assert "duty_mail" in capsys.readouterr().out
    monkeypatch.delenv("GROUP_TOKEN")
    with pytest.raises(typer.Exit):
        check(json_=True)
    assert [channel["lacks"] for channel in json.loads(capsys.readouterr().out)["channels"]] == ["", "GROUP_TOKEN"]
    alerts.write_text(alerts.read_text(encoding="utf-8") + "burts: 3\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="unknown key 'burts'"):
        check()
    alerts.unlink()
    with pytest.raises(typer.Exit):
        check()
    assert "nobody is told anything" in capsys.readouterr().out
    assert (mail.connections, web.requests) == (0, [])


def test_without_a_file_there_is_nothing_to_send_through(alerts: Path) -> None:
    alerts.unlink()
    with pytest.raises(SettingsError, match=r"no alerts\.yaml"):
        send_test_message()


def test_status_says_which_channel_refuses_until_it_takes_something(alerts: Path, warehouse: str) -> None:
    settings = Settings.load()
    with psycopg.connect(warehouse, autocommit=True) as ledger:
        assert untold(settings, ledger) == []
        ledger.execute(
            "insert into ops.outbox (change, channel, message_id, gravity, subject, body, tries, last_error,"
            " given_up_at) values ('digest', 'group', 'a@threegaps', 'notice', 's', 'b', 1,"
            " 'refused with errcode 310000.', now())"
        )
        assert untold(settings, ledger) == ["channel group refuses messages: refused with errcode 310000."]
        ledger.execute(
            "insert into ops.outbox (change, channel, message_id, gravity, subject, body, tries, sent_at, sent_as)"
            " values ('digest', 'group', 'b@threegaps', 'notice', 's', 'b', 1, now(), 'b@threegaps')"
        )
        assert untold(settings, ledger) == []
        alerts.write_text("version: 2", encoding="utf-8")
        assert "version is not 1" in untold(settings, ledger)[0]
