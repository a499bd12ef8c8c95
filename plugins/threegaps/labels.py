"""How codes are read, in Chinese and in English: the one list that marts, pages and messages are labelled from.

What departments send is labelled in its contract; breakdowns, methods and units are labelled in their seeds: these are
data. The codes here are the system's own.
"""

from __future__ import annotations

from collections.abc import Mapping

Labels = Mapping[str, tuple[str, str]]
"""In Chinese and in English, by code, in the order in which they are listed."""

DIRECTIONS: Labels = {
    "up": ("越高越好", "higher is better"),
    "down": ("越低越好", "lower is better"),
    "neutral": ("不分好坏", "no direction"),
    "towards_1": ("越接近1越好", "the nearer to 1 the better"),
}
PERIOD_TYPES: Labels = {
    "day": ("时点", "day"),
    "month": ("月", "month"),
    "quarter": ("季", "quarter"),
    "ytd": ("本年累计", "year to date"),
    "year": ("年", "year"),
}
AREA_LEVELS: Labels = {
    "county": ("县(市、区)", "county"),
    "other": ("省外、不详、省市本级", "other provinces, not known, own level of the province or a city"),
    "city": ("设区市", "city"),
    "province": ("全省", "province"),
    "group": ("县组", "group of counties"),
}
AUDIENCES: Labels = {
    "public": ("公开", "public"),
    "province": ("全省公开,其余内部", "public for the province, internal below"),
    "internal": ("内部", "internal"),
}
DISCLOSURES: Labels = {
    "none": ("不涉及个人,照列", "nothing to protect"),
    "persons": ("涉及个人:十位取整,不足10人隐去", "persons: in tens, fewer than 10 suppressed"),
    "employers": (
        "涉及用人单位:不足3家或一家独大隐去",
        "employers: fewer than 3, or one that dominates, suppressed",
    ),
}
VALUE_STATUSES: Labels = {
    "reported": ("已报", "reported"),
    "suppressed": ("已隐去", "suppressed"),
    "immature": ("未到观察期", "not yet observable"),
    "not_supplied": ("未报送", "not supplied"),
    "not_applicable": ("不适用", "not applicable"),
}
"""Why a value is there or missing."""
MATURITIES: Labels = {"final": ("定稿", "final"), "provisional": ("暂定", "provisional")}
TARGET_STATUSES: Labels = {
    "met": ("已达成", "met"),
    "on_track": ("符合进度", "on track"),
    "behind": ("落后", "behind"),
    "not_judged": ("暂不判断", "not judged"),
    "no_target": ("无目标", "no target"),
}
CHANGE_UNITS: Labels = {
    "percentage_points": ("个百分点", "percentage points"),
    "percent": ("%", "per cent"),
    "unit": ("同指标单位", "in the unit"),
}
STATUTORY_MARKS: Labels = {
    "administrative_record": ("行政记录", "administrative record"),
    "statistical_form": ("统计报表", "statistical form"),
}
"""What a feed is by the Statistics Law (浙统〔2024〕31号)."""
FEED_STATES: Labels = {
    "stopped": ("已停止", "stopped"),
    "failed": ("失败", "failed"),
    "failing": ("运行失败", "failing"),
    "unreachable": ("无法连接", "unreachable"),
    "late": ("迟到", "late"),
    "incomplete": ("未到齐", "incomplete"),
    "shrinking": ("缩减", "shrinking"),
    "refused_share_rising": ("拒收比例上升", "refused share rising"),
    "cannot_tell": ("无法判断", "cannot tell"),
    "awaited": ("等待首次取数", "awaited"),
    "in_time": ("按期", "in time"),
    "not_due": ("未到期", "not due yet"),
    "paused": ("暂停报送", "paused"),
    "closed": ("已停报", "closed"),
    "retired": ("已无合同", "without a contract"),
}
"""How a feed stands, the gravest first; awaited is what is due in an installation that is only being set up."""

