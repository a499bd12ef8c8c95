"""What is told of an incident: one message for each change and channel, in Chinese and in English."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from threegaps.labels import INCIDENT_CHANGES, INCIDENT_GRAVITIES
from threegaps.ledger.incidents import WATCH, Incident
from threegaps.standards.moments import clock
from threegaps.translations import in_both
from threegaps.watch.kinds import command, runbook
from threegaps.watch.looks.wording import lasting, listed
from threegaps.watch.message import SYNTHETIC_MARK, Message, incident_message_id

_MOST_CODES = 12


def incident_message(
    incident: Incident, change: str, channel: str, *, is_synthetic: bool, now: dt.datetime, teller: str = ""
) -> Message:
    """The message on one change of *incident* through *channel*; its id is the same whoever makes it and when.

    Args:
        incident: As it stands after the change.
        change: ``opened``, ``worsened`` or ``closed``.
        channel: Name of the channel.
        is_synthetic: The departments are the sandbox's.
        now: When the change happened.
        teller: Machine and home of the watch that tells it past the ledger, where others may tell the same.
    """
    opening = incident_message_id(incident.cause_key, incident.opened_at, "opened", channel)
    this = incident_message_id(incident.cause_key, incident.opened_at, change, channel)
    change_zh, change_en = INCIDENT_CHANGES[change]
    gravity_zh, gravity_en = INCIDENT_GRAVITIES[incident.gravity]
    mark = SYNTHETIC_MARK if is_synthetic else ""
    head = f"{mark}[{gravity_zh} {gravity_en} · {change_zh} {change_en}]"
    return Message(
        message_id=this,
        incident_id=incident.incident_id or None,
        change=change,
        gravity=incident.gravity,
        subject=f"{head} {incident.title_zh} · {incident.title_en}",
        text="\n".join(
            [
                *_lines(incident, now, is_zh=True),
                *([f"由{teller}的值守程序告知;数据仓库无应答时,各处值守程序各自告知。"] if teller else []),
                "",
                *_lines(incident, now, is_zh=False),
                *([f"Told by the watch of {teller}; while the warehouse is silent each home tells."] if teller else []),
            ]
        ),
        content={**_content(incident, change), **({} if change == "opened" else {"reply_to": opening})},
    )


def _lines(incident: Incident, now: dt.datetime, *, is_zh: bool) -> list[str]:
    long = lasting(incident.opened_at, incident.closed_at or now)[0 if is_zh else 1]
    codes = listed(incident.indicator_codes, most=_MOST_CODES)[0 if is_zh else 1]
    feeds = listed(incident.feeds)[0 if is_zh else 1]
    number = str(incident.incident_id) if incident.incident_id else ""
    # What the watch notes has both languages in it; what a person wrote is left as it is.
    noted = incident.resolution or ""
    why = in_both(noted)[0 if is_zh else 1] if incident.closed_by == WATCH else noted
    by = (
        ""
        if incident.closed_by in {None, WATCH}
        else f"由{incident.closed_by}"
        if is_zh
        else f" by {incident.closed_by}"
    )
    if is_zh:
        was = "曾" if incident.closed_at is not None else ""
        lines = [incident.title_zh, incident.detail_zh]
        lines += [f"数据源:{feeds}{f';部门:{incident.department}' if incident.department else ''}。"] if feeds else []
        lines += [f"{was}影响指标:{codes};指标库:{'、'.join(incident.marts)}。"] if codes else []
        if incident.closed_at is not None:
            return [*lines, f"发现于{clock(incident.opened_at)},持续{long},{by}已解除:{why}。"]
        lines += [f"发现于{clock(incident.opened_at)}({long})。处理办法:{runbook(incident.kind, is_zh=True)}"]
        return lines + ([f"知悉:threegaps incidents acknowledge {number}"] if number else [])
    holds = "held" if incident.closed_at is not None else "holds"
    lines = [_sentence(incident.title_en), incident.detail_en]
    lines += (
        [f"Feeds: {feeds}{f'; department: {incident.department}' if incident.department else ''}."] if feeds else []
    )
    lines += [f"It {holds} up {codes}; marts: {', '.join(incident.marts)}."] if codes else []
    if incident.closed_at is not None:
        return [*lines, f"Seen at {clock(incident.opened_at)}, lasted {long}, closed{by}: {why}."]
    lines += [f"Seen at {clock(incident.opened_at)} ({long} ago). What to do: {runbook(incident.kind)}"]
    return lines + ([f"To acknowledge: threegaps incidents acknowledge {number}"] if number else [])


def _content(incident: Incident, change: str) -> Mapping[str, Any]:
    return {
        "incident_id": incident.incident_id or None,
        "change": change,
        "cause_key": incident.cause_key,
        "kind": incident.kind,
        "gravity": incident.gravity,
        "title_zh": incident.title_zh,
        "title_en": incident.title_en,
        "detail_zh": incident.detail_zh,
        "detail_en": incident.detail_en,
        "feeds": list(incident.feeds),
        "department": incident.department,
        "indicator_codes": list(incident.indicator_codes),
        "marts": list(incident.marts),
        "opened_at": incident.opened_at.isoformat(),
        "closed_at": incident.closed_at.isoformat() if incident.closed_at else None,
        "closed_by": incident.closed_by,
        "resolution": incident.resolution,
        "runbook": runbook(incident.kind),
        "command": command(incident.kind, incident.feed),
    }


def _sentence(text: str) -> str:
    # A feed's key is copied into commands: it stays as it is written.
    is_key = "/" in text.partition(" ")[0]
    return f"{text}." if is_key else f"{text[:1].upper()}{text[1:]}."
