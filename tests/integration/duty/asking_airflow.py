"""Airflow's own server in a process of its own, asked as each of its people; prints what they were answered.

Which auth manager it has, and under which address it lies, its environment says; the argument is the incident that each
of them acknowledges.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airflow.api_fastapi.app import API_BASE_URL, create_app, get_auth_manager
from airflow.configuration import conf
from fastapi.testclient import TestClient

PASSWORD = "of-a-test"
OURS = {"X-ThreeGaps-Duty": "1", "Sec-Fetch-Site": "same-origin"}
BASE = urlsplit(API_BASE_URL).path.removesuffix("/")
RIGHTS_OF_ONE_DAG = "of_one_dag"


def fab_people() -> Iterator[tuple[str, str]]:
    """Logins and passwords: one of each role, one of a role that may change one DAG, one of none."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        keeper = builder.sm
        narrow = keeper.add_role(RIGHTS_OF_ONE_DAG)
        for action, resource in (("can_read", "Website"), ("can_edit", "DAG:feed_hrss_wage_records")):
            keeper.add_permission_to_role(narrow, keeper.create_permission(action, resource))
        for role in ("Viewer", "User", "Op", "Admin", RIGHTS_OF_ONE_DAG):
            login = role.lower()
            keeper.add_user(login, login, "x", f"{login}@example.org", keeper.find_role(role), PASSWORD)
            yield login, PASSWORD
        keeper.add_user("none", "none", "x", "none@example.org", [], PASSWORD)
        yield "none", PASSWORD


def simple_people() -> Iterator[tuple[str, str]]:
    """Logins and passwords of those whom the configuration names."""
    file = Path(str(conf.get("core", "simple_auth_manager_passwords_file")))
    yield from json.loads(file.read_text(encoding="utf-8")).items()


def asked(client: TestClient, incident: str) -> dict[str, Any]:
    """What one session is answered."""
    page = client.get(f"{BASE}/duty/")
    plugins = client.get(f"{BASE}/api/v2/plugins")
    menu = client.get(f"{BASE}/ui/auth/menus")
    listed = plugins.json().get("plugins", []) if plugins.status_code == 200 else []
    acknowledge = f"{BASE}/duty/incidents/{incident}/acknowledge"
    return {
        "page": page.status_code,
        "form": page.headers["content-type"],
        "text": page.text,
        "addresses": sorted(set(re.findall(r'(?:href|src|action|data-airflow|data-root)="([^"]*)"', page.text))),
        "plugins": plugins.status_code,
        "views": [view["href"] for one in listed for view in one["external_views"]],
        "menu": menu.json().get("authorized_menu_items", []) if menu.status_code == 200 else menu.status_code,
        "style": client.get(f"{BASE}/duty/static/duty.css").status_code,
        "to_delivery": client.get(f"{BASE}/duty/dag/feed_hrss_wage_records", follow_redirects=False).headers.get(
            "location"
        ),
        "without_header": client.post(acknowledge).status_code,
        "from_elsewhere": client.post(acknowledge, headers={**OURS, "Sec-Fetch-Site": "cross-site"}).status_code,
        "of_one_dag": client.post(f"{acknowledge}?dag_id=feed_hrss_wage_records", headers=OURS).status_code,
        "acknowledged": client.post(acknowledge, headers=OURS).status_code,
    }


def main() -> None:
    """Print the answers as JSON, by login; the one without a session is called ``nobody``."""
    incident = sys.argv[1]
    application = create_app("core")
    people = list(fab_people() if "Fab" in type(get_auth_manager()).__name__ else simple_people())
    answers: dict[str, Any] = {}
    with TestClient(application, base_url="http://localhost:8080", raise_server_exceptions=False) as client:
        answers["nobody"] = asked(client, incident)
        for login, password in people:
            client.cookies.clear()
            given = client.post(f"{BASE}/auth/token", json={"username": login, "password": password})
            given.raise_for_status()
            client.cookies.set("_token", given.json()["access_token"])
            answers[login] = asked(client, incident)
    sys.stdout.write(f"ANSWERS {json.dumps(answers, ensure_ascii=False)}\n")


main()
