"""What `threegaps reader` says, and what it refuses before anything is made."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from threegaps.access import logins
from threegaps.access.kinds import Kind
from threegaps.access.restoring import Reader
from threegaps.cli import named, output
from threegaps.cli.app import app
from threegaps.errors import AccessError, SettingsError
from threegaps.settings import DUTY_ENTRY, DUTY_LOGIN, OWN_READER, OWN_READER_ENTRY, Settings

MADE: list[tuple[str, str, str | None]] = []


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that only notes what it is asked for."""

    def add(dsn: str, login: str, kind: Kind, *, county_code: str | None = None) -> str:
        MADE.append((login, kind, county_code))
        return "generated-here"

    MADE.clear()
    monkeypatch.setattr(logins, "add", add)
    monkeypatch.setattr(logins, "renew", lambda dsn, login: "renewed-here")
    monkeypatch.setenv("THREEGAPS_WAREHOUSE_HOST", "postgres.test")
    monkeypatch.setenv("THREEGAPS_READER_ADDRESS", "figures.test:5432")


@pytest.mark.parametrize(
    ("options", "kind", "county"),
    [([], "bi", None), (["--county", "330102"], "county", "330102"), (["--statistician"], "statistician", None)],
)
def test_a_login_is_shown_once_with_its_address_in_both_languages(
    options: list[str], kind: str, county: str | None
) -> None:
    done = CliRunner().invoke(app, ["reader", "add", "one", *options])
    assert (done.exit_code, MADE) == (0, [("one", kind, county)])
    assert done.output.count("generated-here") == 1
    for part in ("figures.test:5432", "one", "warehouse", "password", "口令", county or ""):
        assert part in done.output
    assert all(re.search("[\u4e00-\u9fff]", line) for line in done.output.splitlines())


def test_a_script_is_answered_in_json() -> None:
    done = CliRunner().invoke(app, ["reader", "add", "one", "--county", "330102", "--json"])
    assert json.loads(done.output) == {
        "address": "figures.test:5432",
        "database": "warehouse",
        "login": "one",
        "password": "generated-here",
        "kind": "county",
        "county_code": "330102",
    }
    done = CliRunner().invoke(app, ["reader", "renew", "one", "--json"])
    assert json.loads(done.output)["password"] == "renewed-here"


def test_the_password_of_one_machines_own_reader_is_kept_where_its_page_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path))
    settings = Settings.load()
    settings.remember(postgres_port=1)
    before = settings.secret(OWN_READER_ENTRY)
    CliRunner().invoke(app, ["reader", "renew", "another"])
    assert settings.secret(OWN_READER_ENTRY) == before
    CliRunner().invoke(app, ["reader", "renew", OWN_READER])
    assert settings.secret(OWN_READER_ENTRY) == "renewed-here"


def test_the_duty_pages_login_is_renewed_where_its_password_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path))
    refused = CliRunner().invoke(app, ["reader", "renew", DUTY_LOGIN])
    assert refused.exit_code != 0
    assert "THREEGAPS_DUTY_PASSWORD" in str(refused.exception)
    settings = Settings.load()
    settings.remember(postgres_port=1)
    assert CliRunner().invoke(app, ["reader", "renew", DUTY_LOGIN]).exit_code == 0
    assert settings.secret(DUTY_ENTRY) == settings.duty_password == "renewed-here"


def test_the_installations_own_logins_are_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []
    monkeypatch.setattr(logins, "remove", lambda dsn, login: removed.append(login))
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path))
    # On a server the name of one machine's reader is anybody's.
    for login in (DUTY_LOGIN, OWN_READER, "another"):
        done: Any = CliRunner().invoke(app, ["reader", "remove", login])
        assert isinstance(done.exception, AccessError) == (login == DUTY_LOGIN)
    Settings.load().remember(postgres_port=1)
    for login in (DUTY_LOGIN, OWN_READER):
        done = CliRunner().invoke(app, ["reader", "remove", login])
        assert isinstance(done.exception, AccessError)
    assert removed == [OWN_READER, "another"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ["如所给", "as given"]),
        ({"credential": "other"}, ["口令非本系统所给", "password not the one given"]),
        ({"credential": "unknown"}, ["口令无从核对", "password cannot be compared"]),
        ({"settings": ["statement_timeout=0"]}, ["设置已改2项", "settings changed: 2"]),
        ({"most_connections": -1}, ["会话数不限", "any number of sessions"]),
    ],
)
def test_the_list_says_how_a_login_differs_from_what_it_was_given(
    changed: dict[str, Any], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Reader("tool", "bi", None, 40, 2, ["default_transaction_read_only=on"], "given", None)
    monkeypatch.setattr(logins, "listed", lambda dsn: [dataclasses.replace(given, **changed)])
    monkeypatch.setattr(output.console, "width", 200)
    done = CliRunner().invoke(app, ["reader", "list"])
    assert [part for part in said if part not in done.output] == []
    (row,) = json.loads(CliRunner().invoke(app, ["reader", "list", "--json"]).output)
    assert (row["password"], row["changed_settings"]) == (
        changed.get("credential", "given"),
        2 if "settings" in changed else 0,
    )


@pytest.mark.parametrize(
    "options",
    [["--county", "330102", "--statistician"], ["--county", "330000"], ["--county", "440304"], ["--county", "x"]],
)
def test_what_is_no_county_is_refused(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named, "area", lambda settings, text: None)  # before there is a release
    done: Any = CliRunner().invoke(app, ["reader", "add", "one", *options])
    assert isinstance(done.exception, SettingsError)
    assert MADE == []


def test_an_officers_county_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named, "area", lambda settings, text: {"余杭": "330110", "杭州": "330100"}[text])
    CliRunner().invoke(app, ["reader", "add", "one", "--county", "余杭"])
    assert [made[2] for made in MADE] == ["330110"]
    done: Any = CliRunner().invoke(app, ["reader", "add", "two", "--county", "杭州"])
    assert isinstance(done.exception, SettingsError)
    assert len(MADE) == 1
