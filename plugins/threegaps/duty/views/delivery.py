"""The page of one delivery, and the workbook of its refused rows."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from threegaps.airflow_api import feed_dag
from threegaps.duty.asking import reading
from threegaps.duty.reading.delivery import read_delivery
from threegaps.duty.views.common import contract_of, delivery_of, pages_of, settings_of
from threegaps.duty.workbooks import FORMS, attached, write_refused
from threegaps.feed_run.accepting import acceptable_rules
from threegaps.returned import Returned, said_en, said_zh
from threegaps.translations import in_both
from threegaps.warehouse import quarantine

router = APIRouter()


# Before the page of a delivery, whose address fits this one, too.
@router.get("/feeds/{department}/{name}/refused.{form}")
def workbook(
    request: Request,
    department: str,
    name: str,
    form: str,
    delivery: str | None = None,
    rule: str | None = None,
    county: str | None = None,
) -> Response:
    """The workbook, or the CSV, of open refused rows for the department."""
    if form not in FORMS:
        raise HTTPException(404)
    contract = contract_of(request, department, name)
    settings = settings_of(request)
    key = delivery_of(delivery) if delivery else None
    with tempfile.TemporaryDirectory() as folder, reading(settings) as connection:
        path, _ = write_refused(
            connection,
            settings,
            contract,
            Path(folder),
            delivery=key,
            rule=rule or None,
            county=county or None,
            form=form,
        )
        return attached(path)


@router.get("/feeds/{department}/{name}/{delivery}")
def delivery_page(
    request: Request,
    department: str,
    name: str,
    delivery: str,
    rule: str | None = None,
    county: str | None = None,
) -> HTMLResponse:
    """One delivery: tried when, judged how, which rows are refused and why."""
    contract = contract_of(request, department, name)
    key = delivery_of(delivery)
    with reading(settings_of(request)) as connection:
        found = read_delivery(connection, contract.feed, key, rule=rule or None, county_code=county or None)
    returned = Returned(contract, (), [quarantine.as_returned(row) for row in found.rows], is_synthetic=False)
    marked = [(row, returned.wrong_columns(one)) for row, one in zip(found.rows, returned.rows, strict=True)]
    return pages_of(request).page(
        request,
        "delivery.html",
        contract=contract,
        delivery=key,
        found=found,
        marked=marked,
        # What is wrong stands beside the reason, not far to the right.
        columns=sorted(contract.sent_columns, key=lambda one: all(one.name not in wrong for _, wrong in marked)),
        rules={one.rule: one for one in (*contract.rules, *contract.batch_rules)},
        rule=rule,
        county=county,
        dag_id=feed_dag(contract.feed),
        acceptable=acceptable_rules(contract),
        in_both=in_both,
        said_zh=said_zh,
        said_en=said_en,
    )