DELIVERY_STATES: Labels = {
    "stopped": ("已停止", "stopped"),
    "failed": ("失败", "failed"),
    "missing": ("缺报", "missing"),
    "awaited": ("等待首次取数", "awaiting the first data"),
    "incomplete": ("未到齐", "incomplete"),
    "empty": ("空报", "empty"),
    "late": ("迟到", "late"),
    "on_time": ("按期", "on time"),
    "untimed": ("已到,是否按期无从判断", "arrived; whether in time cannot be told"),
    "expected": ("未到期", "not due yet"),
    "paused": ("暂停报送", "paused"),
}
"""What has become of one delivery of a feed, the gravest first."""

CAUSES: Labels = {
    "unreachable": ("无法连接", "cannot be reached"),
    "timed_out": ("超时", "out of time"),
    "login_refused": ("登录被拒绝", "login refused"),
    "not_as_agreed": ("不是约定的系统", "not the system agreed on"),
    "not_there": ("约定的文件夹或数据表不存在", "folder or table not there"),
    "being_written": ("文件仍在写入", "file still being written"),
    "not_as_contracted": ("到达的内容不符合合同", "not as the contract says"),
    "stopped": ("批次被规则停止", "batch stopped by a rule"),
    "limit_exceeded": ("超过约定上限", "over the limit agreed on"),
    "warehouse_down": ("数据仓库没有应答", "the warehouse does not answer"),
    "misconfigured": ("配置有误", "misconfigured"),
    "unexpected": ("未预料的错误", "unexpected"),
}
"""Why an attempt to land or load a feed failed, or waits."""
ATTEMPT_OUTCOMES: Labels = {
    "running": ("进行中", "under way"),
    "succeeded": ("成功", "succeeded"),
    "nothing_new": ("无新内容", "nothing new"),
    "waiting": ("等待", "waiting"),
    "failed": ("失败", "failed"),
    "cut_off": ("中断", "cut off"),
}
BACKFILL_REASONS: Labels = {
    "never_run": ("尚未运行过", "never run before"),
    "failed_before": ("上次失败或被取消", "its last run failed or was cancelled"),
    "again": ("已成功,按 --again 重跑", "succeeded before, run again as asked"),
    "fetched_before": ("先前的运行已取过,尚未完整载入", "fetched by an earlier run, and not loaded whole"),
    "not_loaded": ("已载入,但有未载入的内容", "loaded before, but something lies there that is not loaded"),
    "settling": (
        "已载入,有文件可能仍在写入,运行会等其写完",
        "loaded before, and files lie there that may still be being written; the run waits for them",
    ),
    "succeeded": ("已成功,无新内容", "succeeded before, and nothing new lies there"),
    "loaded": ("已由其他运行载入,无新内容", "loaded by another run, and nothing new lies there"),
    "not_looked": (
        "先前已成功或已载入,未能查看有无新内容",
        "succeeded or loaded before; whether anything new lies there could not be looked at",
    ),
    "under_way": ("正在运行或排队", "under way or queued"),
    "not_over": ("该期尚未结束", "not over yet"),
}
"""Why a backfill runs a delivery, or does not."""
INCIDENT_KINDS: Labels = {
    "warehouse_down": ("数据仓库没有应答", "the warehouse does not answer"),
    "ledger_unreadable": ("台账读不到", "the ledger cannot be read"),
    "airflow_down": ("调度系统(Airflow)异常", "Airflow is down"),
    "disk_filling": ("磁盘空间不足", "a disk is filling up"),
    "feed_unreachable": ("部门系统无法连接", "a department's system cannot be reached"),
    "feed_stopped": ("批次已停止", "a batch has stopped"),
    "feed_batch_failed": ("批次处理失败", "a batch has failed"),
    "feed_failing": ("数据源运行失败", "a feed is failing"),
    "feed_late": ("数据迟到", "a feed is late"),
    "feed_incomplete": ("数据未到齐", "a delivery is not complete"),
    "feed_shrinking": ("数据缩减", "a feed is shrinking"),
    "feed_rows_gone": ("原有的行不再出现", "rows are no longer there"),
    "refused_share_rising": ("拒收比例上升", "the refused share is rising"),
    "build_failed": ("构建失败", "a build has failed"),
    "release_held": ("发布未通过检查", "a release is held by a check"),
    "work_waiting": ("已载入的批次待构建", "loaded work is waiting"),
}
"""What an incident is about."""
INCIDENT_GRAVITIES: Labels = {"warning": ("警告", "warning"), "critical": ("严重", "critical")}
INCIDENT_CHANGES: Labels = {
    "opened": ("新发生", "opened"),
    "worsened": ("加重", "worsened"),
    "acknowledged": ("已知悉", "acknowledged"),
    "assigned": ("已指派", "assigned"),
    "closed": ("已解除", "closed"),
}

