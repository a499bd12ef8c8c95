"""docker-compose.yml, Dockerfile and .env.example, held against the project so that they cannot drift from it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from threegaps.contracts.departments import DepartmentConnection, department_connections, departments_with_database
from threegaps.contracts.loader import load_contracts
from threegaps.settings import AIRFLOW_DATABASE, DUTY_LOGIN, WAREHOUSE_DATABASE, Settings, department_database, to_dsn
from threegaps.watch.heartbeat import watch_folder

ROOT = Settings.load().root
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("threegaps:")}
CONNECTIONS = department_connections(load_contracts(ROOT / "expectations"))
RUN_ONCE = {"init", "sandbox-data"}
DIGEST = r"sha256:[0-9a-f]{64}"

# Who may know what: a secret that a service does not need is not given to it.
AIRFLOWS_DATABASE = {"init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"}
KNOWN_TO: dict[str, set[str]] = {
    "POSTGRES_PASSWORD": {"postgres"},
    "WAREHOUSE_PASSWORD": {"postgres", "init", "worker", "watch"},
    "DUTY_PASSWORD": {"init", "api-server"},
    "AIRFLOW_DATABASE_PASSWORD": {"postgres", *AIRFLOWS_DATABASE},
    "AIRFLOW_FERNET_KEY": AIRFLOWS_DATABASE,
    "AIRFLOW_API_SECRET": {"init", "api-server", "triggerer", "worker"},
    "AIRFLOW_JWT_SECRET": {"api-server", "scheduler"},
    "REDIS_PASSWORD": {"redis", "scheduler", "worker"},
    "ADMIN_PASSWORD": {"init", "worker"},
    "PSEUDONYM_KEY": {"worker"},
    "SANDBOX_APPLICATION_SECRET": {"worker"},
    "DEPARTMENT_PASSWORD": {"department-database", "sandbox-data"},
    "DEPARTMENT_READER_PASSWORD": {"department-database", "worker"},
    # The public key of the sandbox's SFTP server is no secret.
    "SANDBOX_HOST_KEY": {"worker"},
}


def strings_of(node: Any) -> Iterator[str]:
    """Every string below *node*."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from strings_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings_of(value)


def interpolated(text: str) -> set[str]:
    """Names that Compose replaces in *text*; ``$$`` is a dollar for the container."""
    return set(re.findall(r"\$\{(\w+)", text.replace("$$", "")))


def filled(text: str) -> str:
    """*text* as Compose would hand it on, with a stand-in for what the example leaves empty."""
    given = text
    while interpolated(given):
        given = re.sub(r"(?<!\$)\$\{(\w+)[^}]*\}", lambda match: EXAMPLE[match.group(1)] or "generated", given)
    return given.replace("$$", "$")


def environment_of(service: str) -> dict[str, str]:
    return {name: filled(str(value)) for name, value in SERVICES[service].get("environment", {}).items()}


def commands_of(service: str) -> Iterator[list[str]]:
    """Each command that the service runs, as a list of words: what it starts with and its health check."""
    definition = SERVICES[service]
    check = definition.get("healthcheck", {}).get("test", [])
    for words in (definition.get("command", []), check[1:] if check[:1] == ["CMD"] else []):
        if len(words) == 3 and words[0] in {"sh", "bash"}:
            lines = (shlex.split(filled(line), comments=True) for line in words[2].splitlines())
            yield from (line for line in lines if line)
        elif words:
            yield [filled(word) for word in words]
    if check[:1] == ["CMD-SHELL"]:
        yield shlex.split(filled(check[1]))


def all_commands() -> list[tuple[str, list[str]]]:
    return [(service, words) for service in SERVICES for words in commands_of(service)]


def mounts_of(service: str) -> dict[str, str]:
    """Target of each mount of the service, with its source."""
    parts = [filled(mount).split(":") for mount in SERVICES[service].get("volumes", [])]
    return {part[1]: part[0] for part in parts}


# ---- what differs between places -------------------------------------------------------------------------------


def test_each_variable_stands_in_the_example_and_each_example_is_used() -> None:
    used = set().union(*(interpolated(text) for text in (*strings_of(COMPOSE), *EXAMPLE.values())))
    assert used == set(EXAMPLE)


