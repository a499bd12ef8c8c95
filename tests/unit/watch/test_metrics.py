"""/metrics: read by Prometheus' own parser, named by its rules, and never held up."""

from __future__ import annotations

import dataclasses
import datetime as dt
import http.client
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.watch.some_snapshots import BLIND, HOUR, LATE, NOW, QUIET, WHOLE
from threegaps.errors import SettingsError
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import metrics as module
from threegaps.watch.metrics import CONTENT_TYPE, MOST_CONNECTIONS, Metrics, metrics_address, render
from threegaps.watch.snapshot import ReleaseSeen, Snapshot


def samples(snapshot: Snapshot, now: dt.datetime = NOW) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(render(snapshot, now))
        for sample in family.samples
    }


def test_it_says_what_the_pass_saw() -> None:
    found = samples(WHOLE, NOW + HOUR)
    expected = {
        ("threegaps_feeds", ("late",)): 1,
        ("threegaps_feeds", ("shrinking",)): 0,
        ("threegaps_feeds", ("unreachable",)): 1,
        ("threegaps_feeds", ("in_time",)): 1,
        ("threegaps_feed_newest_delivery_age_seconds", ("hrss/wage_records",)): 241 * 3600,
        ("threegaps_feed_refused_ratio", ("hrss/wage_records",)): 0.0125,
        ("threegaps_feed_refused_rows", ("hrss/wage_records",)): 1730,
        ("threegaps_feed_late_days", ("hrss/wage_records",)): 7,
        ("threegaps_incidents_open", ("feed_late", "warning")): 1,
        ("threegaps_incidents_open", ("airflow_down", "critical")): 1,
        ("threegaps_incidents_open", ("disk_filling", "critical")): 0,
        ("threegaps_pending_batches", ()): 3,
        ("threegaps_pending_batches_oldest_age_seconds", ()): 3 * 3600,
        ("threegaps_release_age_seconds", ()): 49 * 3600,
        ("threegaps_release_number", ()): 12,
        ("threegaps_outbox_waiting_messages", ()): 2,
        ("threegaps_outbox_oldest_due_age_seconds", ()): 2 * 3600,
        ("threegaps_outbox_given_up_messages", ()): 1,
        ("threegaps_channel_refused", ("group", "dingtalk")): 1,
        ("threegaps_channel_refused", ("duty_mail", "mail")): 0,
        ("threegaps_watch_look_succeeded", ("ledger",)): 1,
        ("threegaps_watch_look_succeeded", ("airflow_api",)): 0,
        ("threegaps_watch_heartbeat_timestamp_seconds", ()): NOW.timestamp(),
        ("threegaps_watch_pass_duration_seconds", ()): 0.42,
        ("threegaps_watch_passes_total", ()): 20,
        ("threegaps_watch_failed_passes_total", ()): 1,
        ("threegaps_alerts_usable", ()): 0,
        ("threegaps_synthetic", ()): 1,
    }
    assert {key: found[key] for key in expected} == expected
    # A feed without a delivery has no age, and one without rows no share: neither is 0.
    assert ("threegaps_feed_newest_delivery_age_seconds", ("market/employers",)) not in found
    assert ("threegaps_feed_refused_ratio", ("education/schools",)) not in found


def test_what_could_not_be_looked_at_has_no_sample() -> None:
    names = {name for name, _ in samples(BLIND)}
    assert not names & {"threegaps_feeds", "threegaps_pending_batches", "threegaps_release_age_seconds"}
    assert samples(QUIET)["threegaps_alerts_usable", ()] == 1


