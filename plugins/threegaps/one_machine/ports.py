"""The ports of a home's services: chosen so that no other home on this machine takes the same ones."""

from __future__ import annotations

import socket
from pathlib import Path

from threegaps.errors import ServiceError, SettingsError
from threegaps.settings import Settings

LOOPBACK = "127.0.0.1"

# Port of each service: (name in the state, variable that decides it, preferred number).
_PORTS = (
    ("postgres_port", "THREEGAPS_POSTGRES_PORT", 15432),
    ("airflow_port", "THREEGAPS_AIRFLOW_PORT", 8080),
    ("sandbox_http_port", "THREEGAPS_SANDBOX_HTTP_PORT", 18081),
    ("sandbox_sftp_port", "THREEGAPS_SANDBOX_SFTP_PORT", 12222),
    ("metrics_port", "THREEGAPS_METRICS_PORT", 9464),
)
PORT_VARIABLES = tuple(variable for _, variable, _ in _PORTS)
"""By which a port is asked for."""
_TRIES = 100

# What this process has claimed, by home.
_claims: dict[Path, list[socket.socket]] = {}


def choose_ports(settings: Settings) -> dict[str, int]:
    """A port for each service: the one asked for, else the one used before or the usual one when free, else any.

    To be called while none of the services runs; the choice is remembered in the state. Until this process ends nobody
    else's call chooses one of them, whether its service listens already or not.

    Raises:
        ServiceError: No port is free.
        SettingsError: What is asked for is no port, or one is asked for twice.
    """
    release_ports(settings)
    claims = _claims.setdefault(settings.home, [])
    state = settings.state()
    chosen = asked_ports(settings)
    for port in chosen.values():
        # A port that is asked for is taken, whoever claims it: if it is not free its service says so.
        if port and (claim := _claim(port)) is not None:
            claims.append(claim)
    for name, _, usual in _PORTS:
        if name not in chosen:
            chosen[name], claim = _claim_free(int(state.get(name) or usual), set(chosen.values()))
            claims.append(claim)
    settings.remember(**chosen)
    return {name: chosen[name] for name, _, _ in _PORTS}


def asked_ports(settings: Settings) -> dict[str, int]:
    """The ports that are asked for, by the name of each in the state; 0 for metrics that are not to be served.

    Raises:
        SettingsError: What is asked for is no port, or one is asked for twice.
    """
    asked: dict[str, int] = {}
    by: dict[int, str] = {}
    for name, variable, _ in _PORTS:
        port = settings.port(variable, least=0 if name == "metrics_port" else 1)
        if port is None:
            continue
        if port in by:
            raise SettingsError(
                f"{by[port]} and {variable} both ask for port {port}.", advice="give each service one of its own."
            )
        asked[name] = port
        if port:
            by[port] = variable
    return asked


def release_ports(settings: Settings) -> None:
    """Give back what this process has claimed for a home."""
    for claim in _claims.pop(settings.home, []):
        claim.close()


def free_port(preferred: int | None = None) -> int:
    """A TCP port on loopback that nothing listens on: *preferred* when it is free."""
    for candidate in (preferred, 0):
        if candidate is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServiceError("No free TCP port on loopback.")


def _claim_free(preferred: int, taken: set[int]) -> tuple[int, socket.socket]:
    """A free port that is none of *taken*, and its claim."""
    for attempt in range(_TRIES):
        port = free_port(None if attempt else preferred)
        if port not in taken and (claim := _claim(port)) is not None:
            return port, claim
    raise ServiceError("No free TCP port on loopback.")


def _claim(port: int) -> socket.socket | None:
    """Keep a port for this process: by the UDP socket of the same number, which no service of ours needs.

    The kernel gives it to one process of the machine, whoever's, and takes it back however that ends; the service
    itself can listen meanwhile. None where somebody has it.
    """
    claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        claim.bind((LOOPBACK, port))
    except OSError:
        claim.close()
        return None
    return claim