def test_each_variable_is_required() -> None:
    """A variable that is missing stops the start; it never becomes an empty password."""
    lax = [text for text in strings_of(COMPOSE) if re.search(r"(?<!\$)\$\{\w+(?!:?\?)[^}\w]*\}", text)]
    assert not lax


def test_the_example_holds_no_secret() -> None:
    secret = {name for name in EXAMPLE if re.search(r"PASSWORD|SECRET|_KEY$", name)}
    assert {"POSTGRES_PASSWORD", "PSEUDONYM_KEY", "AIRFLOW_FERNET_KEY"} <= secret
    assert {name: EXAMPLE[name] for name in secret} == dict.fromkeys(secret, "")
    plain = [re.sub(r"\$\{\w+\}", "", value) for value in EXAMPLE.values()]
    assert not [value for value in plain if re.search(r"://[^:@/]*:[^@/]+@", value)]


def test_secrets_stay_out_of_git_and_image() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "secrets/"} <= set(ignored)
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"


def test_no_secret_is_part_of_the_image() -> None:
    assert not re.findall(r"^\s*(?:ARG|ENV).*(?:PASSWORD|SECRET|_KEY)\b", DOCKERFILE, re.MULTILINE)


# ---- settings -------------------------------------------------------------------------------------------------


def test_each_airflow_option_is_one_of_airflows() -> None:
    from airflow.configuration import conf

    known = {
        f"AIRFLOW__{section.upper()}__{option.upper()}"
        for section, description in conf.configuration_description.items()
        for option in description["options"]
    }
    set_here = {name for service in OURS for name in environment_of(service) if name.startswith("AIRFLOW__")}
    assert set_here
    assert not set_here - known


def test_the_classes_that_airflow_is_told_of_exist() -> None:
    from importlib import import_module

    from airflow.executors.executor_loader import ExecutorLoader

    environment = environment_of("scheduler")
    assert environment["AIRFLOW__CORE__EXECUTOR"] in ExecutorLoader.executors
    module, name = environment["AIRFLOW__CORE__AUTH_MANAGER"].rsplit(".", 1)
    assert hasattr(import_module(module), name)


def test_each_setting_of_ours_is_read_by_the_project() -> None:
    sources = [
        *(ROOT / "plugins").rglob("*.py"),
        ROOT / "dbt_project" / "profiles.yml",
        *(ROOT / "sandbox").rglob("*.py"),
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    ours = {name for service in OURS for name in environment_of(service) if name.startswith("THREEGAPS_")}
    ours |= set(re.findall(r"\b(THREEGAPS_\w+)=", DOCKERFILE))
    assert ours
    assert {name for name in ours if name not in text} == set()


def test_dbt_finds_all_that_its_profile_asks_for() -> None:
    profile = (ROOT / "dbt_project" / "profiles.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"env_var\(\s*['\"](\w+)['\"]", profile))
    assert asked
    assert asked <= set(environment_of("worker"))


def test_there_is_a_connection_for_each_contract() -> None:
    needed = {one.connection_id for one in CONNECTIONS} | {"warehouse"}
    prefix = "AIRFLOW_CONN_"
    given = {name.removeprefix(prefix).lower() for name in environment_of("worker") if name.startswith(prefix)}
    assert given == needed


@pytest.mark.parametrize("connection", [one for one in CONNECTIONS if one.protocol == "database"], ids=str)
def test_each_departments_database_is_filled_and_read(connection: DepartmentConnection) -> None:
    database = department_database(connection.department)
    loads = [words for words in commands_of("sandbox-data") if "load-database" in words]
    (own,) = [words for words in loads if connection.department in words]
    assert own[-1].endswith(f"dbname={database}")
    assert environment_of("worker")[f"AIRFLOW_CONN_{connection.connection_id.upper()}"].endswith(f"/{database}")


def test_the_pseudonym_key_reaches_the_judge_under_its_name() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "plugins" / "threegaps").rglob("*.py"))
    names = {name for name in environment_of("worker") if name.startswith("AIRFLOW_VAR_")}
    assert len(names) == 2
    assert {
        name for name in names if name not in text and name.removeprefix("AIRFLOW_VAR_").lower() not in text
    } == set()


