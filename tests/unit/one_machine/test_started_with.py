"""Services keep the connections that they were started with: a shell that has others is told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from threegaps import translations
from threegaps.cli import doctor
from threegaps.cli.app import app
from threegaps.cli.doctor_connections import examine_connections
from threegaps.home import account
from threegaps.one_machine import environment, keeper
from threegaps.one_machine.started_with import changed_connections
from threegaps.one_machine.supervisor import Supervisor
from threegaps.settings import Settings
from threegaps.sources import probing

STARTED_WITH = {"AIRFLOW_CONN_HRSS_SFTP": "sftp://us:secret@one:22", "AIRFLOW_CONN_HRSS_GATEWAY": "http://a:b@c"}
TURNED = {**STARTED_WITH, "AIRFLOW_CONN_HRSS_SFTP": "sftp://us:secret@two:22"}

Shell = Callable[..., Settings]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """The settings of a shell that has other variables; the services of its home run, and were started with others."""
    for name in [name for name in os.environ if name.startswith(("THREEGAPS_", "AIRFLOW_"))]:
        if name != "THREEGAPS_ROOT":
            monkeypatch.delenv(name)
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path))
    monkeypatch.setenv("THREEGAPS_SANDBOX", "0")
    monkeypatch.setattr(environment, "apply", lambda _: None)
    monkeypatch.setattr(probing, "probe_all", lambda *_, **__: [])

    def with_variables(**variables: str) -> Settings:
        for name in STARTED_WITH:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Settings.load()

    settings = with_variables(**STARTED_WITH)
    settings.remember(postgres_port=1, airflow_port=2, sandbox_http_port=3, sandbox_sftp_port=4)
    settings.logs_folder.mkdir()
    lock = account.try_lock(settings)
    assert lock is not None
    supervisor = Supervisor(settings)
    supervisor.state = "running"
    supervisor._start_airflow(["/bin/true"], ("scheduler",))
    yield with_variables
    os.close(lock)


def test_the_account_holds_no_value_of_a_connection(shell: Shell) -> None:
    settings = shell()
    written = account.status_path(settings).read_text(encoding="utf-8")
    assert set(STARTED_WITH) < set(json.loads(written)["connections"])
    assert not [value for value in STARTED_WITH.values() if value in written]
    assert "us:secret" not in written


@pytest.mark.parametrize(
    ("variables", "changed"),
    [
        (STARTED_WITH, ()),
        (TURNED, ("AIRFLOW_CONN_HRSS_SFTP",)),
        ({}, ("AIRFLOW_CONN_HRSS_GATEWAY", "AIRFLOW_CONN_HRSS_SFTP")),
        ({**STARTED_WITH, "AIRFLOW_CONN_TAX_SFTP": "sftp://tax"}, ("AIRFLOW_CONN_TAX_SFTP",)),
    ],
)
def test_what_differs_is_named(shell: Shell, variables: dict[str, str], changed: tuple[str, ...]) -> None:
    assert changed_connections(shell(**variables)) == changed


def test_of_an_account_without_fingerprints_nothing_is_said(shell: Shell) -> None:
    settings = shell(**TURNED)
    said = account.read_status(settings)
    del said["connections"]
    account.status_path(settings).write_text(json.dumps(said), encoding="utf-8")
    assert changed_connections(settings) == ()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_up_says_that_running_services_keep_theirs(
    shell: Shell, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell(**TURNED)
    monkeypatch.setattr(keeper, "wait_until_running", lambda *_: None)
    monkeypatch.setattr(translations, "_in_use", ["both"])
    monkeypatch.setenv(translations.VARIABLE, language)
    found = CliRunner().invoke(app, ["up"])
    assert found.exit_code == 1
    assert "AIRFLOW_CONN_HRSS_SFTP" in found.stderr
    assert "`threegaps down`" in found.stderr
    assert "HRSS_GATEWAY" not in found.stderr
    assert ("服务启动时" in found.stderr, "were started" in found.stderr) == (language == "zh", language == "en")
    assert "secret" not in found.output
    found = CliRunner().invoke(app, ["up", "--json"])
    assert (found.exit_code, json.loads(found.stdout)["changed_connections"]) == (1, ["AIRFLOW_CONN_HRSS_SFTP"])
    shell(**STARTED_WITH)
    assert CliRunner().invoke(app, ["up"]).exit_code == 0


def test_the_doctor_says_that_it_tries_others_than_the_services_have(shell: Shell) -> None:
    told = {found["name"]: doctor.in_both_languages(found) for found in examine_connections(shell(**TURNED))}
    found = told["connections of the services"]
    assert (found["state"], found["variables"]) == ("warning", ["AIRFLOW_CONN_HRSS_SFTP"])
    for said, advice in (("message", "advice"), ("message_zh", "advice_zh")):
        assert "AIRFLOW_CONN_HRSS_SFTP" in found[said]
        assert "`threegaps down`" in found[advice]
    assert found["message"] != found["message_zh"]
    assert set(told) == {"connections of the services", "connections"}
    assert [found["name"] for found in examine_connections(shell(**STARTED_WITH))] == ["connections"]
