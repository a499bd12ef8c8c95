"""The counties as tiles, and what one of them has not reported."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from threegaps.duty.asking import reading
from threegaps.duty.reading.counties import LOOKED_AT, read_counties, read_county
from threegaps.duty.views.common import contract_of, pages_of, settings_of
from threegaps.standards.areas import codes_in_force, counties_by_city

router = APIRouter()


@router.get("/counties")
def counties(request: Request, feed: str | None = None) -> HTMLResponse:
    """How each county has reported the newest deliveries that are due, of all feeds or of one."""
    # Nothing chosen in the list of feeds comes as an empty text.
    feed = feed or None
    department, _, name = (feed or "").partition("/")
    contract = contract_of(request, department, name) if feed else None
    with reading(settings_of(request)) as connection:
        found = read_counties(connection, feed)
    counts = dict.fromkeys(("all", "untimed", "late", "awaited", "some", "none", "not"), 0)
    for code in codes_in_force():
        tile = found.tiles.get(code)
        counts[tile.state if tile else "not"] += 1
    return pages_of(request).page(
        request,
        "counties.html",
        found=found,
        feed=feed,
        is_shown=feed is None or any(one.feed == feed for one in found.feeds),
        contract=contract,
        cities=counties_by_city(),
        counts=counts,
    )


@router.get("/counties/{code}")
def county(request: Request, code: str) -> HTMLResponse:
    """What a county has not reported."""
    if code not in codes_in_force():
        raise HTTPException(404)
    with reading(settings_of(request)) as connection:
        found = read_county(connection, code)
    return pages_of(request).page(request, "county.html", found=found, code=code, looked_at=LOOKED_AT)