def test_connections_parse_and_lead_to_services() -> None:
    from airflow.models.connection import Connection

    environment = environment_of("worker")
    warehouse = Connection(conn_id="warehouse", uri=environment["AIRFLOW_CONN_WAREHOUSE"])
    assert (warehouse.conn_type, warehouse.login, warehouse.schema) == ("postgres", "pipeline", WAREHOUSE_DATABASE)
    assert warehouse.host in SERVICES
    assert environment["THREEGAPS_WAREHOUSE_HOST"] in SERVICES
    for name in ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CELERY__RESULT_BACKEND"):
        assert re.search(rf"@(\w+):5432/{AIRFLOW_DATABASE}$", environment[name])
    found = {name: re.search(r"://(?:[^@/]*@)?([a-z-]+):\d+(?!\d)", value) for name, value in environment.items()}
    hosts = {name: host.group(1) for name, host in found.items() if host}
    assert len(hosts) >= 5
    assert {name: host for name, host in hosts.items() if host not in SERVICES} == {}


def test_the_file_drops_lie_in_the_volume() -> None:
    from airflow.models.connection import Connection

    environment = environment_of("worker")
    drops = [name for name in environment if name.endswith("_FILE_DROP")]
    assert drops
    assert {f"AIRFLOW_CONN_{one.connection_id.upper()}" for one in CONNECTIONS if one.protocol == "file_drop"} <= set(
        drops
    )
    for name in drops:
        folder = Path(Connection.from_json(environment[name]).extra_dejson["path"])
        assert str(folder) in mounts_of("worker")


# ---- commands -------------------------------------------------------------------------------------------------


def airflow_commands() -> list[list[str]]:
    return [words for _, words in all_commands() if words[0] == "airflow"]