def test_names_units_and_types_are_such_as_prometheus_asks_for() -> None:
    text = render(WHOLE, NOW)
    families = list(text_string_to_metric_families(text))
    assert len(families) == len({family.name for family in families}) == text.count("# TYPE ") == text.count("# HELP ")
    for family in families:
        assert re.fullmatch(r"threegaps_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        assert family.type in {"gauge", "counter"}
        assert all(sample.name.endswith("_total") == (family.type == "counter") for sample in family.samples)
        assert not re.search(r"_(count|sum|bucket|minutes|hours|percent|ms)$", family.name)
        if "age" in family.name.split("_") or "duration" in family.name or "timestamp" in family.name:
            assert family.name.endswith("_seconds")
    assert text.endswith("\n")


@given(name=st.text(st.characters(exclude_categories=["Cs"])), rows=st.integers(0, 2**60))
def test_any_label_comes_back_as_it_was(name: str, rows: int) -> None:
    seen = dataclasses.replace(WHOLE, feeds=(dataclasses.replace(LATE, feed=name, open_refusals=rows),))
    lines = render(seen, NOW).split("\n")
    (line,) = [line for line in lines if line.startswith("threegaps_feed_refused_rows{")]
    written, value = line.removeprefix('threegaps_feed_refused_rows{feed="').rsplit('"} ', 1)
    assert re.fullmatch(r'(?:[^"\\\n]|\\[n"\\])*', written)
    unescaped = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), written)
    assert unescaped == name
    assert float(value) == float(rows)


@pytest.fixture
def served() -> Iterator[tuple[Metrics, int]]:
    metrics = Metrics()
    port = metrics.start("127.0.0.1", 0)
    yield metrics, port
    metrics.stop()


def get(port: int, path: str = "/metrics") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.headers["Content-Type"], response.read().decode()


def test_it_serves_the_newest_snapshot_and_nothing_else(served: tuple[Metrics, int]) -> None:
    metrics, port = served
    assert get(port)[0] == 503
    metrics.update(QUIET)
    assert "threegaps_watch_passes_total 1\n" in get(port)[2]
    metrics.update(WHOLE)
    status, kind, text = get(port)
    assert (status, kind) == (200, CONTENT_TYPE)
    assert "threegaps_watch_passes_total 20\n" in text
    assert get(port, "/")[0] == get(port, "/metrics/../etc")[0] == 404


def test_ages_grow_when_the_watch_itself_hangs(served: tuple[Metrics, int]) -> None:
    metrics, port = served
    released = ReleaseSeen(12, dt.datetime.now(SHANGHAI) - HOUR)
    metrics.update(dataclasses.replace(WHOLE, release=released))
    age = re.compile(r"^threegaps_release_age_seconds (\S+)$", re.MULTILINE)
    first = float(age.findall(get(port)[2])[0])
    time.sleep(0.05)
    assert float(age.findall(get(port)[2])[0]) > first >= 3600


def test_clients_that_dawdle_are_cut_off_and_hold_up_nobody(
    served: tuple[Metrics, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECTION_SECONDS", 1.0)
    metrics, port = served
    metrics.update(WHOLE)
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(MOST_CONNECTIONS - 1)]
    for connection in idle:
        connection.sendall(b"GET /met")
    assert get(port)[0] == 200
    # All are taken: one more is closed unheard.
    idle.append(socket.create_connection(("127.0.0.1", port)))
    idle[-1].sendall(b"GET")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if get(port)[0] == 200:
                break
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    else:
        pytest.fail("it never answered again")
    for connection in idle:
        connection.close()


def test_a_port_that_is_taken_is_said(served: tuple[Metrics, int]) -> None:
    with pytest.raises(SettingsError, match=f"127.0.0.1:{served[1]}"):
        Metrics().start("127.0.0.1", served[1])


def test_a_host_that_is_none_names_the_setting() -> None:
    for host in ("a..b", "x" * 70, "nobody.invalid"):
        with pytest.raises(SettingsError, match="THREEGAPS_METRICS_HOST is no address"):
            Metrics().start(host, 9464)


def test_where_it_is_served_comes_from_the_environment_or_from_up(tmp_path: Path) -> None:
    def of(**environment: str) -> tuple[str, int] | None:
        return metrics_address(Settings.load({"THREEGAPS_HOME": str(tmp_path), **environment}))

    assert of() is None
    assert of(THREEGAPS_METRICS_PORT="9464", THREEGAPS_METRICS_HOST="0.0.0.0") == ("0.0.0.0", 9464)  # noqa: S104
    Settings.load({"THREEGAPS_HOME": str(tmp_path)}).remember(metrics_port=9999)
    assert of() == ("127.0.0.1", 9999)
    assert of(THREEGAPS_METRICS_PORT="0") is None
    with pytest.raises(SettingsError, match="no whole number from 0 to 65535"):
        of(THREEGAPS_METRICS_PORT="http")
