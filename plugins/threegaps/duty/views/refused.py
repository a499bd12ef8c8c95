"""What is refused and waits, and what is out with departments."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from threegaps.duty.asking import reading
from threegaps.duty.reading.refused import read_refused
from threegaps.duty.views.common import pages_of, settings_of

router = APIRouter()


@router.get("/refused")
def refused(request: Request) -> HTMLResponse:
    """Refused rows by feed and rule, and tickets."""
    with reading(settings_of(request)) as connection:
        found = read_refused(connection)
    return pages_of(request).page(request, "refused.html", found=found)
