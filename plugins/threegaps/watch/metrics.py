"""``/metrics`` for Prometheus: what the last pass saw, in the text format 0.0.4.

Served from a thread of its own out of a snapshot in memory: a scrape asks nobody, and a client that dawdles holds up
neither the watch nor, past a limit, another one. Ages are reckoned when they are asked for, so that they go on growing
when the watch itself hangs; `threegaps_watch_heartbeat_timestamp_seconds` says when that is.
"""

from __future__ import annotations

import datetime as dt
import http.server
import math
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from threegaps.errors import SettingsError
from threegaps.labels import INCIDENT_GRAVITIES, INCIDENT_KINDS
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch.snapshot import FEED_STATES, Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_CONNECTIONS = 8
"""More at once are closed unheard: a Prometheus or two need one each."""
CONNECTION_SECONDS = 5.0
USUAL_HOST = "127.0.0.1"

Sample = tuple[Mapping[str, str], float]


def render(snapshot: Snapshot, now: dt.datetime) -> str:
    """The metrics of *snapshot* as they are at *now*."""
    return "".join(_family(*family) for family in _families(snapshot, now))


def _families(seen: Snapshot, now: dt.datetime) -> Iterator[tuple[str, str, str, list[Sample]]]:
    """Name, type, help and samples; what could not be looked at has no sample, never a 0."""

    def age(moment: dt.datetime) -> float:
        return max(0.0, (now - moment).total_seconds())

    yield (
        "threegaps_watch_heartbeat_timestamp_seconds",
        "gauge",
        "When the last pass of the watch ended.",
        [({}, seen.taken_at.timestamp())],
    )
    yield "threegaps_watch_pass_duration_seconds", "gauge", "How long the last pass took.", [({}, seen.pass_seconds)]
    yield (
        "threegaps_watch_interval_seconds",
        "gauge",
        "After how long the next pass begins.",
        [({}, seen.interval_seconds)],
    )
    yield "threegaps_watch_passes_total", "counter", "Passes since the watch started.", [({}, seen.passes)]
    yield "threegaps_watch_failed_passes_total", "counter", "Passes that broke off.", [({}, seen.failed_passes)]
    yield (
        "threegaps_watch_look_succeeded",
        "gauge",
        "Whether the last pass could look there (1) or not (0).",
        [({"look": look.name}, float(look.could_look)) for look in seen.looks],
    )
    yield (
        "threegaps_synthetic",
        "gauge",
        "1 where the departments behind the feeds are the sandbox's.",
        [({}, float(seen.is_synthetic))],
    )
    yield from _feeds(seen, now)
    by_kind = Counter((one.kind, one.gravity) for one in seen.incidents)
    yield (
        "threegaps_incidents_open",
        "gauge",
        "Incidents that are open, by kind and gravity.",
        [
            ({"kind": kind, "gravity": gravity}, by_kind[kind, gravity])
            for kind in INCIDENT_KINDS
            for gravity in INCIDENT_GRAVITIES
        ],
    )
    queue, release, outbox = seen.queue, seen.release, seen.outbox
    yield (
        "threegaps_pending_batches",
        "gauge",
        "Loaded batches that no released build has consumed.",
        ([] if queue is None else [({}, queue.pending_batches)]),
    )
    yield (
        "threegaps_pending_batches_oldest_age_seconds",
        "gauge",
        "How long the oldest of them has waited.",
        ([] if queue is None or queue.oldest_since is None else [({}, age(queue.oldest_since))]),
    )
    yield (
        "threegaps_release_age_seconds",
        "gauge",
        "How long the release that serves has served.",
        ([] if release is None else [({}, age(release.released_at))]),
    )
    yield (
        "threegaps_release_number",
        "gauge",
        "Number of the release that serves.",
        ([] if release is None else [({}, release.release_id)]),
    )
    yield (
        "threegaps_outbox_waiting_messages",
        "gauge",
        "Messages to people that have not been sent.",
        ([] if outbox is None else [({}, outbox.waiting)]),
    )
    yield (
        "threegaps_outbox_oldest_due_age_seconds",
        "gauge",
        "How long the oldest message that is due has been.",
        ([] if outbox is None or outbox.oldest_due_at is None else [({}, age(outbox.oldest_due_at))]),
    )
    yield (
        "threegaps_outbox_given_up_messages",
        "gauge",
        "Messages that were given up in the last seven days.",
        ([] if outbox is None else [({}, outbox.given_up)]),
    )
    yield (
        "threegaps_channel_refused",
        "gauge",
        "Whether a channel refuses for good (1): its settings are wrong.",
        [({"channel": channel.name, "kind": channel.kind}, float(channel.is_refused)) for channel in seen.channels],
    )
    yield (
        "threegaps_channel_refused_messages",
        "gauge",
        "Messages that a channel refused while it took others: they wait, or were given up in the last seven days.",
        [({"channel": channel.name, "kind": channel.kind}, channel.refused_messages) for channel in seen.channels],
    )
    yield (
        "threegaps_alerts_usable",
        "gauge",
        "Whether alerts.yaml is there and right.",
        [({}, float(not seen.alerts_en))],
    )


