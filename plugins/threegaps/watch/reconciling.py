"""What is seen against what is open: which incidents open, worsen, are told, and close."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from threegaps.ledger.incidents import Cause, Incident, graver
from threegaps.watch.kinds import KINDS, QUIET

_SKEW = dt.timedelta(minutes=1)
"""So far two clocks may be apart without one of them having been put back."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What changes in one pass.

    Args:
        opened: Causes of new incidents.
        seen: Open incidents whose cause is there still.
        worsened: Those of *seen* that have become graver.
        told: Those of *seen* that people are to be told of now, for the first time.
        closed: Open incidents whose cause is gone.
        muted: Incidents that somebody has resolved although their cause is there still.
    """

    opened: tuple[Cause, ...] = ()
    seen: tuple[tuple[Incident, Cause], ...] = ()
    worsened: tuple[tuple[Incident, Cause], ...] = ()
    told: tuple[tuple[Incident, Cause], ...] = ()
    closed: tuple[Incident, ...] = ()
    muted: tuple[tuple[Incident, Cause], ...] = ()

    def changes_to_tell(self) -> list[tuple[Incident, str]]:
        """The incidents that people are told of now, as they stood before, and what has happened to them.

        Who was never told that something opened is told nothing more of it.
        """
        told_now = {incident.cause_key for incident, _ in self.told}
        return [
            *((incident, "opened") for incident, _ in self.told),
            *(
                (incident, "worsened")
                for incident, _ in self.worsened
                if incident.announced_at is not None and incident.cause_key not in told_now
            ),
            *((incident, "closed") for incident in self.closed if incident.announced_at is not None),
        ]


def reconcile(
    incidents: Sequence[Incident],
    causes: Sequence[Cause],
    *,
    could_see: Callable[[Incident], bool],
    now: dt.datetime,
    resolved: Sequence[Incident] = (),
) -> Decisions:
    """Compare what is open with what is seen.

    A cause that comes back after its incident was closed opens another: its times are its own. One that comes back
    before its kind's `gone_after` never went.

    Args:
        incidents: The open ones.
        causes: What is seen now and stands by itself, one for each key.
        could_see: Whether the cause of one could be looked at in this pass: of the others nothing is known, and none
            closes.
        now: The instant of the pass.
        resolved: Incidents that somebody has resolved, and whose cause has been there ever since: they stay closed
            until it has gone once, is graver than it was, or another batch or delivery shows it.
    """
    seen_now = {cause.key: cause for cause in causes}
    is_open = {incident.cause_key for incident in incidents}
    muted_by = {incident.cause_key: incident for incident in resolved}
    seen = tuple((one, seen_now[one.cause_key]) for one in incidents if one.cause_key in seen_now)
    muted = tuple(
        (muted_by[key], cause)
        for key, cause in seen_now.items()
        if key not in is_open and key in muted_by and is_answered(muted_by[key], cause)
    )
    quiet = {cause.key for _, cause in muted}
    return Decisions(
        opened=tuple(cause for key, cause in seen_now.items() if key not in is_open and key not in quiet),
        seen=seen,
        worsened=tuple((one, cause) for one, cause in seen if graver(cause.gravity, one.gravity)),
        told=tuple(
            (one, cause)
            for one, cause in seen
            if one.announced_at is None and _has_passed(one.opened_at, cause.told_after, now)
        ),
        closed=tuple(
            one for one in incidents if one.cause_key not in seen_now and could_see(one) and has_gone(one, now)
        ),
        muted=muted,
    )


def is_answered(resolved: Incident, cause: Cause) -> bool:
    """Whether who resolved the incident knew all that is seen of its cause now."""
    return not graver(cause.gravity, resolved.gravity) and set(cause.occasions) <= set(resolved.occasions)


def is_fading(incident: Incident, compared_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether the newest look did not see the cause of an open incident any more, which closes unless it comes back.

    Args:
        compared_at: When what was seen was compared last with the incidents; an instant in the future, which a clock
            has left that was put back, says nothing of it.
    """
    if compared_at is None or compared_at - now > _SKEW:
        return False
    return incident.last_seen_at < compared_at and not has_gone(incident, now)


def has_gone(incident: Incident, now: dt.datetime) -> bool:
    """Whether the cause of *incident* has not been seen for so long that it is gone."""
    # A ledger may have kinds of a newer version.
    gone_after = KINDS[incident.kind].gone_after if incident.kind in KINDS else QUIET
    return _has_passed(incident.last_seen_at, gone_after, now)


def _has_passed(since: dt.datetime, span: dt.timedelta, now: dt.datetime) -> bool:
    """Whether *span* has passed; of an instant in the future, which a clock has left that was put back, it has."""
    return now - since >= span or since - now > _SKEW
