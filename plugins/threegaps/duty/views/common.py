"""What several pages need of a request, and of a feed's contract."""

from __future__ import annotations

from fastapi import HTTPException, Request

from threegaps.airflow_api import feed_dag
from threegaps.calendar import Delivery
from threegaps.contracts.loader import feeds_below, find_contract
from threegaps.contracts.model import Contract
from threegaps.duty.rendering import Pages
from threegaps.errors import SettingsError
from threegaps.settings import Settings


def settings_of(request: Request) -> Settings:
    """The installation."""
    settings: Settings = request.app.state.settings
    return settings


def pages_of(request: Request) -> Pages:
    """Its templates."""
    pages: Pages = request.app.state.pages
    return pages


def contract_of(request: Request, department: str, name: str) -> Contract:
    """The contract of a feed.

    Raises:
        HTTPException: 404, where there is none.
    """
    folder = settings_of(request).contracts_folder
    feed = f"{department}/{name}"
    if feed not in feeds_below(folder):
        raise HTTPException(404)
    return find_contract(folder, feed)


def delivery_of(key: str) -> str:
    """The delivery of this name, of whatever cadence: a feed may have had another one.

    Raises:
        HTTPException: 404, where it is the name of none.
    """
    try:
        return Delivery.of_key(key).key
    except SettingsError:
        raise HTTPException(404) from None


def feed_of_dag(request: Request, dag_id: str) -> str | None:
    """The feed whose DAG this is; None where it is that of none."""
    return next((feed for feed in feeds_below(settings_of(request).contracts_folder) if feed_dag(feed) == dag_id), None)
