"""Snapshots for tests: one of everything, one of a watch that could read nothing, one without trouble."""

from __future__ import annotations

import datetime as dt

from threegaps.settings import SHANGHAI
from threegaps.watch.snapshot import (
    ChannelSeen,
    FeedSeen,
    IncidentSeen,
    Look,
    OutboxSeen,
    Queue,
    ReleaseSeen,
    Snapshot,
)

NOW = dt.datetime(2026, 11, 27, 15, 0, tzinfo=SHANGHAI)
HOUR = dt.timedelta(hours=1)

LATE = FeedSeen(
    "hrss/wage_records",
    "hrss",
    "缴费工资记录",
    "Contribution wages",
    ("late", "shrinking"),
    "2026-09",
    NOW - 240 * HOUR,
    due_delivery="2026-11",
    due_on=dt.date(2026, 11, 26),
    late_delivery="2026-10",
    late_since=dt.date(2026, 11, 20),
    deliveries_late=2,
    days_late=7,
    counties_missing=3,
    received_rows=120_000,
    refused_rows=1_500,
    open_refusals=1_730,
)
DEAD = FeedSeen(
    "market/employers",
    "market",
    "经营主体",
    "Employers",
    ("unreachable",),
    None,
    due_delivery="2026-11-27",
    last_cause="unreachable",
    last_words_zh="10.1.2.3:5432 拒绝连接,3 次,自 14:20",
    last_words_en="10.1.2.3:5432 connection refused, 3 times, since 14:20",
)
FINE = FeedSeen(
    "education/schools", "education", "学校名录", "Schools", ("in_time",), newest_delivery="2026Q3", received_rows=0
)

WHOLE = Snapshot(
    taken_at=NOW,
    pass_seconds=0.42,
    interval_seconds=15,
    is_synthetic=True,
    looks=(Look("ledger", True), Look("airflow_api", False, "没有应答", "no answer in time")),
    feeds=(FINE, LATE, DEAD),
    incidents=(
        IncidentSeen(
            7,
            "feed_late:hrss/wage_records",
            "feed_late",
            "warning",
            "缴费工资记录 2026-10 迟到 7 天",
            "Contribution wages 2026-10: 7 days late",
            NOW - 20 * HOUR,
            "最近一次尝试:文件夹里没有。",
            "Last attempt: not in the folder.",
            "hrss/wage_records",
            "hrss",
            "王值班",
            indicator_codes=tuple(f"M14-{number}" for number in range(1, 16)),
            marts=("action_4_better_pay", "three_gaps"),
            command="threegaps feeds owed hrss/wage_records",
            runbook="docs/runbook.md#a-feed-is-late",
        ),
        IncidentSeen(None, "airflow_down", "airflow_down", "critical", "调度系统异常", "Airflow is down", NOW - HOUR),
    ),
    queue=Queue(3, NOW - 2 * HOUR),
    release=ReleaseSeen(12, NOW - 48 * HOUR),
    outbox=OutboxSeen(2, NOW - HOUR, 1),
    channels=(ChannelSeen("duty_mail", "mail"), ChannelSeen("group", "dingtalk", True, "拒收", "errcode 310000")),
    alerts_zh="渠道 group 缺环境变量",
    alerts_en="Channel group lacks a variable",
    passes=20,
    failed_passes=1,
)
BLIND = Snapshot(NOW, 0.1, looks=(Look("ledger", False, "数据库无应答", "the warehouse does not answer"),))
QUIET = Snapshot(
    NOW,
    0.1,
    looks=(Look("ledger", True),),
    feeds=(FINE,),
    queue=Queue(),
    release=None,
    outbox=OutboxSeen(),
)
