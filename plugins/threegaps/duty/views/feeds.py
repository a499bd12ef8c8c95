"""Feeds by deliveries, and the ways from Airflow's own pages to them."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from threegaps.duty.asking import reading
from threegaps.duty.reading.grid import feed_rows
from threegaps.duty.views.common import feed_of_dag, pages_of, settings_of
from threegaps.ledger.attempts import delivery_of_run
from threegaps.settings import SHANGHAI

router = APIRouter()


@router.get("/feeds")
def feeds(request: Request) -> HTMLResponse:
    """All feeds with what has become of their last deliveries."""
    with reading(settings_of(request)) as connection:
        rows = feed_rows(connection, dt.datetime.now(SHANGHAI))
    return pages_of(request).page(request, "feeds.html", rows=rows)


@router.get("/dag/{dag_id}")
def of_dag(request: Request, dag_id: str) -> Response:
    """From a DAG to its feed; of another DAG, to what somebody should look at."""
    feed = feed_of_dag(request, dag_id)
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/feeds/{feed}" if feed else f"{root}/", status_code=303)


@router.get("/dag/{dag_id}/run/{run_id:path}")
def of_run(request: Request, dag_id: str, run_id: str) -> Response:
    """From a run to the delivery that it fetched or loaded last; of one that did neither, to its feed."""
    feed = feed_of_dag(request, dag_id)
    root = request.scope.get("root_path", "")
    if feed is None:
        return RedirectResponse(f"{root}/", status_code=303)
    with reading(settings_of(request)) as connection:
        delivery = delivery_of_run(connection, feed, run_id)
    return RedirectResponse(f"{root}/feeds/{feed}/{delivery}" if delivery else f"{root}/feeds/{feed}", status_code=303)
