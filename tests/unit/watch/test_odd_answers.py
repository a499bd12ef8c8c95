"""What answers in Airflow's place, oddly, slowly or for ever, is an API that does not answer, and nothing worse."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from threegaps.airflow_api import AirflowApi
from threegaps.errors import ServiceError
from threegaps.settings import Settings
from threegaps.watch import heartbeat, reading_machine
from threegaps.watch.reading_machine import read_around
from threegaps.watch.service import Watch
from threegaps.watch.telling import Telling

Speak = Callable[[socket.socket], None]
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


class Talker:
    """A server that says of itself what a test wants."""

    def __init__(self) -> None:
        self.speak: Speak = lambda line: None
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            line.recv(65536)
            self.speak(line)

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def talker() -> Iterator[Talker]:
    one = Talker()
    yield one
    one.close()


def says(content: bytes, head: bytes = HEAD) -> Speak:
    return lambda line: line.sendall(head + f"Content-Length: {len(content)}\r\n\r\n".encode() + content)


def drips(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(100):
        line.sendall(b" ")
        time.sleep(0.1)


def drips_headers(line: socket.socket) -> None:
    for _ in range(100):
        line.sendall(b"H")
        time.sleep(0.1)


def never_ends(line: socket.socket) -> None:
    line.sendall(HEAD + b"\r\n{")
    while True:
        line.sendall(b" " * 65536)


ODD: dict[str, Speak] = {
    "page": says(b"<html>hello</html>"),
    "list": says(b"[1,2]"),
    "null": says(b"null"),
    "no_utf8": says(b"\xff\xfe{}"),
    "no_http": lambda line: line.sendall(b"SSH-2.0-OpenSSH_9\r\n\r\n"),
    "half": lambda line: line.sendall(HEAD + b"Content-Length: 900\r\n\r\n{"),
    "half_chunks": lambda line: line.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"),
    "deep": says(b'{"a":' + b"[" * 20000),
    "nothing": lambda line: None,
    "refusal": says(b"[" * 20000, b"HTTP/1.1 500 Oops\r\nConnection: close\r\n"),
    "drips": drips,
    "drips_headers": drips_headers,
    "never_ends": never_ends,
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_answer_is_no_answer(talker: Talker, kind: str) -> None:
    talker.speak = ODD[kind]
    api = AirflowApi(f"http://127.0.0.1:{talker.port}", ("u", "p"), timeout_seconds=0.7)
    started = time.monotonic()
    assert api.health() == {}
    with pytest.raises(ServiceError):
        api.dags()
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("address", ["nonsense", "http://[::1", "http://127.0.0.1:x", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_no_answer(address: str) -> None:
    assert AirflowApi(address, ("u", "p")).health() == {}


def test_another_service_that_answers_with_an_object_is_not_airflow(talker: Talker) -> None:
    talker.speak = says(b'{"hello": 1}')
    api = AirflowApi(f"http://127.0.0.1:{talker.port}", ("u", "p"), timeout_seconds=2)
    assert api.health() == {}
    with pytest.raises(ServiceError, match="not Airflow's API"):
        api.dags()


def test_of_airflows_health_only_short_plain_texts_are_taken(talker: Talker, tmp_path: Path) -> None:
    parts = {
        "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "a\x00\ud800"},
        "triggerer": {"status": ["x"], "latest_triggerer_heartbeat": "y" * 65},
        "dag_processor": {"status": None, "latest_dag_processor_heartbeat": "2026-07-21T10:00:00Z"},
        "metadatabase": 5,
    }
    talker.speak = says(json.dumps(parts).encode())
    address = f"http://127.0.0.1:{talker.port}"
    settings = Settings.load({"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_AIRFLOW_URL": address})
    reading = reading_machine.airflow(settings)
    assert reading.answers
    assert reading.parts == {"scheduler": "healthy", "triggerer": "unreadable"}
    assert reading.beats == {"dag_processor": "2026-07-21T10:00:00Z"}


def test_a_server_that_drips_does_not_hold_up_its_look(talker: Talker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_machine, "_SERVER_SECONDS", 0.5)
    started = time.monotonic()
    for talker.speak in (drips, drips_headers):
        assert not reading_machine._answers_http(talker.port)
    talker.speak = says(b"<html>", b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n")
    assert reading_machine._answers_http(talker.port)
    assert time.monotonic() - started < 3


def test_one_reading_that_fails_spoils_no_other(talker: Talker, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{", encoding="utf-8")
    talker.speak = says(b'{"scheduler": {"status": "healthy"}}')
    environment = {"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_AIRFLOW_URL": f"http://127.0.0.1:{talker.port}"}
    around, missing = read_around(Settings.load(environment))
    assert around.airflow is not None
    assert around.airflow.answers
    assert any("state.json" in one.reason for one in missing)


def test_a_pass_that_fails_beats_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load({"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_SANDBOX": "0"})
    watch = Watch(settings, Telling)

    def fail(_: object) -> None:
        monkeypatch.setattr("threegaps.watch.service._Stop.wait", lambda stop, _: stop._ask())
        raise KeyError("received")

    monkeypatch.setattr(watch, "once", fail)
    monkeypatch.setattr("threegaps.watch.service.signal.signal", lambda *_: None)
    assert watch.run() == 0
    beat = heartbeat.last_beat(settings)
    assert beat is not None
    assert beat.pid == os.getpid()
    assert "watch: a pass failed: KeyError" in beat.not_looked_at[0]
    assert "received" not in beat.not_looked_at[0]
    assert "a pass failed: KeyError" in (watch.folder / "status.json").read_text(encoding="utf-8")
    assert watch.failed_passes == 1
    assert "threegaps_watch_failed_passes_total 1" in (watch.showing.metrics.text(beat.at) or "")


def test_what_goes_wrong_is_said_once_also_beside_another_and_again_after_it_was_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings.load({"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_SANDBOX": "0"})
    watch = Watch(settings, Telling)

    def full(what: str) -> None:
        with watch._without_disk(what):
            raise OSError(28, "No space left on device")

    def said() -> int:
        return capsys.readouterr().err.count("cannot be written")

    for _ in range(3):
        full("page")
        full("heartbeat")
    assert said() == 2
    with watch._without_disk("page"):
        pass
    full("page")
    full("heartbeat")
    assert said() == 1


def test_a_sandbox_is_asked_unless_its_services_start_and_one_that_is_none_is_never_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state.json").write_text('{"postgres_port": 1}', encoding="utf-8")
    environment = {"THREEGAPS_HOME": str(tmp_path)}
    ours, real = (Settings.load(environment | {"THREEGAPS_SANDBOX": one}) for one in ("1", "0"))
    assert read_around(ours)[0].sandbox == ()
    monkeypatch.setattr(reading_machine, "supervisor_state", lambda _: "starting")
    assert read_around(ours)[0].sandbox is None
    assert read_around(real)[0].sandbox == ()
