"""What people do on the duty page: each action is written down with their name, and needs the right to change DAGs."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from threegaps import feed_run
from threegaps.duty.access import writer_of
from threegaps.duty.asking import acting, writing
from threegaps.duty.views.common import contract_of, delivery_of, settings_of
from threegaps.duty.workbooks import attached, write_refused
from threegaps.ledger import incidents, tickets
from threegaps.settings import SHANGHAI

router = APIRouter()
_MOST_CHARACTERS = 2_000
Chosen = Annotated[str | None, Body(embed=True, max_length=200)]
Said = Annotated[str, Body(embed=True, max_length=_MOST_CHARACTERS)]


def _now() -> dt.datetime:
    return dt.datetime.now(SHANGHAI)


@router.post("/incidents/{incident_id}/acknowledge")
def acknowledge(request: Request, incident_id: int) -> dict[str, str]:
    """Note that who asks has taken notice of an incident."""
    by = writer_of(request).name
    with writing(settings_of(request)) as connection:
        incidents.acknowledge(connection, incident_id, by=by, at=_now())
    return {}


@router.post("/incidents/{incident_id}/assign")
def assign(request: Request, incident_id: int, to: Said) -> dict[str, str]:
    """Give an incident to somebody."""
    by = writer_of(request).name
    with writing(settings_of(request)) as connection:
        incidents.assign(connection, incident_id, to=to, by=by, at=_now())
    return {}


@router.post("/incidents/{incident_id}/resolve")
def resolve(request: Request, incident_id: int, why: Said, seen: Chosen = None) -> dict[str, str]:
    """Close an incident for a reason, given for what the page has shown of it."""
    by = writer_of(request).name
    with writing(settings_of(request)) as connection:
        incidents.resolve(connection, incident_id, by=by, why=why, at=_now(), seen=seen)
    return {}


@router.post("/feeds/{department}/{name}/tickets")
def send_back(
    request: Request,
    department: str,
    name: str,
    to: Said,
    delivery: Chosen = None,
    rule: Chosen = None,
    county: Chosen = None,
) -> Response:
    """The workbook of open refused rows that goes to a department, and a ticket that says when it went and to whom."""
    by = writer_of(request).name
    settings = settings_of(request)
    contract = contract_of(request, department, name)
    key = delivery_of(delivery) if delivery else None
    with tempfile.TemporaryDirectory() as folder, acting(settings) as connection:
        path, rows = write_refused(
            connection, settings, contract, Path(folder), delivery=key, rule=rule or None, county=county or None
        )
        number = tickets.open_ticket(connection, contract.feed, rows, sent_to=to, sent_by=by, file=path, at=_now())
        return attached(path, **{"X-ThreeGaps-Ticket": str(number)})


@router.post("/tickets/{ticket_id}/answer")
def answer(request: Request, ticket_id: int, said: Said) -> dict[str, str]:
    """Note what a department has answered where no row comes back."""
    by = writer_of(request).name
    with writing(settings_of(request)) as connection:
        tickets.answer(connection, ticket_id, said=said, by=by, at=_now())
    return {}


@router.post("/batches/{batch_id}/accept")
def accept(request: Request, batch_id: int, why: Said) -> dict[str, str]:
    """Note the decision that a stopped batch is meant; the page then starts the run that lands and obeys it."""
    by = writer_of(request).name
    settings = settings_of(request)
    with writing(settings) as connection:
        feed_run.accept_for_next_load(settings, connection, batch_id, accepted_by=by, reason=why)
    return {}
