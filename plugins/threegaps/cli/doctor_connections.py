"""What `threegaps doctor` says of the connections to the departments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threegaps.contracts.loader import load_contracts
from threegaps.errors import ThreeGapsError
from threegaps.labels import CAUSES
from threegaps.settings import Settings

_SECONDS = 15.0
"""How long a system may take to let us in: many times what a healthy one does."""
_MOST_FEEDS = 3


def examine_connections(settings: Settings, *, seconds: float = _SECONDS) -> list[dict[str, Any]]:
    """A finding for each connection that does not let us in, and one that sums up.

    They are tried as this shell has them; where running services were started with others, that is a finding, too.
    """
    from threegaps.home import account
    from threegaps.one_machine import environment
    from threegaps.one_machine.started_with import ADVICE, changed_connections, changed_text

    name = "connections"
    if settings.is_sandbox and not settings.is_server and not account.is_running(settings):
        said = "not tried: the stand-in departments do not run"
        return [{"name": name, "state": "warning", "message": said, "advice": "`threegaps up` starts them."}]
    environment.apply(settings)
    try:
        contracts = load_contracts(settings.contracts_folder)
    except ThreeGapsError as error:
        return [{"name": name, "state": "wrong", "message": error.message, "advice": error.advice or ""}]
    # It imports what speaks with each kind of system: seconds that other checks need not wait for.
    from threegaps.ledger.attempts import failure_of
    from threegaps.sources.probing import probe_all

    probes = probe_all(contracts, seconds=seconds)
    broken = [(probe, probe.error) for probe in probes if probe.error is not None]
    untried = [probe for probe in probes if not probe.is_tried]
    found: list[dict[str, Any]] = []
    if changed := changed_connections(settings):
        message = f"{changed_text(changed)}; what follows was tried with this shell's"
        found.append(
            {
                "name": "connections of the services",
                "state": "warning",
                "message": message,
                "advice": ADVICE,
                "variables": list(changed),
            }
        )
    for probe in untried:
        said = f"could not be tried, the machine is busy: {_some(probe.feeds)}"
        found.append(
            {
                "name": f"connection {probe.connection_id}",
                "state": "warning",
                "message": said,
                "advice": "run it again when the machine is less busy.",
                "feeds": list(probe.feeds),
            }
        )
    for probe, problem in broken:
        failure = failure_of(problem)
        zh, en = CAUSES[failure.cause]
        of_feeds = _some(probe.feeds)
        found.append(
            {
                "name": f"connection {probe.connection_id}",
                "state": "wrong",
                "message": f"{en} ({of_feeds}): {failure.message_en}",
                "message_zh": f"{zh}({of_feeds}):{failure.message_zh}",
                "advice": problem.advice or "",
                "cause": failure.cause,
                "host": probe.host,
                "port": probe.port,
                "feeds": list(probe.feeds),
            }
        )
    in_order = sum(probe.lets_us_in for probe in probes)
    summary = f"{in_order} of {len(probes)} connections let us in"
    state = "wrong" if broken else "warning" if untried else "ok"
    found.append({"name": name, "state": state, "message": summary, "advice": ""})
    return found


def _some(feeds: Sequence[str]) -> str:
    more = len(feeds) - _MOST_FEEDS
    named = ", ".join(feeds[:_MOST_FEEDS])
    return f"{named} +{more}" if more > 0 else named