@pytest.mark.parametrize("words", airflow_commands(), ids=" ".join)
def test_airflow_knows_the_command(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.cli import cli_parser
    from airflow.configuration import conf

    # `airflow celery` and `airflow users` exist only with their executor and auth manager.
    environment = environment_of("worker")
    for option in ("AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__AUTH_MANAGER"):
        monkeypatch.setenv(option, environment[option])
    assert conf.get("core", "executor") == "CeleryExecutor"
    parser = (
        cli_parser.get_parser.__wrapped__()
        if hasattr(cli_parser.get_parser, "__wrapped__")
        else cli_parser.get_parser()
    )
    arguments = parser.parse_args(words[1:])
    assert callable(arguments.func)


def our_commands() -> list[list[str]]:
    return [words for _, words in all_commands() if words[0] == "threegaps"]


@pytest.mark.parametrize("words", our_commands(), ids=" ".join)
def test_threegaps_knows_the_command(words: list[str]) -> None:
    import typer

    from threegaps.cli.app import app

    command: Any = typer.main.get_command(app)
    for word in words[1:]:
        if word.startswith("-"):
            assert any(word in parameter.opts for parameter in command.params)
            continue
        assert hasattr(command, "commands"), f"threegaps has no command {' '.join(words[1:])}"
        assert word in command.commands
        command = command.commands[word]
    assert our_commands()


def test_python_modules_that_are_run_exist() -> None:
    run = [(service, words) for service, words in all_commands() if words[:2] == ["python", "-m"]]
    assert {service for service, _ in run} >= {"sandbox-data", "sandbox"}
    for service, words in run:
        folder = ROOT / words[2]
        assert (folder / "__main__.py").exists(), f"{service}: {words[2]}"
        text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
        for word in words[3:]:
            if word.startswith("--"):
                assert f'"{word}"' in text, f"{service}: {words[2]} has no option {word}"


def test_nothing_else_is_run() -> None:
    known = {"airflow", "threegaps", "python", "celery", "postgres", "pg_isready", "redis-cli", "exec"}
    assert {words[0] for _, words in all_commands()} <= known


def test_celerys_application_exists() -> None:
    from importlib import import_module

    words = next(words for _, words in all_commands() if words[0] == "celery")
    module, name = words[words.index("--app") + 1].rsplit(".", 1)
    assert "app" in vars(import_module(module)) or hasattr(import_module(module), name)


# ---- health, rights, places -----------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_nobody_is_root(service: str) -> None:
    user = str(SERVICES[service]["user"])
    assert user.split(":")[0] not in {"", "0", "root"}
    assert not SERVICES[service].get("privileged")


def test_the_image_and_the_services_run_as_the_same_user() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert len(users) == 1
    assert {str(service["user"]) for service in OURS.values()} == set(users)
    user, group = users[0].split(":")
    assert f"--uid {user}" in DOCKERFILE
    assert f"--gid {group}" in DOCKERFILE


@pytest.mark.parametrize("service", sorted(set(SERVICES) - RUN_ONCE))
def test_each_service_is_watched_and_comes_back(service: str) -> None:
    definition = SERVICES[service]
    assert definition["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert definition["restart"] == "unless-stopped"


def test_one_time_services_do_not_come_back() -> None:
    assert {SERVICES[name]["restart"] for name in RUN_ONCE & set(SERVICES)} == {"no"}


def test_health_is_asked_where_it_is_answered() -> None:
    from airflow.configuration import conf

    scheduler = str(SERVICES["scheduler"]["healthcheck"]["test"])
    port = conf.configuration_description["scheduler"]["options"]["scheduler_health_check_server_port"]["default"]
    assert f"localhost:{port}/health" in scheduler
    assert environment_of("scheduler")["AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"] == "true"
    web = SERVICES["api-server"]
    inside = web["ports"][0].rsplit(":", 1)[1]
    assert web["command"][web["command"].index("--port") + 1] == inside
    assert f"localhost:{inside}/api/v2/monitor/health" in str(web["healthcheck"]["test"])
    assert f"http://api-server:{inside}/" in environment_of("worker")["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]


def test_ports_are_offered_where_the_place_says() -> None:
    offered = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert offered
    assert all(port.startswith("${BIND_ADDRESS:?}:") for port in offered)
    assert EXAMPLE["BIND_ADDRESS"] == "127.0.0.1"


def test_who_is_waited_for_exists() -> None:
    waits = [(name, *wait) for name, service in SERVICES.items() for wait in service.get("depends_on", {}).items()]
    assert len(waits) >= 5
    for name, other, condition in waits:
        assert other in SERVICES, f"{name} waits for {other}"
        wanted = "service_completed_successfully" if other in RUN_ONCE else "service_healthy"
        assert condition["condition"] == wanted


def test_volumes_are_declared_and_used() -> None:
    sources = {source for service in SERVICES for source in mounts_of(service).values()}
    assert {source for source in sources if not source.startswith(("/", "."))} == set(COMPOSE["volumes"])
    ours = {source for source in sources if source.startswith(".")}
    assert ours
    assert {source for source in ours if not (ROOT / source).exists()} == set()


@pytest.mark.parametrize("service", OURS)
def test_volumes_lie_where_the_image_has_a_folder_of_its_user(service: str) -> None:
    made = re.search(r"install --directory --owner=10001 .*?(?=\n\n)", DOCKERFILE, re.DOTALL)
    assert made
    assert set(mounts_of(service)) <= set(re.findall(r"/var/lib/threegaps\S*", made.group()))


def test_what_writes_landing_has_its_volume() -> None:
    """Workers land, `migrate` keeps decisions there, the watch looks at its disk; who faces people has none of it."""
    migrating = {service for service, words in all_commands() if words[:2] == ["threegaps", "migrate"]}
    assert migrating == {"init"}
    having = {"worker", "watch"} | migrating
    assert {name for name in SERVICES if "landing" in mounts_of(name).values()} == having
    for service in having:
        folder = environment_of(service)["THREEGAPS_LANDING_URI"].removeprefix("file://")
        assert mounts_of(service)[folder] == "landing", service
        assert Settings.load({"THREEGAPS_LANDING_URI": f"file://{folder}"}).landing_folder == Path(folder)
    read_only = {
        name
        for name, one in SERVICES.items()
        if any(m.startswith("landing:") and m.endswith(":ro") for m in one.get("volumes", []))
    }
    assert read_only == {"watch"}
    assert {environment_of(service)["THREEGAPS_SANDBOX"] for service in migrating} == {EXAMPLE["THREEGAPS_SANDBOX"]}


def test_the_duty_page_has_what_it_reads_and_writes() -> None:
    """Airflow's server makes it: the warehouse, whether its data are synthetic, and the journal of the watch."""
    environment = environment_of("api-server")
    settings = Settings.load(
        {**environment, "THREEGAPS_HOME": dict(re.findall(r"(THREEGAPS_HOME)=(\S+)", DOCKERFILE))["THREEGAPS_HOME"]}
    )
    shared = {**Settings.load(environment_of("worker")).warehouse(), "user": DUTY_LOGIN, "password": "generated"}
    assert settings.duty_dsn() == to_dsn(shared)
    assert settings.duty_password == Settings.load(environment_of("init")).duty_password, "`migrate` makes it"
    assert settings.is_sandbox == (EXAMPLE["THREEGAPS_SANDBOX"] == "1")
    assert mounts_of("api-server")[str(watch_folder(settings))] == "watch"
    assert f"{watch_folder(settings)}:ro" in str(SERVICES["api-server"]["volumes"])


def test_secrets_that_are_mounted_are_declared() -> None:
    used = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert used
    assert used == set(COMPOSE["secrets"])
    named = {unquote(key) for value in EXAMPLE.values() for key in re.findall(r"key_file=([^&]*)", value)}
    assert named == {f"/run/secrets/{name}" for name in used}


def test_what_departments_share_is_not_called_after_one_of_them() -> None:
    departments = {one.department for one in CONNECTIONS}
    assert len(departments) > 1
    own = {f"{one.connection_id.upper()}_CONNECTION" for one in CONNECTIONS}
    shared = {*COMPOSE["secrets"], *COMPOSE["volumes"], *SERVICES, *(set(EXAMPLE) - own)}
    assert {name for name in shared if set(re.split(r"[_-]", name.lower())) & departments} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_each_container_is_confined(service: str) -> None:
    definition = SERVICES[service]
    assert definition["cap_drop"] == ["ALL"]
    assert "cap_add" not in definition
    assert definition["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+[mg]", filled(definition["mem_limit"]))
    assert set(definition["logging"]["options"]) == {"max-size", "max-file"}
    # What is being judged is spooled by the worker to its own root, on disk.
    assert definition.get("read_only", False) == (service != "worker")
    if definition.get("read_only"):
        folders = {mount.split(":")[0] for mount in definition["tmpfs"]}
        assert "/tmp" in folders
        assert service not in OURS or "/var/lib/threegaps/airflow" in folders


@pytest.mark.parametrize("service", sorted(set(SERVICES) - set(OURS)))
def test_images_of_others_are_named_by_their_digest(service: str) -> None:
    assert re.fullmatch(rf"[a-z]+:\d+@{DIGEST}", SERVICES[service]["image"])


def secrets_of(service: str) -> set[str]:
    """Variables of `.env` that reach the service and are secret, those that another variable is made of too."""
    names = set().union(*(interpolated(text) for text in strings_of(SERVICES[service])))
    while more := set().union(*(interpolated(EXAMPLE[name]) for name in names)) - names:
        names |= more
    return names & set(KNOWN_TO)


def test_each_service_knows_the_secrets_that_it_needs_and_no_other() -> None:
    secret = {name for name in EXAMPLE if re.search(r"PASSWORD|SECRET|_KEY$", name)}
    assert set(KNOWN_TO) == secret
    found = {name: {service for service in SERVICES if name in secrets_of(service)} for name in secret}
    assert found == KNOWN_TO
    assert [name for name, service in SERVICES.items() if service.get("secrets")] == ["worker"]


@pytest.mark.parametrize("service", ["postgres", "department-database"])
def test_the_databases_log_says_whose_a_statement_is_and_quotes_no_row(service: str) -> None:
    given = server_settings(service)
    assert given["log_error_verbosity"] == "terse"
    assert "%u" in given["log_line_prefix"]


def test_readers_cannot_take_the_last_connections() -> None:
    assert int(server_settings("postgres")["reserved_connections"]) >= 50


def server_settings(service: str) -> dict[str, str]:
    """What the PostgreSQL server of a service is started with."""
    words = SERVICES[service]["command"]
    assert set(words[1::2]) == {"-c"}
    return dict(word.split("=", 1) for word in words[2::2])


def test_the_example_switches_no_check_off() -> None:
    written = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert not re.search(r"no_host_key_check|allow_host_key_change|sslmode=(?:disable|allow|prefer|require)", written)
    assert EXAMPLE["BIND_ADDRESS"] == "127.0.0.1"


def test_what_the_sandbox_prints_makes_its_servers_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from airflow.models.connection import Connection

    from sandbox.__main__ import main

    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "host_key.pub").write_text("ssh-ed25519 AAAA/b+c= threegaps\n", encoding="ascii")
    (tmp_path / "credentials.json").write_text('{"app_id": "one", "app_secret": "two"}', encoding="utf-8")
    assert main(["settings", "--home", str(tmp_path)]) == 0
    printed = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert set(printed) <= set(EXAMPLE)
    for name in ("HRSS_SFTP_CONNECTION", "HRSS_GATEWAY_CONNECTION"):
        address = EXAMPLE[name]
        for variable, value in printed.items():
            address = address.replace(f"${{{variable}}}", value)
        connection = Connection(uri=address)
        if connection.conn_type == "sftp":
            assert connection.extra_dejson["host_key"] == "ssh-ed25519 AAAA/b+c="
        else:
            assert (connection.login, connection.password) == ("one", "two")


# ---- image ----------------------------------------------------------------------------------------------------


def copied() -> list[str]:
    lines = re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_what_the_image_copies_exists_and_is_let_in() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    assert set(copied()) == allowed
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_the_image_holds_what_the_settings_point_to() -> None:
    settings = Settings.load({"THREEGAPS_ROOT": str(ROOT)})
    environment = environment_of("worker")
    needed = {settings.contracts_folder.name, settings.dbt_project_folder.name}
    for option in ("AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__PLUGINS_FOLDER"):
        path = Path(environment[option])
        assert path.parent == Path(re.search(r"^WORKDIR (\S+)$", DOCKERFILE, re.MULTILINE).group(1))  # type: ignore[union-attr]
        needed.add(path.name)
    assert needed <= set(copied())


def test_the_image_runs_a_python_that_the_project_supports() -> None:
    import tomllib

    from packaging.specifiers import SpecifierSet

    version = re.search(rf"^FROM python:([\d.]+)-slim@{DIGEST}(?: AS \w+)?$", DOCKERFILE, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert version
    assert f"{version.group(1)}.0" in SpecifierSet(project["requires-python"])
    assert EXAMPLE["THREEGAPS_VERSION"] == project["version"]


def made_one_by_one(script: str) -> set[str]:
    return set(re.findall(r"^create database (\w+)", script, re.MULTILINE))


def made_in_a_loop(script: str) -> set[str]:
    assert re.search(
        r'^for database in \$databases; do$.*^create database :"database" ', script, re.MULTILINE | re.DOTALL
    )
    return set(re.search(r"^databases='([^']*)'$", script, re.MULTILINE)[1].split())  # type: ignore[index]


@pytest.mark.parametrize(
    ("service", "folder", "made", "databases"),
    [
        ("postgres", "initdb", made_one_by_one, {WAREHOUSE_DATABASE, AIRFLOW_DATABASE}),
        (
            "department-database",
            "initdb-department",
            made_in_a_loop,
            {department_database(name) for name in departments_with_database(CONNECTIONS)},
        ),
    ],
)
def test_the_first_start_makes_the_databases_that_are_used(
    service: str, folder: str, made: Callable[[str], set[str]], databases: set[str]
) -> None:
    script = ROOT / "docker" / folder / "10-databases.sh"
    text = script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)
    assert databases
    assert made(text) == databases
    for variable in re.findall(r"^\\getenv \w+ (\w+)$", text, re.MULTILINE):
        assert variable in SERVICES[service]["environment"]
    assert mounts_of(service)["/docker-entrypoint-initdb.d"] == f"./docker/{folder}"
    assert any(
        SERVICES[service]["healthcheck"]["test"][1].endswith(f"--dbname {name}") for name in {*databases, "postgres"}
    )
