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

MOST_WORKBOOK_ROWS = 50_000
"""Made while somebody waits, within Airflow's own server; `threegaps quarantine export` makes larger ones."""
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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


def delivery_of(contract: Contract, key: str) -> str:
    """The delivery of this name.

    Raises:
        HTTPException: 404, where a feed of this cadence has none of such a name.
    """
    try:
        return Delivery.parse(contract.cadence, key).key
    except SettingsError:
        raise HTTPException(404) from None


def workbook_name(
    contract: Contract, delivery: str | None, rule: str | None, county: str | None, form: str = "xlsx"
) -> str:
    """What a file of refused rows is called: the feed, and what was chosen of it.

    Raises:
        HTTPException: 404, where there is nothing of such a name to choose.
    """
    key = delivery_of(contract, delivery) if delivery else None
    if rule and rule not in {one.rule for one in (*contract.rules, *contract.batch_rules)}:
        raise HTTPException(404)
    if county and not (county.isascii() and county.isalnum()):
        raise HTTPException(404)
    named = "_".join(part for part in (contract.feed.replace("/", "_"), key, rule, county) if part)
    return f"{named}.{form}"


def feed_of_dag(request: Request, dag_id: str) -> str | None:
    """The feed whose DAG this is; None where it is that of none."""
    return next((feed for feed in feeds_below(settings_of(request).contracts_folder) if feed_dag(feed) == dag_id), None)
