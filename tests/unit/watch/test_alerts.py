"""alerts.yaml: what it may say, what is refused by name, and that no secret is ever written down in it."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threegaps.errors import SettingsError
from threegaps.labels import INCIDENT_KINDS
from threegaps.settings import Settings
from threegaps.watch.alerts import CHANNEL_OPTIONS, Alerts, load_alerts, parse_alerts, unset_variables
from threegaps.watch.channels.dingtalk import DingTalk
from threegaps.watch.channels.mail import Mail
from threegaps.watch.channels.making import Unusable, make_channels
from threegaps.watch.channels.webhook import Webhook
from threegaps.watch.channels.wecom import WeCom
from threegaps.watch.hours import Span
from threegaps.watch.message import ChannelError, Message

KINDS = ["feed_late", "feed_stopped", "airflow_down"]
WHOLE = """
version: 1
channels:
  duty_mail:
    kind: mail
    host: smtp.example.gov.cn
    port: 465
    security: tls
    user: threegaps@example.gov.cn
    password_variable: THREEGAPS_MAIL_PASSWORD
    sender: threegaps@example.gov.cn
    recipients: [duty@example.gov.cn, second@example.gov.cn]
  duty_group:
    kind: dingtalk
    token_variable: THREEGAPS_DINGTALK_TOKEN
    secret_variable: THREEGAPS_DINGTALK_SECRET
  other_group: {kind: wecom, key_variable: THREEGAPS_WECOM_KEY, form: text}
  tickets: {kind: webhook, url: "https://tickets.example.gov.cn/hook", secret_variable: THREEGAPS_TICKETS_SECRET}
routes:
  - channels: [duty_mail, tickets]
  - {channels: [duty_group], from_gravity: critical, hours: outside}
  - {channels: [other_group], departments: [hrss, tax], kinds: [feed_late, feed_stopped]}