STEPS: Labels = {"land": ("取数", "land"), "load": ("载入", "load")}
"""The two steps of a feed's run."""
BATCH_STATUSES: Labels = {
    "judging": ("判定中", "judging"),
    "loaded": ("已载入", "loaded"),
    "stopped": ("已停止", "stopped"),
    "failed": ("失败", "failed"),
    "superseded": ("已替代", "superseded"),
}
BUILD_STATUSES: Labels = {
    "claimed": ("已认领", "claimed"),
    "running": ("进行中", "running"),
    "built": ("已构建", "built"),
    "released": ("已发布", "released"),
    "failed": ("失败", "failed"),
    "nothing_to_do": ("无需构建", "nothing to do"),
    "undone": ("已撤回", "undone"),
    "held": ("未通过检查", "held by a check"),
}
CHECK_STATUSES: Labels = {
    "passed": ("通过", "passed"),
    "failed": ("失败", "failed"),
    "skipped": ("跳过", "skipped"),
}
RULE_OUTCOMES: Labels = {
    "passed": ("通过", "passed"),
    "refused_rows": ("有拒收", "rows refused"),
    "warned": ("有提示", "warned"),
    "stopped": ("停止", "stopped"),
}
"""What came of a rule in a batch."""
RULE_ACTIONS: Labels = {"refuse": ("拒收", "refuse"), "warn": ("提示", "warn"), "stop": ("停止", "stop")}
SERVICE_STATES: Labels = {
    "running": ("运行中", "running"),
    "starting": ("启动中", "starting"),
    "stopping": ("停止中", "stopping"),
    "stopped": ("已停止", "stopped"),
    "failed": ("失败", "failed"),
    "ended": ("已结束", "ended"),
    "waiting to start again": ("等待重新启动", "waiting to start again"),
    "silent": ("无应答", "silent"),
    "hanging": ("没有响应", "hanging"),
    "unknown": ("不明", "unknown"),
    "dead": ("已停止", "dead"),
}
RUN_STATES: Labels = {
    "waiting": ("等待", "waiting"),
    "queued": ("排队", "queued"),
    "running": ("运行中", "running"),
    "success": ("成功", "success"),
    "done": ("完成", "done"),
    "skipped": ("跳过", "skipped"),
    "failed": ("失败", "failed"),
    "up_for_retry": ("等待重试", "up for retry"),
    "upstream_failed": ("前序失败", "upstream failed"),
}
"""What Airflow says of a run or a task, and the supervisor of a step."""
RELEASE_KINDS: Labels = {"build": ("构建", "build"), "undo": ("撤回", "undo")}
BUILD_KINDS: Labels = {"affected": ("受影响部分", "what is affected"), "full": ("全量", "full")}
READER_KINDS: Labels = {
    "bi": ("BI 工具", "BI tool"),
    "county": ("县级人员", "county's officer"),
    "statistician": ("统计人员", "statistician"),
    "duty": ("值班页", "duty page"),
}
PAUSE_KINDS: Labels = {"pause": ("暂停报送", "pause"), "closure": ("停报", "closure")}
CHANNEL_KINDS: Labels = {
    "mail": ("邮件", "mail"),
    "webhook": ("webhook", "webhook"),
    "dingtalk": ("钉钉", "DingTalk"),
    "wecom": ("企业微信", "WeCom"),
}
CADENCES: Labels = {
    "day": ("日", "day"),
    "month": ("月", "month"),
    "quarter": ("季", "quarter"),
    "term": ("学期", "term"),
    "year": ("年", "year"),
}
PROTOCOLS: Labels = {
    "http": ("接口", "http"),
    "sftp": ("SFTP", "sftp"),
    "database": ("数据库", "database"),
    "file_drop": ("文件投递", "file drop"),
}
DELIVERY_KINDS: Labels = {
    "full_list": ("全量清单", "full list"),
    "full_period": ("整期数据", "full period"),
    "changes": ("变更", "changes"),
}
STRUCTURAL_LINES: Labels = {
    "blank": ("空行", "blank"),
    "title": ("标题", "title"),
    "total": ("合计", "total"),
    "note": ("说明", "note"),
    "header": ("表头", "header"),
}
"""Why a line counts as no row."""
OTHER_ROWS: Labels = {
    "here": ("另见数据行{}", "see data row {}"),
    "elsewhere": ("另见另一文件的数据行{}", "see another file's data row {}"),
}
"""Where the row is that a refused one contradicts, with a place for its number."""
OTHER_LINES: Labels = {
    "here": ("另见第{}行", "see line {}"),
    "elsewhere": ("另见另一文件的第{}行", "see another file's line {}"),
}
"""As `OTHER_ROWS`, where the file itself is at hand."""
COUNTIES: Labels = {"unknown": ("不详", "not known")}
"""What stands in a county's place where a row names none that is known."""
TICKET_ROW_STATES: Labels = {
    "open": ("未修正", "still wrong"),
    "mended": ("已修正或撤回", "mended or withdrawn"),
    "left_out": ("未再报送", "left out since"),
    "cannot_tell": ("无法判断", "cannot tell"),
}
HOURS: Labels = {
    "always": ("始终", "always"),
    "working": ("工作时段", "working hours"),
    "outside": ("工作时段以外", "outside working hours"),
}

