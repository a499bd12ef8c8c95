"""Airflow lists its DAGs in pages, of which every one is read; a list without an end is none."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from threegaps.airflow_api import AirflowApi
from threegaps.errors import ServiceError


class Airflow(HTTPServer):
    """A small server that lists some DAGs, every third of them paused, as Airflow's API does."""

    dags: int = 0
    page: int = 100
    asked: int = 0

    def api(self) -> AirflowApi:
        return AirflowApi(f"http://127.0.0.1:{self.server_port}", ("admin", "password"), timeout_seconds=10)


class _Answer(BaseHTTPRequestHandler):
    server: Airflow

    def do_POST(self) -> None:
        self._say(201, {"access_token": "token"})

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path != "/api/v2/dags":
            self._say(200, {"event_logs": []})
            return
        self.server.asked += 1
        query = parse_qs(asked.query)
        first, limit = int(query.get("offset", ["0"])[0]), int(query["limit"][0])
        dags = [{"dag_id": f"dag_{number:05}", "is_paused": number % 3 == 0} for number in range(self.server.dags)]
        if "paused" in query:
            dags = [dag for dag in dags if dag["is_paused"]]
        self._say(200, {"dags": dags[first : first + min(limit, self.server.page)], "total_entries": len(dags)})

    def _say(self, status: int, document: object) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *said: object) -> None:
        """Nothing."""


@pytest.fixture
def airflow() -> Iterator[Airflow]:
    with Airflow(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("page", [100, 40])
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 301])
def test_every_dag_is_known_on_whatever_page_it_stands(airflow: Airflow, count: int, page: int) -> None:
    airflow.dags, airflow.page = count, page
    assert len(airflow.api().dags()) == count
    assert airflow.asked == max(1, math.ceil(count / page))
    assert sorted(airflow.api().paused_dags()) == [f"dag_{number:05}" for number in range(0, count, 3)]


def test_a_list_that_does_not_end_is_not_read_for_ever(airflow: Airflow) -> None:
    airflow.dags = 5000
    with pytest.raises(ServiceError, match="more than 2000 DAGs"):
        airflow.api().dags()
    assert airflow.asked == 20
