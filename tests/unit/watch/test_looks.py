"""What is seen in what was read, without any service."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from threegaps.airflow_api import PausedDag
from threegaps.labels import FEED_STATES, INCIDENT_KINDS
from threegaps.ledger.attempts import Failing
from threegaps.ledger.expected import Standing
from threegaps.ledger.incidents import Cause
from threegaps.settings import SHANGHAI
from threegaps.standards.areas import codes_in_force
from threegaps.watch.kinds import KINDS
from threegaps.watch.looking import look
from threegaps.watch.looks import airflow, attempts, batches, builds, deliveries, machine
from threegaps.watch.readings import (
    AirflowReading,
    DiskReading,
    FailedBuild,
    FeedHistory,
    LedgerReading,
    LoadedDelivery,
    MachineReading,
    OwedFeed,
    Sending,
    SentAgain,
    ServerReading,
    ServiceReading,
    StoppedBatch,
    UnreadLedger,
    WaitingWork,
    WarehouseReading,
)

NOW = dt.datetime(2026, 7, 21, 10, 0, tzinfo=SHANGHAI)
WAGES, PLACES = "hrss/wage_records", "agriculture/places"
CODES = sorted(codes_in_force())[1:13]
NAMES = {WAGES: ("工资", "wages")}
HEALTHY = {"scheduler": "healthy", "dag_processor": "healthy", "triggerer": "healthy"}


def ago(**units: float) -> dt.datetime:
    return NOW - dt.timedelta(**units)


def only(causes: list[Cause]) -> Cause:
    (cause,) = causes
    return cause


def failure(feed: str = WAGES, cause: str = "unreachable", **changes: object) -> Failing:
    values: dict[str, object] = {
        "feed": feed,
        "step": "land",
        "delivery": "2026-06",
        "cause": cause,
        "connection_id": "hrss_sftp",
        "host": "10.1.2.3",
        "port": 22,
        "message_zh": "连接被拒绝",
        "message_en": "connection refused",
        "failures": 3,
        "since": ago(hours=2),
        "last_at": ago(minutes=5),
        "last_attempt_id": 1,
        "is_current": True,
    }
    return Failing(**values | changes)  # type: ignore[arg-type]


# ---- deliveries -----------------------------------------------------------------------------------------------


def test_a_late_feed_says_what_is_missing_since_when_and_how_long() -> None:
    cause = only(deliveries.seen([OwedFeed(WAGES, ago(days=2), missing=("2026-05", "2026-06"))], NAMES, NOW))
    assert (cause.key, cause.gravity, cause.feed, cause.department) == (
        f"feed_late:{WAGES}",
        "warning",
        WAGES,
        "hrss",
    )
    assert cause.title_zh == "工资(hrss/wage_records)迟到:2026-05、2026-06"
    assert cause.title_en == "hrss/wage_records (wages) is late: 2026-05, 2026-06"
    assert "2026-07-19 10:00 +08:00" in cause.detail_en
    assert "for 2 days" in cause.detail_en
    assert "已迟到2天" in cause.detail_zh


@pytest.mark.parametrize(
    ("paused", "en", "zh"),
    [
        (
            {"feed_hrss_wage_records": PausedDag(NOW, "li")},
            "Its DAG is paused in Airflow since 2026-07-21 10:00 +08:00 by li: nothing",
            "其 DAG 自2026-07-21 10:00 +08:00起由li在 Airflow 中暂停",
        ),
        ({"feed_hrss_wage_records": PausedDag()}, "Its DAG is paused in Airflow: nothing", "其 DAG 在 Airflow 中暂停"),
        ({"feed_hrss_certificates": PausedDag(NOW, "li")}, None, None),
        (None, "Whether its DAG is paused in Airflow cannot be told.", "无法得知"),
    ],
)
def test_a_late_feed_says_whether_its_dag_is_paused(
    paused: dict[str, PausedDag] | None, en: str | None, zh: str | None
) -> None:
    around = MachineReading(paused=paused)
    ledger = LedgerReading(NOW, owed=(OwedFeed(WAGES, ago(days=2), missing=("2026-06",)),))
    cause = only(list(look(around, ledger, NOW).causes))
    if en is None or zh is None:
        assert "Airflow" not in cause.detail_en + cause.detail_zh
    else:
        assert en in cause.detail_en
        assert zh in cause.detail_zh


@pytest.mark.parametrize(("hours", "gravity"), [(7 * 24 - 1, "warning"), (7 * 24, "critical")])
def test_a_week_late_is_grave(hours: int, gravity: str) -> None:
    cause = only(deliveries.seen([OwedFeed(WAGES, ago(hours=hours), missing=("2026-06",))], NAMES, NOW))
    assert cause.gravity == gravity


def test_a_part_is_incomplete_and_names_the_counties_that_lack() -> None:
    owed = OwedFeed(WAGES, ago(days=1), partly=("2026-06",), counties={"2026-05": ("330102",), "2026-06": tuple(CODES)},
                    counties_owing={"2026-05": 90, "2026-06": 90})  # fmt: skip
    cause = only(deliveries.seen([owed], {}, NOW))
    assert cause.key == f"feed_incomplete:{WAGES}"
    assert (
        "2026-05 lacks 1 of the 90 counties: 330102 上城区. 2026-06 lacks 12 of the 90 counties: 330105 拱墅区, "
        in cause.detail_en
    )
    assert cause.detail_en.endswith("and 6 more.")
    assert "2026-05缺1/90个县(市、区):330102 上城区。2026-06缺12/90个县(市、区):330105 拱墅区、" in cause.detail_zh


def test_many_deliveries_are_counted_and_not_all_listed() -> None:
    owed = OwedFeed(WAGES, ago(days=1), missing=tuple(f"2025-{month:02}" for month in range(1, 13)))
    cause = only(deliveries.seen([owed], {}, NOW))
    assert cause.title_en.endswith("2025-06 and 6 more")
    assert cause.title_zh.endswith("等12项")


# ---- attempts -------------------------------------------------------------------------------------------------


def test_all_feeds_behind_one_dead_connection_are_one_cause() -> None:
    causes = attempts.seen([failure(), failure("hrss/certificates", failures=2)], NAMES, NOW)
    cause = only(causes)
    assert cause.key == "feed_unreachable:hrss_sftp"
    assert cause.feeds == ("hrss/certificates", WAGES)
    assert (cause.feed, cause.department) == (None, "hrss")
    assert "10.1.2.3:22" in cause.title_en
    assert "cannot be reached" in cause.title_en
    assert "tried 5 times" in cause.detail_en
    assert "2 hours" in cause.detail_en
    assert "connection refused" in cause.detail_en


@pytest.mark.parametrize("cause", sorted(attempts.OF_CONNECTIONS))
def test_what_lies_with_the_connection_is_unreachable(cause: str) -> None:
    assert only(attempts.seen([failure(cause=cause)], NAMES, NOW)).kind == "feed_unreachable"


@pytest.mark.parametrize("cause", ["not_there", "not_as_contracted", "limit_exceeded", "misconfigured", "unexpected"])
def test_what_lies_with_the_feed_is_failing(cause: str) -> None:
    found = only(attempts.seen([failure(cause=cause)], NAMES, NOW))
    assert found.key == f"feed_failing:{WAGES}"
    assert found.feeds == (WAGES,)


@pytest.mark.parametrize("cause", sorted(attempts.SEEN_ELSEWHERE))
def test_what_is_seen_elsewhere_is_not_seen_twice(cause: str) -> None:
    assert attempts.seen([failure(cause=cause)], NAMES, NOW) == []


def test_two_connections_are_two_causes_and_one_without_a_name_goes_by_its_address() -> None:
    found = attempts.seen([failure(), failure(PLACES, connection_id=None, host="10.9.9.9")], NAMES, NOW)
    assert {cause.key for cause in found} == {"feed_unreachable:hrss_sftp", "feed_unreachable:10.9.9.9:22"}


# ---- batches --------------------------------------------------------------------------------------------------


def test_a_stopped_batch_is_one_cause_however_many_rules_it_broke() -> None:
    batch = StoppedBatch(WAGES, "2026-06", 41, "stopped", "batch_refused_share", "退回过多", "too many", ago(hours=1))
    cause = only(batches.stopped([batch], NAMES, NOW))
    assert cause.key == f"feed_stopped:{WAGES}"
    assert "batch 41 of 2026-06 was stopped by batch_refused_share" in cause.title_en
    assert "too many" in cause.detail_en
    assert "退回过多" in cause.detail_zh
    assert "batches accept" not in cause.detail_en, "only what may be meant is accepted"


def test_a_batch_that_failed_was_not_stopped_by_a_check() -> None:
    batch = StoppedBatch(WAGES, "2026-06", 41, "failed", None, "文件中断", "the file broke off", ago(hours=1))
    cause = only(batches.stopped([batch], NAMES, NOW))
    assert cause.key == f"feed_batch_failed:{WAGES}"
    assert "batch 41 of 2026-06 failed" in cause.title_en
    said = " ".join((*INCIDENT_KINDS[cause.kind], *FEED_STATES[str(KINDS[cause.kind].feed_state)]))
    assert "停止" not in said
    assert "stopped" not in said


def test_a_delivery_that_has_shrunk_says_what_to_do() -> None:
    batch = StoppedBatch(WAGES, "2026-06", 41, "stopped", "delivery_shrunk", "仅剩3行。", "3 are left.", ago(hours=1))
    cause = only(batches.stopped([batch], NAMES, NOW))
    for detail in (cause.detail_zh, cause.detail_en):
        assert '`threegaps batches accept 41 --why "..."`' in detail
    assert "3 are left. Ask the department" in cause.detail_en


def history(*counts: tuple[int, int], kind: str = "full_period") -> FeedHistory:
    loaded = [
        LoadedDelivery(f"2026-{12 - number:02}", 100 - number, received, refused, ago(days=number))
        for number, (received, refused) in enumerate(counts)
    ]
    return FeedHistory(WAGES, kind, tuple(loaded))


def test_a_feed_that_shrinks_is_seen_unless_it_brings_changes() -> None:
    cause = only(batches.shrinking([history((799, 0), (1000, 0))], NAMES))
    assert cause.kind == "feed_shrinking"
    assert "800 rows at least, 80% of the delivery before, were expected" in cause.detail_en
    assert all("`threegaps incidents resolve`" in detail for detail in (cause.detail_zh, cause.detail_en))
    assert batches.shrinking([history((800, 0), (1000, 0))], NAMES) == []
    assert batches.shrinking([history((1, 0), (1000, 0), kind="changes")], NAMES) == []
    assert batches.shrinking([history((1, 0))], NAMES) == []


def test_what_somebody_has_accepted_is_not_asked_of_the_department_again() -> None:
    one = history((300, 0), (1000, 0))
    last, before = one.deliveries
    accepted = dataclasses.replace(last, is_accepted=True)
    assert batches.shrinking([dataclasses.replace(one, deliveries=(accepted, before))], NAMES) == []
    after = dataclasses.replace(last, delivery="2027-01", received=200)
    assert batches.shrinking([dataclasses.replace(one, deliveries=(after, accepted))], NAMES), "the next one is another"


def test_a_list_shrinks_by_less_and_not_by_single_rows() -> None:
    cause = only(batches.shrinking([history((899, 0), (1000, 0), kind="full_list")], NAMES))
    assert "900 rows at least, 90%" in cause.detail_en
    for rows, before in ((900, 1000), (26, 30), (5, 19)):
        assert batches.shrinking([history((rows, 0), (before, 0), kind="full_list")], NAMES) == []
    assert batches.shrinking([history((25, 0), (30, 0), kind="full_list")], NAMES)


def sent_again(*sendings: tuple[int, int, int], refused: int = 0, meant: int | None = None) -> SentAgain:
    """A delivery whose sendings have so many rows each, took so many away, and brought so many of those back."""
    found = [
        Sending(number, 10 + number, rows, refused, gone, back, ago(hours=9 - number), number == meant)
        for number, (rows, gone, back) in enumerate(sendings)
    ]
    return SentAgain(WAGES, "2026-04", tuple(found))


@pytest.mark.parametrize(
    ("sendings", "gone"),
    [
        (((1000, 0, 0), (980, 20, 0)), 20),
        (((1000, 0, 0), (981, 19, 0)), None),
        (((30, 0, 0), (25, 5, 0)), 5),
        (((30, 0, 0), (26, 4, 0)), None),  # single rows are taken back on purpose
        (((1000, 0, 0), (1010, 0, 10)), None),
        (((1000, 0, 0), (600, 400, 0), (600, 0, 3)), 400),  # as short as before
        (((1000, 0, 0), (600, 400, 0), (960, 0, 360)), 40),
        (((1000, 0, 0), (600, 400, 0), (990, 0, 390)), None),
        (((1000, 0, 0), (1000, 300, 0)), 300),  # other rows instead
        (((1000, 0, 0), (1000, 300, 0), (1000, 0, 0)), 300),
        (((1000, 0, 0), (1000, 300, 0), (1300, 0, 300)), None),
        (((1000, 0, 0), (1000, 300, 0), (1270, 0, 270)), 30),
        (((1000, 0, 0), (1000, 300, 0), (1000, 300, 300)), 300),  # what a wrong file brought is gone too
        (((1000, 0, 0), (1000, 300, 300)), 300),  # what comes back then had gone before
        (((1000, 0, 0), (1000, 500, 0), (1000, 500, 0)), 1000),
        (((1000, 0, 0), (1000, 500, 0), (1000, 800, 0)), 1000),  # not more than there were
        (((1000, 0, 0), (1000, 15, 0), (1000, 15, 0)), 30),
    ],
)
def test_rows_that_a_delivery_lacks_since_it_was_sent_again_are_seen(
    sendings: tuple[tuple[int, int, int], ...], gone: int | None
) -> None:
    causes = batches.rows_gone([sent_again(*sendings)], [], NAMES)
    if gone is None:
        assert causes == []
        return
    cause = only(causes)
    assert cause.key == f"feed_rows_gone:{WAGES} 2026-04"
    assert f"{gone:,} of {sendings[0][0]:,} rows of 2026-04 are no longer there" in cause.title_en
    assert f"原有的{sendings[0][0]:,}行中有{gone:,}行不再出现" in cause.title_zh
    assert cause.occasions == (str(len(sendings) - 1),)
    assert all("`threegaps incidents resolve`" in detail for detail in (cause.detail_zh, cause.detail_en))


def test_rows_that_are_refused_now_are_not_gone_and_what_was_meant_is_compared_with() -> None:
    assert batches.rows_gone([sent_again((1000, 0, 0), (1000, 30, 0), refused=30)], [], NAMES) == []
    # Of rows that were refused on the way, those that came right since say nothing of the others.
    mended = sent_again((1000, 0, 0), (1000, 80, 0), (1000, 0, 30))
    assert only(batches.rows_gone([mended], [], NAMES)).title_en.count("50 of 1,000")
    cut = (1000, 0, 0), (900, 100, 0), (895, 5, 0)
    assert only(batches.rows_gone([sent_again(*cut)], [], NAMES))
    assert batches.rows_gone([sent_again(*cut, meant=1)], [], NAMES) == []
    assert batches.rows_gone([sent_again(*cut, meant=2)], [], NAMES) == []
    assert only(batches.rows_gone([sent_again(*cut, (870, 25, 0), meant=1)], [], NAMES))


def test_of_a_delivery_that_makes_its_feed_shrink_nothing_more_is_said() -> None:
    shrunk = FeedHistory(WAGES, "full_period", (loaded("2026-04", 600), loaded("2026-03", 1000)))
    assert batches.rows_gone([sent_again((1000, 0, 0), (600, 400, 0))], [shrunk], NAMES) == []
    other = FeedHistory(WAGES, "full_period", (loaded("2026-05", 600), loaded("2026-04", 1000)))
    assert only(batches.rows_gone([sent_again((1000, 0, 0), (600, 400, 0))], [other], NAMES))


def loaded(delivery: str, received: int) -> LoadedDelivery:
    return LoadedDelivery(delivery, 9, received, 0, ago(days=1))


@pytest.mark.parametrize(
    ("counts", "rises"),
    [
        (((1000, 60), (1000, 20), (1000, 20), (1000, 20)), True),
        (((1000, 59), (1000, 20), (1000, 20), (1000, 20)), False),  # not three times the usual
        (((1000, 21), (1000, 2), (1000, 2), (1000, 2)), False),  # not two points above it
        (((1000, 22), (1000, 2), (1000, 2), (1000, 2)), True),
        (((100, 19), (100, 1), (100, 1), (100, 1)), False),  # too few rows
        (((1000, 500), (1000, 20), (1000, 20)), False),  # no past to compare with
        (((1000, 60), (1000, 20), (1000, 900), (1000, 20)), True),  # one bad month in the past hides nothing
    ],
)
def test_a_refused_share_rises_against_the_feeds_own_past(counts: tuple[tuple[int, int], ...], rises: bool) -> None:
    assert bool(batches.refused_share([history(*counts)], NAMES)) is rises


# ---- builds ---------------------------------------------------------------------------------------------------


def test_a_failed_build_and_a_held_release_are_told_apart() -> None:
    failed = only(builds.failed(FailedBuild(7, False, "2 models or tests failed: m", 3, ago(hours=2)), NOW))
    assert (failed.key, failed.gravity) == ("build_failed", "warning")
    assert "3 builds in a row" in failed.detail_en
    held = only(builds.failed(FailedBuild(7, True, "row_count: fewer", 1, ago(hours=25)), NOW))
    assert (held.key, held.gravity) == ("release_held", "critical")
    assert held.detail_en.endswith("row_count: fewer")
    assert builds.failed(None, NOW) == []


def test_what_a_build_says_is_in_each_language() -> None:
    left = "It was left unfinished; its claims went to the next build."
    cause = only(builds.failed(FailedBuild(7, False, left, 1, ago(hours=2)), NOW))
    assert cause.detail_zh.endswith("未完成即中断;所认领的转由下次构建。")
    assert left not in cause.detail_zh
    assert cause.detail_en.endswith(left)


def test_work_waits_from_half_an_hour_on() -> None:
    assert builds.waiting(WaitingWork(2, (WAGES,), ago(minutes=29)), NOW) == []
    cause = only(builds.waiting(WaitingWork(2, (WAGES,), ago(minutes=30)), NOW))
    assert cause.key == "work_waiting"
    assert "2 loaded batches wait" in cause.title_en


# ---- Airflow and the machine ----------------------------------------------------------------------------------


def answering(**parts: str) -> AirflowReading:
    return AirflowReading("http://x", answers=True, seconds=0.1, parts={**HEALTHY, **parts})


def test_airflow_that_is_well_is_nothing() -> None:
    running = [ServiceReading(name, "running", 1) for name in airflow.PARTS]
    assert airflow.seen(answering(), running) == []
    assert airflow.seen(None, None) == []


def test_airflow_is_one_cause_whichever_parts_are_down() -> None:
    cause = only(airflow.seen(answering(scheduler="unhealthy", triggerer="unhealthy"), None))
    assert (cause.key, cause.gravity) == ("airflow_down", "critical")
    assert cause.title_en == "Airflow is down: scheduler, triggerer"
    assert "调度器" in cause.title_zh


@pytest.mark.parametrize("part", ["dag_processor", "triggerer"])
def test_without_these_parts_runs_go_on(part: str) -> None:
    assert only(airflow.seen(answering(**{part: "unhealthy"}), None)).gravity == "warning"


def test_an_api_that_does_not_answer_is_down_whatever_else_is_known() -> None:
    silent = AirflowReading("http://x", answers=False, seconds=10.0)
    cause = only(airflow.seen(silent, [ServiceReading("api-server", "running", 1)]))
    assert (cause.title_en, cause.gravity) == ("Airflow is down: API server", "critical")
    assert "no answer within 10 s" in cause.detail_en


def test_a_process_that_ended_is_down_before_its_heart_has_stopped() -> None:
    cause = only(airflow.seen(answering(), [ServiceReading("scheduler", "waiting to start again")]))
    assert "scheduler" in cause.title_en
    # Other services are not Airflow's.
    assert airflow.seen(answering(), [ServiceReading("sandbox", "waiting to start again")]) == []


def test_a_warehouse_that_does_not_answer_is_grave() -> None:
    cause = only(machine.warehouse(WarehouseReading("h:5432", answers=False, said="connection refused")))
    assert (cause.key, cause.gravity) == ("warehouse_down", "critical")
    assert cause.detail_en == "h:5432: connection refused."
    assert cause.detail_zh == "h:5432:连接被拒绝。"
    assert machine.warehouse(WarehouseReading("h:5432", answers=True)) == []


@pytest.mark.parametrize(
    ("why", "gravity", "minutes"),
    [
        *(("right", "critical", 1.5), ("missing", "critical", 10), ("other", "critical", 10)),
        *(("locked", "warning", 10), ("slow", "warning", 10)),
    ],
)
def test_a_ledger_that_cannot_be_read_is_a_cause_of_its_own(why: Any, gravity: str, minutes: float) -> None:
    unread = UnreadLedger(why, "another session keeps ops.batch locked", "ledger.expected.standing")
    cause = only(machine.ledger(WarehouseReading("h:5432", answers=True, unread=unread)))
    assert (cause.key, cause.gravity, cause.occasions) == ("ledger_unreadable", gravity, (why,))
    assert cause.told_after == dt.timedelta(minutes=minutes)
    assert cause.title_en == "the ledger cannot be read: another session keeps ops.batch locked"
    assert cause.title_zh == "台账读不到:另一个会话锁住了 ops.batch"
    assert "ledger.expected.standing" in cause.detail_en
    assert machine.ledger(WarehouseReading("h:5432", answers=True)) == []
    assert machine.ledger(WarehouseReading("h:5432", answers=False, said="no answer in time")) == []


@pytest.mark.parametrize(
    ("total", "free", "gravity"),
    [
        (100_000, 3_000, None),
        (100_000, 2_999, "warning"),
        (100_000, 999, "critical"),
        (1_000_000, 20_000, None),
        (1_000_000, 19_999, "warning"),  # under 2 %
        (1_000_000, 6_000, "critical"),
    ],
)
def test_a_disk_fills_by_bytes_and_by_share(total: int, free: int, gravity: str | None) -> None:
    reading = DiskReading(("home", "postgres"), "/x", total * 10**6, free * 10**6, 3_000 * 10**6)
    causes = machine.disks([reading])
    assert [cause.gravity for cause in causes] == ([gravity] if gravity else [])
    assert [cause.key for cause in causes] == (["disk_filling:home"] if gravity else [])


# ---- all together ---------------------------------------------------------------------------------------------

WELL = MachineReading(
    warehouse=WarehouseReading("h:1", answers=True),
    airflow=answering(),
    services=(),
    disks=(),
    sandbox=(ServerReading("gateway", "127.0.0.1:1", True), ServerReading("SFTP", "127.0.0.1:2", True)),
)


def ledger(**values: object) -> LedgerReading:
    return LedgerReading(**{"judged_at": NOW} | values)  # type: ignore[arg-type]


def keys(around: MachineReading, reading: LedgerReading | None, **options: object) -> set[str]:
    return {cause.key for cause in look(around, reading, NOW, **options).causes}  # type: ignore[arg-type]


def test_nothing_is_seen_where_all_is_well() -> None:
    looked = look(WELL, ledger(), NOW)
    assert looked.causes == ()
    assert {"feed_late", "airflow_down", "disk_filling", "warehouse_down"} <= looked.kinds


def test_what_could_not_be_read_is_not_looked_at() -> None:
    looked = look(MachineReading(warehouse=WarehouseReading("h:1", answers=False, said="x")), None, NOW)
    assert looked.kinds == {"warehouse_down"}


def test_a_new_installation_is_late_with_nothing_and_lets_work_wait() -> None:
    seen = {
        "owed": (OwedFeed(WAGES, ago(days=400), missing=("2025-06",)),),
        "waiting": WaitingWork(2, (WAGES,), ago(minutes=30)),
    }
    assert keys(WELL, ledger(**seen, is_being_set_up=True)) == set()
    assert keys(WELL, ledger(**seen)) == {f"feed_late:{WAGES}", "work_waiting"}


def test_what_airflow_missed_is_given_time_after_it_came_back() -> None:
    owed = (OwedFeed(WAGES, ago(hours=1), missing=("2026-06",)),)
    assert keys(WELL, ledger(owed=owed, mended_at=ago(minutes=14))) == set()
    assert keys(WELL, ledger(owed=owed, mended_at=ago(minutes=15))) == {f"feed_late:{WAGES}"}


def test_a_sandbox_that_is_silent_is_one_cause_with_all_feeds_behind_it() -> None:
    around = MachineReading(sandbox=(ServerReading("SFTP", "127.0.0.1:2", False),))
    failed = (failure(host="127.0.0.1", port=2), failure(PLACES, host="127.0.0.1", port=2, connection_id="other"))
    looked = look(around, ledger(failed=failed), NOW)
    (cause,) = looked.causes
    assert cause.key == "feed_unreachable:sandbox"
    assert cause.feeds == (PLACES, WAGES)


def test_a_sandbox_that_is_silent_names_feeds_that_were_not_tried_since() -> None:
    around = MachineReading(sandbox=(ServerReading("SFTP", "127.0.0.1:2", False, "_sftp"),))
    standing = tuple(
        Standing(**{**dict.fromkeys(Standing.__dataclass_fields__), "feed": feed, "connection_id": connection})  # type: ignore[arg-type]
        for feed, connection in ((WAGES, "hrss_sftp"), (PLACES, "hrss_gateway"), ("tax/own", None))
    )
    owed = (OwedFeed(WAGES, ago(hours=1), missing=("2026-06",)),)
    (cause,) = look(around, ledger(standing=standing, owed=owed), NOW).causes
    assert (cause.key, cause.feeds) == ("feed_unreachable:sandbox", (WAGES,)), "and it explains that it is late"


def test_attempts_that_failed_while_the_sandbox_was_silent_do_not_count_once_it_answers() -> None:
    failed = (failure(host="127.0.0.1", port=2),)
    assert keys(WELL, ledger(failed=failed, sandbox_mended_at=ago(minutes=1))) == set()
    assert keys(WELL, ledger(failed=failed, sandbox_mended_at=ago(minutes=6))) == {"feed_unreachable:hrss_sftp"}
    # A connection of a real address has nothing to do with it.
    assert keys(WELL, ledger(failed=(failure(),), sandbox_mended_at=ago(minutes=1))) == {"feed_unreachable:hrss_sftp"}


@pytest.mark.parametrize(
    ("beat", "said"),
    [
        ("2026-11-27T16:43:10.161791+00:00", "2026-11-28 00:43 +08:00"),
        ("2026-11-27T16:43:10Z", "2026-11-28 00:43 +08:00"),
        ("2026-11-27T16:43:10", None),
        ("yesterday", None),
    ],
)
def test_a_heart_that_stopped_is_said_by_the_clock_of_the_province(beat: str, said: str | None) -> None:
    found = AirflowReading(
        address="http://127.0.0.1:1",
        answers=True,
        seconds=1.0,
        parts={"scheduler": "unhealthy"},
        beats={"scheduler": beat},
    )
    (cause,) = airflow.seen(found, None)
    assert ("last at" in cause.detail_en) is (said is not None)
    assert (said or "does not beat") in cause.detail_en
