"""The runbook within the page: what to do about an incident."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from threegaps.duty.reading.runbook import read_runbook
from threegaps.duty.speaking import Speaker
from threegaps.duty.views.common import pages_of, settings_of
from threegaps.settings import SHANGHAI

router = APIRouter()


@router.get("/runbook")
def runbook(request: Request, language: Literal["zh", "en"] | None = None) -> HTMLResponse:
    """The runbook, in the page's language or in the one that is asked for."""
    is_zh = Speaker.of(request, dt.datetime.now(SHANGHAI)).is_zh if language is None else language == "zh"
    body = read_runbook(settings_of(request).root / "docs", is_zh=is_zh)
    # It is the installation's own text, not anything that was received.
    return pages_of(request).page(request, "runbook.html", body=None if body is None else Markup(body))  # noqa: S704
