"""Who sees the duty page and who acts on it, asked of Airflow's own server with both auth managers, below a path."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.duty.conftest import Desk
from threegaps.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ROOT = Settings.load().root
HERE = Path(__file__).parent
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow, whose database has been made and has nobody in it."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    (home / "passwords.json").write_text(json.dumps(dict.fromkeys(("viewer", "user", "op", "admin"), "of-a-test")))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "THREEGAPS"))}
    environment = kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "plugins"),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__AUTH_MANAGER": FAB,
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "viewer:viewer,user:user,op:op,admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__BASE_URL": "http://localhost:8080/base/",
        "AIRFLOW__API__SECRET_KEY": "of-a-test-of-the-duty-page",
        "AIRFLOW__API_AUTH__JWT_SECRET": "of-a-test-of-the-duty-page" * 3,
    }
    run(["airflow", "db", "migrate"], environment)
    return environment


def run(words: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(words, env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def answers(environment: Mapping[str, str], desk: Desk, incident: int) -> dict[str, dict[str, Any]]:
    """What each login was answered, over the desk's warehouse."""
    parts = desk.settings.environment
    ours = {name: parts[name] for name in parts if name.startswith("THREEGAPS_")}
    printed = run([sys.executable, str(HERE / "asking_airflow.py"), str(incident)], {**environment, **ours})
    (line,) = [line for line in printed.splitlines() if line.startswith("ANSWERS ")]
    return dict(json.loads(line.removeprefix("ANSWERS ")))


def check_notice(answer: Mapping[str, Any]) -> None:
    """Without a session: our notice, with the way to log in, and nothing of what there is."""
    assert (answer["page"], answer["plugins"], answer["acknowledged"]) == (401, 401, 401)
    assert answer["form"].startswith("text/html")
    assert "请先登录" in answer["text"]
    assert "工资批次已停止" not in answer["text"]
    assert "/base/auth/login" in answer["addresses"]
    assert answer["style"] == 200


def check_looking(answer: Mapping[str, Any], *, may_write: bool) -> None:
    """One who sees the page and its menu item; only who may change DAGs has buttons, and is obeyed."""
    assert (answer["page"], answer["plugins"]) == (200, 200)
    assert "工资批次已停止" in answer["text"]
    assert ("data-act" in answer["text"]) is may_write
    assert answer["views"] == ["duty/", "duty/dag/{DAG_ID}", "duty/dag/{DAG_ID}/run/{RUN_ID}"]
    assert len(answer["addresses"]) > 6
    assert not [address for address in answer["addresses"] if not address.startswith("/base/")]
    assert answer["to_delivery"] == "/base/duty/feeds/hrss/wage_records"
    assert (answer["without_header"], answer["from_elsewhere"]) == (403, 403)
    assert answer["acknowledged"] == (200 if may_write else 403)


def acknowledged_by(desk: Desk) -> list[str]:
    return [by for (by,) in desk.enter("select changed_by from ops.incident_change order by incident_change_id")]


def test_with_the_servers_auth_manager_and_what_its_first_start_gives(airflow: dict[str, str], desk: Desk) -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    lines = services["init"]["command"][2].replace("$$", "$").splitlines()
    of_people = [line for line in lines if re.match("airflow (users|roles) ", line)]
    assert len(of_people) == 2
    boss = {
        "THREEGAPS_AIRFLOW_USER": "boss",
        "THREEGAPS_AIRFLOW_PASSWORD": "of-a-test",
        "ADMIN_EMAIL": "boss@example.org",
    }
    # The service runs at each start again.
    for line in (*of_people, *of_people):
        run(["bash", "-euc", line], airflow | boss)
    said = answers(airflow, desk, desk.incident())

    check_notice(said["nobody"])
    check_looking(said["viewer"], may_write=False)
    for login in ("user", "op", "admin"):
        check_looking(said[login], may_write=True)
    # The right to change one DAG is no right to act here, whichever DAG the address names.
    assert said["of_one_dag"]["page"] == 200
    assert "data-act" not in said["of_one_dag"]["text"]
    assert {said["of_one_dag"][asked] for asked in ("of_one_dag", "acknowledged")} == {403}
    assert (said["none"]["page"], said["none"]["acknowledged"]) == (403, 403)
    assert "工资批次已停止" not in said["none"]["text"]
    assert acknowledged_by(desk) == ["user"]


def test_with_the_auth_manager_of_one_machine(airflow: dict[str, str], desk: Desk) -> None:
    said = answers({**airflow, "AIRFLOW__CORE__AUTH_MANAGER": SIMPLE}, desk, desk.incident())
    check_notice(said["nobody"])
    check_looking(said["viewer"], may_write=False)
    for login in ("user", "op", "admin"):
        check_looking(said[login], may_write=True)
    assert acknowledged_by(desk) == ["user"]


def test_importing_the_plugin_is_cheap(airflow: dict[str, str]) -> None:
    """Every process of Airflow imports it, the tasks' too: what makes the page waits until somebody opens it."""
    script = (
        "import sys, airflow.plugins_manager, threegaps.orchestration.timetable; before = set(sys.modules);"
        " import threegaps_plugin; print('fastapi' in sys.modules, *sorted(set(sys.modules) - before))"
    )
    has_fastapi, *loaded = run([sys.executable, "-c", script], airflow).split()
    assert has_fastapi == "False"
    ours = {name for name in loaded if name not in sys.stdlib_module_names}
    assert ours <= {"threegaps_plugin", "threegaps.duty", "threegaps.duty.mounting"}
    assert "threegaps.duty.mounting" in ours
