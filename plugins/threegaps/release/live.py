"""What readers see of the ledger as it stands now, not as a release found it: how feeds stand, and how they report.

Readers have no right on the ledger. So these views, unlike all others, read it with their owner's rights, and say
themselves who sees which rows: those who see all of ``marts`` all of them, a county its own. Nothing that a department
sent and no free text stands in them.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from threegaps.labels import ATTEMPT_OUTCOMES, CAUSES, FEED_STATES, coded_zh
from threegaps.ledger.attempts import LAST_ATTEMPTS
from threegaps.ledger.batches import has_originals, latest_first
from threegaps.ledger.expected import MOMENT, standing_at
from threegaps.ledger.summaries import COUNTS, PERIODS, STATE, cadences, counted
from threegaps.release.rights import READERS
from threegaps.release.views import ViewColumn, columns_of, ensure_view_of
from threegaps.standards.areas import PROVINCE

# Asked once, not of each row.
_SEES_ALL = "(select pg_has_role(current_user, 'bi_reader', 'usage') or pg_has_role(current_user, 'pipeline', 'usage'))"

_HEALTH_BEGINNING = f"""
with standing as ({standing_at(MOMENT)}),
-- corrections and repairs are no deliveries: their few rows would read as a feed that collapsed
latest as (
    select f.feed, d.delivery, d.status, d.received, d.refused, d.stop_rule
    from ops.feed_totals as f
    cross join lateral (
        select b.delivery, b.status, b.received, b.refused, b.stop_rule from ops.batch as b
        where b.feed = f.feed and {has_originals("b")}
        order by {latest_first("b")}, b.batch_id desc limit 1
    ) as d
),
attempt as (
    {LAST_ATTEMPTS}
),
known as (
    select s.feed from standing as s union select t.feed from ops.feed_totals as t
)
"""
_HEALTH_SOURCE = f"""
from known as k
left join standing as s using (feed)
left join ops.feed_totals as t using (feed)
left join latest as l using (feed)
left join attempt as a using (feed)
where {_SEES_ALL}
"""
# What a feed is by what it owes; that it fails, stops or shrinks stands in columns of its own.
_OWING_STATES = ("late", "incomplete", "awaited", "in_time", "not_due", "paused", "closed", "retired")
_HEALTH: tuple[ViewColumn, ...] = (
    ("feed", "k.feed", "数据源 | feed"),
    ("last_delivery", "l.delivery", "最近报送期 | last delivery"),
    ("last_status", "l.status", "最近批次状态 | status of the last batch"),
    (
        "last_received",
        "l.received",
        "最近一次交付的接收行数(行),不含更正与修复 | rows received in the last delivery, corrections and repairs apart",
    ),
    (
        "last_refused",
        "l.refused",
        "最近一次交付的拒收行数(行),不含更正与修复 | rows refused in the last delivery, corrections and repairs apart",
    ),
    ("last_stop_rule", "l.stop_rule", "最近批次停止规则 | rule that stopped it"),
    ("batches_loaded", "coalesce(t.batches_loaded, 0)", "已载入批次(个) | batches loaded"),
    ("batches_stopped", "coalesce(t.batches_stopped, 0)", "已停止批次(个) | batches stopped"),
    ("batches_failed", "coalesce(t.batches_failed, 0)", "失败批次(个) | batches failed"),
    (
        "rows_received",
        "coalesce(t.received, 0)",
        "接收行数(行),各期以最近一次载入的判定为准 | rows received, by the latest loaded judgement of each delivery",
    ),
    (
        "rows_accepted",
        "coalesce(t.accepted, 0)",
        "受理行数(行),各期以最近一次载入的判定为准 | rows accepted, by the latest loaded judgement of each delivery",
    ),
    (
        "rows_refused",
        "coalesce(t.refused, 0)",
        "拒收行数(行),各期以最近一次载入的判定为准 | rows refused, by the latest loaded judgement of each delivery",
    ),
    (
        "rows_duplicate",
        "coalesce(t.duplicates, 0)",
        "重复行数(行),各期以最近一次载入的判定为准 | duplicate rows, by the latest loaded judgement of each delivery",
    ),
    (
        "refused_percent",
        "round(t.refused * 100.0 / nullif(t.received, 0), 4)::numeric(9,4)",
        "拒收比例(%) | refused (%)",
    ),
    ("refused_open", "coalesce(t.refused_open, 0)", "待处理的拒收行(行) | refused rows still open"),
    (
        "complete_to",
        "t.complete_to",
        "数据完整至:最后一个完整报送期的末日 | the last day of the last complete delivery",
    ),
    ("last_loaded_at", "t.last_loaded_at", "最近载入时间 | last loaded at"),
    (
        "state",
        "coalesce(s.state, 'retired')",
        f"应报状态({coded_zh(FEED_STATES, *_OWING_STATES)})"
        f" | how it stands by what it owes: {', '.join(FEED_STATES[state][1] for state in _OWING_STATES)}",
    ),
    ("due_delivery", "s.delivery", "最近一个已到期的应报报送期 | the latest delivery that is due"),
    (
        "due_on",
        "(s.due_at at time zone 'Asia/Shanghai')::date",
        "该期应报日,遇休息日按合同顺延 | its due day, moved to a working day where the contract says so",
    ),
    ("due_at", "s.due_at", "该期应报时刻,含宽限 | its due moment, with its grace"),
    (
        "days_late",
        "coalesce(s.days_late, 0)",
        "迟到天数(天),自最早一个未交齐报送期的应报日起算,早于接入之日的自接入之日起算"
        " | days since the due day of the oldest delivery still owed, or since the feed became known here, if later",
    ),
    (
        "deliveries_late",
        "coalesce(s.deliveries_late, 0)",
        "已到期而未交齐的报送期(个) | deliveries that are due and have not come whole",
    ),
    (
        "counties_missing",
        "coalesce(s.counties_missing, 0)",
        "已到的交付中缺报的县(市、区)次 | counties that are missing from deliveries that have come",
    ),
    ("next_due_at", "s.next_due_at", "下一个应报时刻 | the next due moment"),
    ("last_attempt_at", "a.started_at", "最近一次取数或载入的开始时间 | when it was tried last"),
    ("last_attempt_step", "a.step", "所试步骤(land取数,load载入) | step: landing or loading"),
    (
        "last_attempt_outcome",
        "a.outcome",
        f"结果({coded_zh(ATTEMPT_OUTCOMES)}) | how it ended; cut off: it never said how",
    ),
    ("last_attempt_cause", "a.cause", f"未成的原因({coded_zh(CAUSES)}) | kind of cause where it failed or waits"),
    (
        "judged_at",
        MOMENT,
        "判断所依时刻:合成环境为其自身日期 | the moment that is judged by; in the sandbox its own day",
    ),
)

_PERIODS = ", ".join(
    f"('{period.name}', date_trunc('{period.name}', u.delivery_end)::date,"
    f" array[{', '.join(repr(cadence) for cadence in cadences(period))}])"
    for period in PERIODS
)
_RATE_BEGINNING = f"""
with moment as materialized (select {MOMENT} as judged_at),
since as materialized (
    -- what has become due since the sums were written, some minutes as a rule; or is not any more, by a clock put back
    select f.feed, d.delivery, d.cadence, d.delivery_end, case when d.due_at <= m.judged_at then 1 else -1 end as sign,
        {", ".join(f"d.{name}" for name in COUNTS)}
    from moment as m
    cross join ops.feed as f
    -- "offset 0", here and below: feed by feed by the index, whatever the server thinks of the sizes
    cross join lateral (
        select s.* from ops.delivery_summary as s
        where s.feed = f.feed and s.expected > 0
            and s.due_at > least(coalesce(f.summed_to, '-infinity'), m.judged_at)
            and s.due_at <= greatest(f.summed_to, m.judged_at)
        offset 0
    ) as d
),
unit as (
    select s.feed, '{PROVINCE}' as area_code, s.cadence, s.delivery_end, s.sign,
        {", ".join(f"s.{name}" for name in COUNTS)}
    from since as s
    union all
    select s.feed, e.county_code, s.cadence, s.delivery_end, s.sign, {", ".join(counted("e.state"))}
    from since as s
    cross join lateral (
        select e.county_code, {STATE.format(e="e")} as state from ops.expected_delivery as e
        where e.feed = s.feed and e.delivery = s.delivery and e.county_code <> ''
        offset 0
    ) as e
),
added as materialized (
    select u.feed, u.area_code, p.period_type, p.period_start,
        {", ".join(f"sum(u.sign * u.{name})::integer as {name}" for name in COUNTS)}
    from unit as u
    cross join lateral (values {_PERIODS}) as p (period_type, period_start, cadences)
    where u.cadence = any(p.cadences)
    group by u.feed, u.area_code, p.period_type, p.period_start
),
rate as (
    select s.feed, s.area_code, s.area_level, s.period_type, s.period_start, s.period_end,
        {", ".join(f"s.{name} + coalesce(a.{name}, 0) as {name}" for name in COUNTS)}
    from ops.reporting_summary as s
    left join added as a using (feed, area_code, period_type, period_start)
)
"""


def _percent(counted: str, of: str) -> str:
    return f"round({counted} * 100.0 / nullif({of}, 0), 2)::numeric(5,2)"


_TIMED = "r.expected - r.untimed"
_RATE: tuple[ViewColumn, ...] = (
    ("feed", "r.feed", "数据源 | feed"),
    (
        "area_code",
        "r.area_code",
        "地区代码:全省为该数据源合计,县(市、区)仅限分县报送的数据源 | area: the province is the feed's total",
    ),
    (
        "area_level",
        "r.area_level",
        "地区层级(province全省合计,county县),求和前须选其一 | level: choose one before adding up",
    ),
    (
        "period_type",
        "r.period_type",
        "期别(month月,quarter季,year年),求和前须选其一 | type of period: choose one before adding up",
    ),
    (
        "period_start",
        "r.period_start",
        "期初:报送期按其末日归期 | first day; deliveries belong to the period of their last day",
    ),
    ("period_end", "r.period_end", "期末 | last day"),
    ("expected", "r.expected", "应报(次):已到期且未暂停 | owed: due and not paused"),
    ("arrived", "r.arrived", "已到(次) | arrived, on time or not, whole or not, empty or not"),
    ("on_time", "r.on_time", "按期到齐且非空(次) | whole, with rows, and in time"),
    ("late", "r.late", "到齐但迟到(次) | whole, with rows, and late"),
    ("empty", "r.empty", "空报(次),不计按期 | without a row: never on time"),
    ("incomplete", "r.incomplete", "未到齐(次) | a part has come"),
    (
        "untimed",
        "r.untimed",
        "到齐而无从判断是否按期(次):应报日在本系统接入之前 | due before it was asked for here: nobody can tell",
    ),
    ("missing", "r.expected - r.arrived", "未到(次) | missing"),
    ("arrived_percent", _percent("r.arrived", "r.expected"), "报送率(%):已到÷应报 | arrived by owed (%)"),
    (
        "on_time_percent",
        _percent("r.on_time", _TIMED),
        "按期率(%):按期÷可判断的应报 | on time by what is owed and can be timed (%)",
    ),
    ("late_percent", _percent("r.late", _TIMED), "迟到率(%):迟到÷可判断的应报 | late by the same (%)"),
    ("empty_percent", _percent("r.empty", "r.expected"), "空报率(%):空报÷应报 | empty by owed (%)"),
    (
        "missing_percent",
        _percent("(r.expected - r.arrived)", "r.expected"),
        "缺报率(%):未到÷应报 | missing by owed (%)",
    ),
)
_RATE_SOURCE = f"""
from rate as r
where r.expected > 0 and ({_SEES_ALL} or r.area_code = (select marts.county_of(current_user) collate "default"))
"""


def apply_live(connection: psycopg.Connection[Any]) -> None:
    """Make the views; may be repeated. Neither rests on anything that dbt makes."""
    _put_released_health_aside(connection)
    ensure_view_of(
        connection,
        ("marts", "feed_health"),
        _HEALTH,
        beginning=_HEALTH_BEGINNING,
        source=_HEALTH_SOURCE,
        comment="各数据源的运行状况,随台账即时更新,不等发布(唯一键 feed)"
        " | the state of each feed, as the ledger has it now, between releases too",
        readers=READERS,
        has_owners_rights=True,
    )
    ensure_view_of(
        connection,
        ("marts", "reporting_rate"),
        _RATE,
        beginning=_RATE_BEGINNING,
        source=_RATE_SOURCE,
        comment="各数据源、地区、期别的应报、已到、按期、迟到、空报与缺报,随台账即时更新"
        "(唯一键 feed, area_code, period_type, period_start)"
        " | what each feed owes and what has come of it, by area and period, as the ledger has it now",
        readers=READERS,
        has_owners_rights=True,
    )


def _put_released_health_aside(connection: psycopg.Connection[Any]) -> None:
    """Where releases served ``feed_health`` as a table, its name is the view's now; its past stays where it was."""
    row = connection.execute(
        "select relkind = 'r' from pg_class where oid = to_regclass('marts.feed_health')"
    ).fetchone()
    if row is None or not row[0]:
        return
    for table in ("marts.feed_health", "history.feed_health"):
        # A free text that was served once may not be read any more, in the past either.
        if "last_message_zh" in columns_of(connection, *table.split(".")):
            connection.execute(
                sql.SQL("update {} set last_message_zh = null where last_message_zh is not null").format(
                    sql.Identifier(*table.split("."))
                )
            )
    connection.execute("alter table marts.feed_health rename to feed_health_released")
    connection.execute("alter table marts.feed_health_released set schema history")
