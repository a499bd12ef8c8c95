"""With which connections the services of one machine were started, told apart by keyed fingerprints, never by value.

The services keep the variables of the shell that started them: what is set there afterwards reaches none of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from threegaps.home import account
from threegaps.one_machine.environment import service_environment
from threegaps.settings import Settings

_KEY = "connection_fingerprints"
_PREFIX = "AIRFLOW_CONN_"
ADVICE = "`threegaps down`, then `threegaps up` in a shell that has them as they are to be."


def connection_fingerprints(settings: Settings, variables: Mapping[str, str]) -> dict[str, str]:
    """A fingerprint of each ``AIRFLOW_CONN_…`` among *variables*, made with a secret of the home; by its name."""
    key = settings.secret(_KEY).encode()
    return {
        name: hmac.new(key, value.encode(), hashlib.sha256).hexdigest()
        for name, value in variables.items()
        if name.startswith(_PREFIX)
    }


def changed_connections(settings: Settings) -> tuple[str, ...]:
    """The ``AIRFLOW_CONN_…`` that this shell sets otherwise than those that the running services were started with.

    Returns:
        Their names, in order; none where the services do not run, or run elsewhere, as on a server.
    """
    if not settings.has_own_services or not account.is_running(settings):
        return ()
    started_with = account.read_status(settings).get("connections")
    if not started_with:
        return ()
    here = connection_fingerprints(settings, service_environment(settings))
    return tuple(sorted(name for name in {*started_with, *here} if started_with.get(name) != here.get(name)))


def changed_text(changed: tuple[str, ...]) -> str:
    """What is said of connections that `changed_connections` names."""
    return f"the services were started with other values than this shell has: {', '.join(changed)}"