working_hours: {from: 08:30, to: 18:00}
quiet_hours: {from: 22:00, to: 07:00}
digest: {at: 07:00, channels: [duty_mail]}
burst: 8
give_up_after_hours: 48
"""


def changed(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new)


def test_all_that_it_may_say_is_read() -> None:
    alerts = parse_alerts(WHOLE, KINDS)
    assert [channel.name for channel in alerts.channels] == ["duty_mail", "duty_group", "other_group", "tickets"]
    assert alerts.channel("duty_mail").options["recipients"] == ("duty@example.gov.cn", "second@example.gov.cn")
    assert alerts.channel("duty_mail").options["port"] == 465
    assert alerts.routes[1].hours == "outside"
    assert alerts.routes[2].kinds == ("feed_late", "feed_stopped")
    # 18:00 is a time of day, and not the number that YAML's first version makes of it.
    assert alerts.working_hours.span == Span(dt.time(8, 30), dt.time(18))
    assert alerts.quiet == Span(dt.time(22), dt.time(7))
    assert alerts.digest is not None
    assert alerts.digest.at == dt.time(7)
    assert (alerts.burst, alerts.give_up_after) == (8, dt.timedelta(hours=48))


def test_the_least_that_it_may_say() -> None:
    alerts = parse_alerts(
        "{version: 1, channels: {m: {kind: webhook, url: 'https://a.cn/'}}, routes: [{channels: m}]}", KINDS
    )
    assert alerts.routes[0].channels == ("m",)
    assert alerts.digest is None
    assert alerts.quiet == "outside_working_hours"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (changed("version: 1", "version: 2"), "version is not 1"),
        (changed("burst: 8", "bursts: 8"), "unknown key 'bursts'"),
        (changed("burst: 8", "burst: many"), "burst is no whole number from 1 to 100"),
        (changed("burst: 8", "burst: 0"), "burst is no whole number"),
        (changed("burst: 8", "burst: 8\nburst: 9"), "'burst' stands there twice"),
        (changed("kind: mail", "kind: fax"), "unknown one; known are mail, webhook, dingtalk, wecom"),
        (changed("port: 465", "port: 70000"), "channels.duty_mail.port is no whole number"),
        (changed("security: tls", "security: none"), "for a server on this machine only"),
        (changed("security: tls", "security: ssl"), "none of tls, starttls, none"),
        (changed("duty@example.gov.cn, second", "not an address, second"), "no address of mail"),
        (changed("recipients: [duty@example.gov.cn, second@example.gov.cn]", "recipients: []"), "recipients is empty"),
        (changed("    user: threegaps@example.gov.cn\n", ""), "only one of user and password_variable"),
        (changed("    host: smtp.example.gov.cn\n", ""), "channels.duty_mail lacks host"),
        (changed("https://tickets", "http://tickets"), "not encrypted"),
        (changed("{channels: [duty_group]", "{channels: [dutygroup]"), "names 'dutygroup', which is no channel"),
        (changed("kinds: [feed_late, feed_stopped]", "kinds: [feed_lost]"), "'feed_lost', which is none of feed_late"),
        (changed("from_gravity: critical", "from_gravity: bad"), "none of warning, critical"),
        (changed("hours: outside", "hours: night"), "none of always, working, outside"),
        (changed("from: 08:30, to: 18:00", "from: 8:30, to: 18:00"), "working_hours.from is no time of day"),
        (changed("from: 08:30, to: 18:00", "from: 18:00, to: 08:30"), "working_hours goes over midnight"),
        (changed("  - channels: [duty_mail, tickets]", "  - channels: [duty_mail]"), "channels.tickets is in no route"),
        ("version: [", "not valid YAML at line 1"),
        ("", "is no mapping"),
        ("- 1", "is no mapping"),
        ("{version: 1, channels: {}, routes: []}", "names no channel"),
        ("[" * 5000, "not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_by_its_name(written: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"alerts\.yaml") as raised:
        parse_alerts(written, KINDS)
    assert said in raised.value.message


SECRET = "SEC3f9a77d10b2c4e5f8a6b7c8d9e0f1a2b3c4d5e6f"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("secret_variable: THREEGAPS_DINGTALK_SECRET", f"secret: {SECRET}"),
        ("secret_variable: THREEGAPS_DINGTALK_SECRET", f"secret_variable: {SECRET}"),
        ("secret_variable: THREEGAPS_DINGTALK_SECRET", f"secret_variable: {SECRET.upper()}"),
        ("key_variable: THREEGAPS_WECOM_KEY", f"key: {SECRET}"),
        ("key_variable: THREEGAPS_WECOM_KEY", "key_variable: 693a1b2c-7aoc-4bc4-97a0-0ec2"),
        ("password_variable: THREEGAPS_MAIL_PASSWORD", f"password: {SECRET}"),
        ("https://tickets.example.gov.cn/hook", f"https://tickets.example.gov.cn/hook?access_token={SECRET}"),
        ("https://tickets.example.gov.cn/hook", f"https://tickets.example.gov.cn/hook?team=1&Key={SECRET}"),
        ("https://tickets.example.gov.cn/hook", f"https://user:{SECRET}@tickets.example.gov.cn/hook"),
    ],
)
def test_a_secret_that_is_written_down_is_refused_and_not_repeated(old: str, new: str) -> None:
    with pytest.raises(SettingsError, match=r"never written here|names a user or a password") as raised:
        parse_alerts(changed(old, new), KINDS)
    assert SECRET.lower()[3:20] not in str(raised.value).lower()
    assert "693a1b2c" not in str(raised.value)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_the_file_says_is_read_or_refused_in_our_words(written: str) -> None:
    assert refusal(written).startswith("alerts.yaml")


def refusal(written: str) -> str:
    """What is said of a file; as if it were refused where it is not."""
    try:
        parse_alerts(written, KINDS)
    except SettingsError as error:
        return error.message
    return "alerts.yaml is read"


KEYS = [
    *("version", "channels", "routes", "kind", "url", "host", "sender", "recipients", "hours", "digest"),
    *("at", "from", "to", "token_variable"),
]
TREES = st.recursive(
    st.sampled_from(["mail", "1", "https://a.cn/", "07:00", "", "no", "duty", "A_B"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(tree=TREES, options=TREES)
def test_whatever_shape_it_has_is_read_or_refused_in_our_words(tree: object, options: object) -> None:
    for document in (tree, {"version": "1", "channels": {"duty": options}, "routes": tree}):
        assert refusal(json.dumps(document)).startswith("alerts.yaml")


def test_without_a_file_nobody_is_told_and_what_is_no_text_is_said(tmp_path: Path) -> None:
    assert load_alerts(tmp_path / "alerts.yaml", KINDS) == Alerts(is_absent=True)
    (tmp_path / "alerts.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_alerts(tmp_path / "alerts.yaml", KINDS)
    (tmp_path / "alerts.yaml").write_text("#" * 300_000, encoding="utf-8")
    with pytest.raises(SettingsError, match="more than"):
        load_alerts(tmp_path / "alerts.yaml", KINDS)
    (tmp_path / "alerts.yaml").write_text(WHOLE, encoding="utf-8")
    assert load_alerts(tmp_path / "alerts.yaml", KINDS) == parse_alerts(WHOLE, KINDS)


def test_channels_are_made_with_secrets_from_the_environment_and_show_none() -> None:
    alerts = parse_alerts(WHOLE, KINDS)
    environment = {
        "THREEGAPS_MAIL_PASSWORD": "a-password",
        "THREEGAPS_DINGTALK_TOKEN": "a-token",
        "THREEGAPS_DINGTALK_SECRET": "a-secret",
        "THREEGAPS_WECOM_KEY": "a-key",
        "THREEGAPS_TICKETS_SECRET": "another-secret",
    }
    made = make_channels(alerts, environment)
    assert [type(channel) for channel in made.values()] == [Mail, DingTalk, WeCom, Webhook]
    assert isinstance(made["duty_mail"], Mail)
    assert (made["duty_mail"].password, made["duty_mail"].port) == ("a-password", 465)
    assert isinstance(made["other_group"], WeCom)
    assert (made["other_group"].key, made["other_group"].form) == ("a-key", "text")
    assert not [channel for channel in made.values() for secret in environment.values() if secret in repr(channel)]


def test_a_channel_whose_secret_is_missing_says_so_and_does_not_send() -> None:
    alerts = parse_alerts(WHOLE, KINDS)
    assert unset_variables(alerts, {"THREEGAPS_WECOM_KEY": "x", "THREEGAPS_TICKETS_SECRET": "x"}) == {
        "duty_mail": ["THREEGAPS_MAIL_PASSWORD"],
        "duty_group": ["THREEGAPS_DINGTALK_TOKEN", "THREEGAPS_DINGTALK_SECRET"],
    }
    channel = make_channels(alerts, {})["duty_mail"]
    assert isinstance(channel, Unusable)
    with pytest.raises(ChannelError, match="THREEGAPS_MAIL_PASSWORD is not set") as raised:
        channel.send(Message("a@threegaps", None, "test", "notice", "s", "t"))
    assert not raised.value.is_final


def test_the_example_of_the_documents_is_right_and_shows_every_key() -> None:
    path = Settings.load().root / "docs" / "alerts.example.yaml"
    alerts = load_alerts(path, list(INCIDENT_KINDS))
    assert {channel.kind for channel in alerts.channels} == set(CHANNEL_OPTIONS)
    text = path.read_text(encoding="utf-8")
    for keys in CHANNEL_OPTIONS.values():
        # An address that is itself a secret, and a port of one's own, are the exception.
        assert {key for key in keys if f"{key}:" not in text} <= {"url_variable", "port"}
    assert set(alerts_keys()) <= set(re.findall(r"^(\w+):", text, re.MULTILINE))


def alerts_keys() -> list[str]:
    """What may stand at the top, as the refusal of an unknown key says it."""
    with pytest.raises(SettingsError) as raised:
        parse_alerts("{unknown: 1}", KINDS)
    known = re.search(r"unknown key 'unknown'; known are ([a-z_, ]+)", raised.value.message)
    assert known is not None
    return known[1].split(", ")


@pytest.mark.parametrize("host", ["a" * 64 + ".gov.cn", "smtp..gov.cn", ".", "-smtp.gov.cn"])
def test_a_host_that_no_name_server_takes_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match=r"channels\.duty_mail\.host is no host"):
        parse_alerts(WHOLE.replace("smtp.example.gov.cn", host), KINDS)
    with pytest.raises(SettingsError, match=r"channels\.tickets\.url cannot be posted to: it is no address"):
        parse_alerts(WHOLE.replace("tickets.example.gov.cn", host), KINDS)


def test_a_host_that_cannot_be_looked_up_is_refused_in_our_words() -> None:
    mail = Mail("duty", f"{'a' * 64}.gov.cn", 25, "starttls", "a@example.cn", ("b@example.cn",), seconds=1)
    with pytest.raises(ChannelError, match="host") as raised:
        mail.send(Message("a@threegaps", None, "test", "notice", "s", "t"))
    assert raised.value.is_final


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_alerts(path, tuple(INCIDENT_KINDS))
