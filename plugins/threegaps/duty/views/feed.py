"""The page of one feed, with charts of what it has sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from threegaps.airflow_api import feed_dag
from threegaps.duty import charts
from threegaps.duty.asking import reading
from threegaps.duty.charts import Point, Size, line_chart
from threegaps.duty.reading.feed import read_feed
from threegaps.duty.reading.past import RULES_OVER, Measured
from threegaps.duty.speaking import Speaker, percent
from threegaps.duty.views.common import contract_of, pages_of, settings_of
from threegaps.settings import SHANGHAI
from threegaps.translations import in_both

router = APIRouter()
MOST_RULES = 12
"""So many rules have their chart at once; the others when somebody asks."""
Said = Callable[[float], str]


@router.get("/feeds/{department}/{name}")
def feed_page(request: Request, department: str, name: str, rules: Literal["all"] | None = None) -> HTMLResponse:
    """One feed: how it stands, what it has sent and what is usual of that, what is refused, how it was tried.

    Every rule has its chart where *rules* asks for all, which takes time of its own.
    """
    contract = contract_of(request, department, name)
    with reading(settings_of(request)) as connection:
        found = read_feed(
            connection,
            contract.feed,
            dt.datetime.now(SHANGHAI),
            cadence=contract.cadence,
            kind=contract.delivery_kind,
            most_rules=None if rules == "all" else MOST_RULES,
        )
    s = Speaker.of(request, dt.datetime.now(SHANGHAI))
    address = f"{request.scope.get('root_path', '')}/feeds/{contract.feed}"
    past = found.past

    def rows(value: float) -> str:
        return s.number(round(value))

    pictures = [
        (rule, _chart(s, rule.shares, address, s.say(*_RULE_SHARE), percent, size=charts.SMALL, rule=rule.rule))
        for rule in (past.rules if rules == "all" else past.rules[:MOST_RULES])
    ]
    return pages_of(request).page(
        request,
        "feed.html",
        contract=contract,
        due_day=in_both(contract.due_day),
        found=found,
        volume=_chart(s, past.volumes, address, s.say(*_VOLUME), rows),
        refused_share=_chart(s, past.refused, address, s.say(*_REFUSED_SHARE), percent),
        pictures=pictures,
        rules_over=RULES_OVER,
        messages={one.rule: (one.message_zh, one.message_en) for one in (*contract.rules, *contract.batch_rules)},
        percent=percent,
        dag_id=feed_dag(contract.feed),
    )


_USUAL = ("平常", "usually")
_VOLUME = ("接收行数", "rows received")
_REFUSED_SHARE = ("拒收比例", "share refused")
_RULE_SHARE = ("未通过比例", "share that broke it")


def _per_cent_exactly(value: float) -> str:
    return f"{value:.3g}%"


def _chart(
    s: Speaker,
    measured: Sequence[Measured],
    address: str,
    label: str,
    said: Said,
    *,
    size: Size = charts.LARGE,
    rule: str | None = None,
) -> Markup | None:
    """The picture of *measured*; None where there is nothing to draw.

    Args:
        address: The feed's.
        label: What is shown.
        said: How a value is said.
        rule: The one whose rows are led to.
    """
    if not measured:
        return None
    last = len(measured) - 1
    return line_chart(
        [
            # A small picture leads only to what it marks.
            _point(s, one, address, said, rule, is_said=not size.is_small or index == last)
            for index, one in enumerate(measured)
        ],
        label=label,
        ends=(measured[0].delivered.delivery, measured[-1].delivered.delivery),
        # At the side stands the round number itself, not what it is nearly.
        tick=_per_cent_exactly if said is percent else said,
        size=size,
    )


def _point(s: Speaker, one: Measured, address: str, said: Said, rule: str | None, *, is_said: bool) -> Point:
    delivered = one.delivered
    is_out = one.is_out or not delivered.is_loaded
    if not (is_said or is_out):
        return Point(delivered.delivery_end.toordinal(), one.value, one.low, one.high, is_out=False, title="", href="")
    parts = [f"{delivered.delivery}: {said(one.value)}"]
    if one.low is not None and one.high is not None:
        parts.append(f"{s.say(*_USUAL)} {said(one.low)} – {said(one.high)}")
    if not delivered.is_loaded:
        parts.append(s.say("被规则停止,未载入", "stopped by a rule, not loaded"))
    return Point(
        at=delivered.delivery_end.toordinal(),
        value=one.value,
        low=one.low,
        high=one.high,
        is_out=is_out,
        title=s.say(",", ", ").join(parts),
        href=f"{address}/{delivered.delivery}" + (f"?rule={rule}#rows" if rule else ""),
    )
