"""What `threegaps reader` says, and what it refuses before anything is made."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner

from threegaps.access import logins
from threegaps.cli.app import app
from threegaps.errors import SettingsError

MADE: list[tuple[str, str, str | None]] = []


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that only notes what it is asked for."""

    def add(dsn: str, login: str, kind: logins.Kind, *, county_code: str | None = None) -> str:
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


@pytest.mark.parametrize(
    "options",
    [["--county", "330102", "--statistician"], ["--county", "330000"], ["--county", "440304"], ["--county", "x"]],
)
def test_what_is_no_county_is_refused(options: list[str]) -> None:
    done: Any = CliRunner().invoke(app, ["reader", "add", "one", *options])
    assert isinstance(done.exception, SettingsError)
    assert MADE == []