def _feeds(seen: Snapshot, now: dt.datetime) -> Iterator[tuple[str, str, str, list[Sample]]]:
    feeds = seen.feeds or ()
    counted = Counter(feed.state for feed in feeds)
    yield (
        "threegaps_feeds",
        "gauge",
        "Feeds by how they stand, each counted by the gravest of its states.",
        ([] if seen.feeds is None else [({"state": state}, counted[state]) for state in FEED_STATES]),
    )
    yield (
        "threegaps_feed_newest_delivery_age_seconds",
        "gauge",
        "How long ago the newest delivery was loaded.",
        [
            ({"feed": feed.feed}, max(0.0, (now - feed.newest_loaded_at).total_seconds()))
            for feed in feeds
            if feed.newest_loaded_at is not None
        ],
    )
    yield (
        "threegaps_feed_late_days",
        "gauge",
        "Days since a delivery was due that is not here; 0 where none is.",
        [({"feed": feed.feed}, feed.days_late) for feed in feeds],
    )
    yield (
        "threegaps_feed_refused_ratio",
        "gauge",
        "Refused rows of the newest delivery by received ones, 0 to 1.",
        [({"feed": feed.feed}, feed.refused_share) for feed in feeds if feed.refused_share is not None],
    )
    yield (
        "threegaps_feed_refused_rows",
        "gauge",
        "Refused rows of all deliveries that wait for a correction.",
        [({"feed": feed.feed}, feed.open_refusals) for feed in feeds],
    )


def _family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> str:
    lines = [f"{name}{_labels(labels)} {_number(value)}\n" for labels, value in samples]
    return "".join([f"# HELP {name} {text}\n# TYPE {name} {kind}\n", *lines])


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    written = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{written}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


class Metrics:
    """Serves what the last pass saw; before the first one it answers 503."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._server: _Server | None = None

    def update(self, snapshot: Snapshot) -> None:
        """Serve *snapshot* from now on."""
        self._snapshot = snapshot

    def start(self, host: str, port: int) -> int:
        """Listen; the port, chosen by the system where *port* is 0.

        Raises:
            SettingsError: The port cannot be had. The watch goes on without it.
        """
        try:
            self._server = _Server((host, port), self)
        except (UnicodeError, socket.gaierror):  # a name that none can be, or that nobody knows
            raise SettingsError("THREEGAPS_METRICS_HOST is no address.", advice="leave it out, or set one.") from None
        except OSError as error:
            raise SettingsError(
                f"Metrics cannot be served at {host}:{port}: {error.strerror}.",
                advice="set THREEGAPS_METRICS_PORT to a port that is free, or to 0 to serve none.",
            ) from None
        threading.Thread(target=self._server.serve_forever, args=(0.5,), name="metrics", daemon=True).start()
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def text(self, now: dt.datetime) -> str | None:
        """What is served at *now*; None before the first pass."""
        return None if self._snapshot is None else render(self._snapshot, now)


def metrics_address(settings: Settings) -> tuple[str, int] | None:
    """Where metrics are served: `THREEGAPS_METRICS_HOST` and `_PORT`, on one machine the port that ``up`` chose.

    None where nothing names a port, or it is 0.

    Raises:
        SettingsError: The port is none.
    """
    asked = settings.port("THREEGAPS_METRICS_PORT", least=0)
    port = int(settings.state().get("metrics_port", 0)) if asked is None else asked
    return (settings.text("THREEGAPS_METRICS_HOST") or USUAL_HOST, port) if port else None


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, address: tuple[str, int], metrics: Metrics) -> None:
        self.metrics = metrics
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for the own name, as the base class would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or not at all where too many are being answered."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer within the time that one connection has."""
        timer = threading.Timer(CONNECTION_SECONDS, _cut, [request])
        timer.daemon = True
        timer.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to report."""


def _cut(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = CONNECTION_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Answer a scrape."""
        if self.path.split("?")[0] != "/metrics":
            self._answer(404, "text/plain; charset=utf-8", "/metrics\n")
            return
        text = self.server.metrics.text(dt.datetime.now(SHANGHAI))
        if text is None:
            self._answer(503, "text/plain; charset=utf-8", "no pass has ended yet\n")
        else:
            self._answer(200, CONTENT_TYPE, text)

    def version_string(self) -> str:
        """Nothing of versions is told."""
        return "threegaps"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as the base class has it
        """A scrape every few seconds needs no line."""

    def _answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
