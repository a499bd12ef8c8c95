"""The page of releases: what serves, what changed and why, what is held, and what waits."""

from __future__ import annotations

from decimal import Decimal

import psycopg
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from threegaps.duty.asking import reading
from threegaps.duty.comparing import Comparisons
from threegaps.duty.reading.release import deliveries_of, read_releases
from threegaps.duty.views.common import pages_of, settings_of
from threegaps.duty.views.now import ANCHORS
from threegaps.errors import of_warehouse
from threegaps.release import holds
from threegaps.release.history import Cause, Comparison
from threegaps.release.wording import cause_text
from threegaps.translations import in_both

router = APIRouter()
_MOST_DELIVERIES = 4
_ASK_AGAIN_SECONDS = 3
_LAST_RELEASE = 2_147_483_647


@router.get("/release")
def release(request: Request, release: int | None = None) -> HTMLResponse:
    """What serves and what changed against the release before, or what another *release* changed."""
    settings = settings_of(request)
    if release is not None and not 0 < release <= _LAST_RELEASE:
        raise HTTPException(404)
    difference: Comparison | None = None
    failed = ("", "")
    with reading(settings) as connection:
        found = read_releases(connection, release)
        if release is not None and found.chosen is None:
            raise HTTPException(404)
        if found.chosen is not None and found.before is not None:
            comparisons: Comparisons = request.app.state.comparisons
            try:
                difference = comparisons.ask(found.before, found.chosen, state=found.state)
            except psycopg.Error as error:
                failed = in_both(of_warehouse(error))
        held = holds.held(connection)
        causes = [cause for one in difference.indicators for cause in one.causes] if difference else []
        deliveries = deliveries_of(connection, {batch for cause in causes for batch in cause.batches})
    is_under_way = found.before is not None and difference is None and not failed[1]
    page = pages_of(request).page(
        request,
        "release.html",
        found=found,
        difference=difference,
        is_under_way=is_under_way,
        failed=failed,
        held=held,
        said=_said,
        figure=_figure,
        in_both=in_both,
        anchors=ANCHORS,
        leads_to=lambda cause: _leads_to(cause, deliveries),
    )
    if is_under_way:
        page.headers["Refresh"] = str(_ASK_AGAIN_SECONDS)
    return page


def _said(cause: Cause) -> tuple[str, str]:
    """A cause in Chinese and in English."""
    return in_both(cause_text(cause))


def _leads_to(cause: Cause, deliveries: dict[int, str]) -> list[tuple[str, str]]:
    """The feed and the delivery of each batch of a cause, a few at most, the latest first."""
    if cause.cause != "batch" or cause.source is None:
        return []
    named = dict.fromkeys(deliveries[batch] for batch in reversed(cause.batches) if batch in deliveries)
    return [(cause.source, delivery) for delivery in list(named)[:_MOST_DELIVERIES]]


def _figure(value: Decimal | None) -> str:
    """A figure as people read it."""
    return "–" if value is None else f"{value:,.4f}".rstrip("0").rstrip(".")
