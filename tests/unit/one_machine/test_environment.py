"""The environment of the services: complete, overridable, and no secret outside its file."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest

from threegaps.contracts.departments import department_connections
from threegaps.contracts.loader import load_contracts
from threegaps.one_machine import environment
from threegaps.one_machine.ports import choose_ports
from threegaps.settings import DUTY_LOGIN, Settings


def settings_of(home: Path, **variables: str) -> Settings:
    return Settings.load({"THREEGAPS_HOME": str(home), "PATH": "/usr/bin", **variables})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    one = settings_of(tmp_path)
    choose_ports(one)
    return one


def test_ports_are_free_distinct_and_remembered(settings: Settings) -> None:
    chosen = {name: port for name, port in settings.state().items() if name.endswith("_port")}
    assert len(chosen) == 5
    assert len(set(chosen.values())) == 5
    assert choose_ports(settings) == chosen


def test_a_taken_port_is_left_for_another(settings: Settings) -> None:
    taken = settings.state()["airflow_port"]
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", taken))
        occupant.listen()
        assert choose_ports(settings)["airflow_port"] != taken


def test_a_port_that_is_asked_for_is_taken(tmp_path: Path) -> None:
    one = settings_of(tmp_path, THREEGAPS_AIRFLOW_PORT="18999")
    assert choose_ports(one)["airflow_port"] == 18999


def test_what_the_caller_sets_stands(tmp_path: Path, settings: Settings) -> None:
    given = settings_of(tmp_path, AIRFLOW_CONN_WAREHOUSE="postgres://elsewhere", AIRFLOW__CORE__PARALLELISM="3")
    made = environment.service_environment(given)
    assert made["AIRFLOW_CONN_WAREHOUSE"] == "postgres://elsewhere"
    assert made["AIRFLOW__CORE__PARALLELISM"] == "3"


def test_every_connection_of_the_contracts_is_there(settings: Settings) -> None:
    made = environment.service_environment(settings)
    kinds = {"http": "http", "database": "postgres", "sftp": "sftp", "file_drop": "fs"}
    used = department_connections(load_contracts(settings.contracts_folder))
    assert used
    for one in used:
        assert json.loads(made[f"AIRFLOW_CONN_{one.connection_id.upper()}"])["conn_type"] == kinds[one.protocol]
    given = {name for name in made if name.startswith("AIRFLOW_CONN_")}
    assert given == {f"AIRFLOW_CONN_{name.upper()}" for name in ("warehouse", *(one.connection_id for one in used))}


def test_airflows_server_faces_people_and_has_its_own_login_alone(tmp_path: Path, settings: Settings) -> None:
    all_of_it, made = environment.service_environment(settings), environment.page_environment(settings)
    secret = json.loads((settings.home / "secrets.json").read_text(encoding="utf-8"))
    for entry in ("postgres_pipeline", "pseudonym_key", "postgres_department_reader"):
        assert secret[entry] in str(all_of_it)
        assert secret[entry] not in str(made)
    assert not [name for name in made if name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_"))]
    seen = Settings.load(made)
    assert seen.duty_dsn() == settings.duty_dsn()
    assert DUTY_LOGIN in seen.duty_dsn()
    assert seen.warehouse()["password"] == ""
    assert {name for name in all_of_it if name.startswith("AIRFLOW__")} <= set(made)


def test_each_department_with_a_database_has_one_of_its_own(settings: Settings) -> None:
    used = department_connections(load_contracts(settings.contracts_folder))
    made = environment.service_environment(settings)
    for one in used:
        if one.protocol == "database":
            parts = json.loads(made[f"AIRFLOW_CONN_{one.connection_id.upper()}"])
            assert parts["schema"] == f"department_{one.department}"
            assert environment.databases(settings)[parts["schema"]] == "department"


def test_without_the_sandbox_the_departments_are_the_deployments_own(tmp_path: Path) -> None:
    one = settings_of(tmp_path, THREEGAPS_SANDBOX="0")
    choose_ports(one)
    made = environment.service_environment(one)
    assert "AIRFLOW_CONN_HRSS_SFTP" not in made
    assert "THREEGAPS_SANDBOX_LAST_DAY" not in made


def test_the_same_secrets_at_every_start(settings: Settings) -> None:
    assert environment.service_environment(settings) == environment.service_environment(settings)


def test_secrets_lie_in_files_for_their_owner_only(settings: Settings) -> None:
    path = environment.write_login_file(settings)
    for file in (path, settings.home / "secrets.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    state = (settings.home / "state.json").read_text(encoding="utf-8")
    secrets = json.loads((settings.home / "secrets.json").read_text(encoding="utf-8"))
    assert secrets
    assert not any(value in state for value in secrets.values())


def test_loopback_is_never_asked_through_a_proxy(tmp_path: Path) -> None:
    one = settings_of(tmp_path, NO_PROXY="example.org")
    choose_ports(one)
    assert environment.service_environment(one)["NO_PROXY"] == "example.org,127.0.0.1,localhost"


def test_a_server_whose_deployment_set_everything_is_left_as_it_is(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, str] = {}
    monkeypatch.setattr(environment.os, "environ", seen)
    environment.apply(settings_of(tmp_path / "server", THREEGAPS_WAREHOUSE_HOST="postgres"))
    assert seen == {}
    assert not (tmp_path / "server").exists()
    environment.apply(settings)
    assert seen["THREEGAPS_WAREHOUSE_HOST"] == "127.0.0.1"
