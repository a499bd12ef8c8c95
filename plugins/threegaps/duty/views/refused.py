"""What is refused and waits, and what is out with departments."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from threegaps.duty.asking import reading
from threegaps.duty.reading.refused import read_refused
from threegaps.duty.rendering import MOST_LISTED
from threegaps.duty.views.common import pages_of, settings_of
from threegaps.errors import LedgerError
from threegaps.ledger import tickets
from threegaps.returned import said_en, said_zh
from threegaps.warehouse import quarantine

router = APIRouter()


@router.get("/refused")
def refused(request: Request) -> HTMLResponse:
    """Refused rows by feed and rule, and tickets."""
    with reading(settings_of(request)) as connection:
        found = read_refused(connection)
    return pages_of(request).page(request, "refused.html", found=found)


@router.get("/tickets/{ticket_id}")
def ticket(request: Request, ticket_id: int) -> HTMLResponse:
    """A ticket, and how each of the rows that it sent back stands."""
    with reading(settings_of(request)) as connection:
        try:
            found = tickets.find_ticket(connection, ticket_id)
        except LedgerError:
            raise HTTPException(404) from None
        rows = tickets.rows_of(connection, ticket_id, most=MOST_LISTED)
        reasons = quarantine.reasons_by_token(connection, [one.again_row_token or one.row_token for one in rows])
    return pages_of(request).page(
        request, "ticket.html", ticket=found, rows=rows, reasons=reasons, said_zh=said_zh, said_en=said_en
    )
