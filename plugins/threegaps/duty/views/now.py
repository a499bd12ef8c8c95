"""The first page: what somebody should look at."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from threegaps.duty.asking import reading
from threegaps.duty.reading.now import read_now
from threegaps.duty.rendering import MOST_LISTED
from threegaps.duty.views.common import pages_of, settings_of
from threegaps.settings import SHANGHAI
from threegaps.translations import in_both
from threegaps.watch.kinds import KINDS, anchor

router = APIRouter()
ANCHORS = {kind: anchor(known.runbook) for kind, known in KINDS.items()}
"""Where in the runbook stands what to do about a kind of incident."""


@router.get("/")
def now(request: Request) -> HTMLResponse:
    """What somebody should look at now."""
    with reading(settings_of(request)) as connection:
        found = read_now(connection, dt.datetime.now(SHANGHAI), most=MOST_LISTED)
    return pages_of(request).page(request, "now.html", found=found, anchors=ANCHORS, in_both=in_both)
