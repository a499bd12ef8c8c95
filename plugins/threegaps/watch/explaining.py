"""Which cause explains which: one cause, one incident, over all layers.

- A dead warehouse explains everything that is read from it, and Airflow, whose own database it has.
- Airflow that is down explains that deliveries become late and work waits; so does, for some minutes, that it was.
- A dead connection explains that its feeds fail or are late; a stopped batch, and a failing feed, that it is late.
- A failed build, and a held release, explain that work waits.

What is explained becomes part of the explanation's detail. An incident that is open already stays open until its own
cause is gone: a feed that was late before its connection died lacked its delivery for another reason.

An incident that is open explains although its cause is not seen just now, as while services start; one that was closed
a moment ago goes on to explain what waits: what it held up has still to be fetched and loaded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from threegaps.ledger.incidents import Cause, Incident, gravest
from threegaps.watch.kinds import KINDS

_WAITS = frozenset(name for name, kind in KINDS.items() if kind.waits)


def _explains(cause: Cause | Incident, other: Cause) -> bool:
    kind = KINDS.get(cause.kind)  # a ledger may have kinds of a newer version
    if kind is None or other.kind not in kind.explains:
        return False
    return not kind.of_its_feeds or (bool(other.feeds) and set(other.feeds) <= set(cause.feeds))


def explained(
    causes: Sequence[Cause],
    *,
    standing: Sequence[Incident] = (),
    just_closed: Sequence[Incident] = (),
    is_settling: bool = False,
) -> list[Cause]:
    """The causes that stand by themselves, each with what it explains in its detail.

    Args:
        causes: All that is seen.
        standing: Incidents that are open: they stand by themselves until their own cause is gone.
        just_closed: Incidents that were closed a moment ago.
        is_settling: Airflow or the warehouse has just come back, or the installation is new: what is late or waits is
            given time.
    """
    open_keys = {one.cause_key for one in standing}
    # As long as its incident is open the warehouse has only just come back, and Airflow comes back after it.
    is_recovering = "warehouse_down" in open_keys
    held_off = (_WAITS if is_settling or is_recovering else frozenset()) | (
        {"airflow_down"} if is_recovering else frozenset()
    )
    seen_now = {cause.key for cause in causes}
    unseen = [one for one in standing if one.cause_key not in seen_now]

    def is_held_off(cause: Cause) -> bool:
        return (
            cause.kind in held_off
            or any(_explains(one, cause) for one in unseen)
            or (cause.kind in _WAITS and any(_explains(one, cause) for one in just_closed))
        )

    by_themselves = [cause for cause in causes if cause.key in open_keys or not is_held_off(cause)]
    parts: dict[str, list[Cause]] = {}
    gone: set[str] = set()
    for kind in KINDS:
        for cause in [one for one in by_themselves if one.kind == kind and one.key not in gone]:
            for other in by_themselves:
                if other.key not in gone and _explains(cause, other):
                    parts.setdefault(cause.key, []).append(other)
                    if other.key not in open_keys:
                        gone.add(other.key)
    return [_with(cause, parts.get(cause.key, ())) for cause in by_themselves if cause.key not in gone]


def _with(cause: Cause, parts: Iterable[Cause]) -> Cause:
    behind = list(parts)
    if not behind:
        return cause
    # That Airflow or the warehouse is down is said in one line, not with a list of all that waits for it.
    said = behind if cause.feeds else []
    return dataclasses.replace(
        cause,
        gravity=gravest([cause.gravity, *(one.gravity for one in behind)]) or cause.gravity,
        detail_zh=" ".join([cause.detail_zh, *(f"{one.title_zh}。" for one in said)]),
        detail_en=" ".join([cause.detail_en, *(f"{one.title_en}." for one in said)]),
    )