OF_COLUMNS: Mapping[str, Labels] = {
    "action": RULE_ACTIONS,
    "area_level": AREA_LEVELS,
    "audience": AUDIENCES,
    "cadence": CADENCES,
    "cause": CAUSES,
    "change": INCIDENT_CHANGES,
    "delivery": DELIVERY_KINDS,
    "gravity": INCIDENT_GRAVITIES,
    "from_gravity": INCIDENT_GRAVITIES,
    "hours": HOURS,
    "kind": {**RELEASE_KINDS, **BUILD_KINDS, **READER_KINDS, **PAUSE_KINDS, **CHANNEL_KINDS},
    "kinds": INCIDENT_KINDS,
    "outcome": {**RULE_OUTCOMES, **ATTEMPT_OUTCOMES},
    "period_type": PERIOD_TYPES,
    "protocol": PROTOCOLS,
    "reason": STRUCTURAL_LINES,
    "state": {**FEED_STATES, **RUN_STATES, **SERVICE_STATES, **TICKET_ROW_STATES},
    "status": {**CHECK_STATUSES, **BUILD_STATUSES, **BATCH_STATUSES},
    "step": STEPS,
    "value_status": VALUE_STATUSES,
    "value_status_after": VALUE_STATUSES,
    "value_status_before": VALUE_STATUSES,
}
"""By the column of a table that people see: what its codes are called."""

OF_THE_CATALOGUE: Mapping[str, Labels] = {
    "direction": DIRECTIONS,
    "period_types": PERIOD_TYPES,
    "levels": AREA_LEVELS,
    "audience": AUDIENCES,
    "disclosure": DISCLOSURES,
}
"""By the column of the catalogue of indicators that holds the codes."""


def labelled(labels: Labels, codes: str) -> list[tuple[str, str]]:
    """Each code of a list with commas, in Chinese and in English; one without a label stands for itself."""
    return [labels.get(code, (code, code)) for code in (part.strip() for part in codes.split(",")) if code]


def both(labels: Labels, code: str) -> str:
    """A code in Chinese and in English, as messages say it; one without a label stands for itself."""
    return " ".join(labels.get(code, (code,)))


def coded_zh(labels: Labels, *codes: str) -> str:
    """*codes*, or all of them, with their Chinese, as comments of columns list them."""
    return ",".join(f"{code}{labels[code][0]}" for code in codes or labels)
