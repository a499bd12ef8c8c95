"""Who may look at the duty page and act on it, and that it shows what the ledger says."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from starlette.routing import Route

from tests.integration.duty.conftest import FEED, Desk
from threegaps.duty import actions, workbooks
from threegaps.duty.views import now
from threegaps.duty.views import refused as views_refused
from threegaps.feed_run import accepting
from threegaps.ledger import decisions, expected, tickets
from threegaps.ledger.incidents import Cause
from threegaps.settings import Settings
from threegaps.warehouse.sessions import feed_lock
from threegaps.watch import heartbeat, journal

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("desk")]


def routes(desk: Desk) -> Iterator[tuple[str, str]]:
    """Method and path of everything that the page answers to, with something in each place of a path."""
    (mount,) = desk.application.routes
    for route in mount.app.routes:  # type: ignore[attr-defined]
        if isinstance(route, Route):
            path = re.sub(r"\{[^}]*_id\}", "1", route.path)
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield method, "/duty" + re.sub(r"\{[^}]*\}", "x", path)


# ---- who may ---------------------------------------------------------------------------------------------------


def test_without_a_session_nothing_is_shown_but_a_notice(desk: Desk) -> None:
    asked = 0
    for method, path in routes(desk):
        answer = desk.acting(None).request(method, path, json={})
        assert answer.status_code == 401, path
        if method == "GET":
            assert "请先登录" in answer.text
            assert answer.headers["content-type"].startswith("text/html")
        asked += 1
    assert asked > 8
    assert desk.browser(None).get("/duty/static/duty.css").status_code == 200


def test_without_the_right_to_look_nothing_is_shown(desk: Desk) -> None:
    for method, path in routes(desk):
        assert desk.acting("stranger").request(method, path, json={}).status_code == 403, path


def test_who_may_only_look_sees_no_button_and_changes_nothing(desk: Desk) -> None:
    desk.know_feed()
    number = desk.incident()
    page = desk.browser("reader").get("/duty/")
    assert page.status_code == 200
    assert "工资批次已停止" in page.text
    assert "data-act" not in page.text
    for method, path in routes(desk):
        if method == "POST":
            body = {"to": "me", "why": "because", "said": "well"}
            assert desk.acting("reader").request(method, path, json=body).status_code == 403, path
    assert desk.enter(
        "select acknowledged_at, assigned_to, closed_at from ops.incident where incident_id = %s", number
    ) == [(None, None, None)]


def test_an_action_has_to_come_from_the_page_itself(desk: Desk) -> None:
    number = desk.incident()
    path = f"/duty/incidents/{number}/acknowledge"
    assert desk.browser("duty").post(path).status_code == 403
    crossing = desk.browser("duty", **{"X-ThreeGaps-Duty": "1", "Sec-Fetch-Site": "cross-site"})
    assert crossing.post(path).status_code == 403
    assert desk.enter("select acknowledged_by from ops.incident") == [(None,)]
    assert desk.acting("duty").post(path).status_code == 200
    assert desk.enter("select acknowledged_by from ops.incident") == [("duty",)]


def test_nothing_is_loaded_from_elsewhere_and_nobody_else_shows_it(desk: Desk) -> None:
    for path in ("/duty/", "/duty/nowhere", "/duty/static/duty.js"):
        policy = desk.browser("duty").get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "unsafe" not in policy
    page = desk.browser("duty").get("/duty/").text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert " style=" not in page


# ---- incidents -------------------------------------------------------------------------------------------------


def test_rows_that_are_gone_of_an_old_delivery_are_two_clicks_away(desk: Desk) -> None:
    desk.know_feed()
    for delivery in ("2026-03", "2026-05"):
        desk.batch(delivery)
    desk.incident("feed_rows_gone", "warning", cause_key=f"feed_rows_gone:{FEED} 2026-03", title_zh="2026-03少了行")
    page = desk.browser("reader").get("/duty/").text
    entry = re.search(r"2026-03少了行.*?</article>", page, re.S)
    assert entry is not None
    links = re.findall(r'href="(/duty/[^"]+)"', entry[0])
    assert f"/duty/feeds/{FEED}/2026-03" in links
    assert f"/duty/feeds/{FEED}/2026-05" not in links
    assert "/duty/runbook#rows-are-no-longer-there" in links


def test_an_incident_is_acknowledged_assigned_and_resolved_under_the_login(desk: Desk) -> None:
    number = desk.incident()
    browser = desk.acting("duty")
    assert browser.post(f"/duty/incidents/{number}/acknowledge").status_code == 200
    assert browser.post(f"/duty/incidents/{number}/assign", json={"to": "王工"}).status_code == 200
    page = browser.get("/duty/").text
    assert "王工" in page
    assert "无人知悉" not in page
    assert browser.post(f"/duty/incidents/{number}/resolve", json={"why": "县里已确认"}).status_code == 200
    page = browser.get("/duty/").text
    assert f'id="incident-{number}"' not in page
    closed = page[page.index(f'data-closed="{number}"') :].partition("</tr>")[0]
    assert all(said in closed for said in ("工资批次已停止", "duty", "县里已确认"))
    assert desk.enter("select change, changed_by, note from ops.incident_change order by incident_change_id") == [
        ("acknowledged", "duty", ""),
        ("assigned", "duty", "王工"),
        ("closed", "duty", "县里已确认"),
    ]
    again = browser.post(f"/duty/incidents/{number}/resolve", json={"why": "noch einmal"})
    assert again.status_code == 409
    assert "县里已确认" in again.json()["said"]
    unknown = browser.post("/duty/incidents/999999/acknowledge").json()["said"]
    assert unknown == "没有事件 999999。 请查看 `threegaps incidents --all`。"


def test_what_was_not_on_the_page_is_not_resolved(desk: Desk) -> None:
    number = desk.incident()
    browser = desk.acting("duty")

    def resolved() -> tuple[int, str]:
        answer = browser.post(f"/duty/incidents/{number}/resolve", json={"why": "有意", "seen": shown})
        return answer.status_code, answer.json().get("said", "")

    def on_the_page() -> str:
        found = re.search(r'name="seen" value="(\w+)"', browser.get("/duty/").text)
        assert found is not None
        return found[1]

    for change in ("occasions = '{41,42}'", "gravity = 'warning', occasions = '{43}'"):
        shown = on_the_page()
        desk.enter(f"update ops.incident set {change} where incident_id = %s", number)
        status, said = resolved()
        assert (status, "请重新查看" in said) == (409, True)
    assert desk.enter("select closed_at from ops.incident") == [(None,)]
    desk.enter("update ops.incident set detail_zh = '已过一小时', last_seen_at = now() where incident_id = %s", number)
    shown = on_the_page()
    assert resolved()[0] == 200


def test_a_reason_that_is_empty_or_endless_is_refused(desk: Desk) -> None:
    number = desk.incident()
    browser = desk.acting("duty")
    for action, field, said in (("resolve", "why", "须写明理由。"), ("assign", "to", "须写明指派给谁。")):
        for blank in ("  ", "\u3000", "\u200b\u2060\ufeff"):
            refused = browser.post(f"/duty/incidents/{number}/{action}", json={field: blank})
            assert (refused.status_code, refused.json()["said"]) == (409, f"{said} 请给出姓名或理由,不得为空。")
    assert browser.post(f"/duty/incidents/{number}/resolve", json={"why": "x" * 3000}).status_code == 400
    assert browser.post(f"/duty/incidents/{number}/resolve", json={}).status_code == 400
    assert desk.enter("select closed_at from ops.incident") == [(None,)]


def test_a_body_that_no_form_sends_is_not_read(desk: Desk) -> None:
    number = desk.incident()
    answer = desk.acting(None).post(f"/duty/incidents/{number}/resolve", json={"why": "x" * 100_000})
    assert answer.status_code == 413
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_what_somebody_wrote_does_nothing_on_the_page(desk: Desk) -> None:
    desk.incident(assigned_to='<script>alert(1)</script>"\u202e', detail_zh="<b>行</b>")
    page = desk.browser("duty").get("/duty/").text
    assert "<script>alert" not in page
    assert "<b>行</b>" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page


def test_what_an_incident_says_to_type_is_shown_as_code(desk: Desk) -> None:
    desk.incident(detail_zh="以`threegaps incidents resolve`解除,<b>`<i>`</b>")
    page = desk.browser("duty").get("/duty/").text
    assert "以<code>threegaps incidents resolve</code>解除,&lt;b&gt;<code>&lt;i&gt;</code>" in page


def test_of_many_incidents_and_changes_some_are_shown_in_as_many_questions(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = desk.incident()
    desk.enter(
        "insert into ops.incident_change (incident_id, change, changed_at, changed_by)"
        " select %s, 'assigned', now(), 'li ' || n from generate_series(1, 30) as n",
        first,
    )
    asked: list[object] = []
    execute = psycopg.Cursor.execute

    def noting(self: Any, *arguments: Any, **named: Any) -> Any:
        asked.append(arguments[0])
        return execute(self, *arguments, **named)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    few = desk.browser("reader").get("/duty/").text
    assert re.findall(r"· li (\d+)", few) == [str(number) for number in range(11, 31)]
    assert re.search(r"\(20\+\).*?<code>threegaps incidents show 1</code>", few, re.S)
    in_few = len(asked)
    for number in range(249):
        desk.incident(gravity="warning", cause_key=f"feed_stopped:{number}")
    asked.clear()
    many = desk.browser("reader").get("/duty/").text
    assert (len(asked), many.count("<article")) == (in_few, 200)
    assert "250个未解除的事件" in many
    assert "另有 50 项未示" in many


def test_without_a_watch_nothing_is_well(desk: Desk) -> None:
    page = desk.browser("duty").get("/duty/").text
    assert 'data-state="warning"' in page
    assert "值守程序从未查看过" in page
    desk.enter("insert into ops.watch_pass (compared_at) values (now())")
    page = desk.browser("duty").get("/duty/").text
    assert 'data-state="awaited"' in page, "nothing has come and nothing is released"
    assert "等待首次" in page
    assert "一切正常" not in page
    for odd in ("now() - interval '10 minutes'", "now() + interval '2 days'", "'infinity'", "'-infinity'"):
        desk.enter(f"update ops.watch_pass set compared_at = {odd}")
        page = desk.browser("duty").get("/duty/").text
        assert 'data-state="warning"' in page, odd
        assert "值守程序已停止" in page, odd


def test_while_the_warehouse_is_silent_the_journal_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    book = journal.Journal()
    cause = Cause("warehouse_down", "", "critical", "仓库没有应答", "no answer of the warehouse", "", "", ())
    book.put(journal.new_incident(cause, dt.datetime.now(dt.UTC)))
    journal.save(heartbeat.watch_folder(desk.settings), book)
    monkeypatch.setenv("THREEGAPS_WAREHOUSE_PORT", "1")
    desk = Desk.over(Settings.load(), desk.dsn)
    for path in ("/duty/", "/duty/feeds", "/duty/refused", f"/duty/feeds/{FEED}/2026-05"):
        answer = desk.browser("duty").get(path)
        assert answer.status_code == 503, path
        assert "数据仓库没有应答" in answer.text
        assert "仓库没有应答" in answer.text
        assert "Traceback" not in answer.text


def test_it_speaks_english_where_airflow_does(desk: Desk) -> None:
    desk.incident()
    browser = desk.browser("duty")
    browser.cookies.set("threegaps_language", "en")
    page = browser.get("/duty/").text
    assert '<html lang="en"' in page
    assert "A batch of wages has stopped" in page
    assert "acknowledged by nobody" in page


def test_what_the_warehouse_says_of_a_question_is_no_outage(desk: Desk) -> None:
    odd = desk.browser("duty").get(f"/duty/feeds/{FEED}/2026-05", params={"county": "\x00"})
    assert odd.status_code == 400
    assert "没有应答" not in odd.text
    desk.know_feed()
    with psycopg.connect(desk.dsn) as other:
        other.execute("lock table ops.feed in access exclusive mode")
        started = time.monotonic()
        locked = desk.browser("duty").get("/duty/feeds")
        assert time.monotonic() - started < 30
    assert locked.status_code == 503
    assert "太忙或被锁" in locked.text


def test_a_page_that_fails_says_so_in_its_own_form(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("a received name")

    monkeypatch.setattr(now, "read_now", fail)
    answer = desk.browser("duty").get("/duty/")
    assert answer.status_code == 500
    assert "本页出错" in answer.text
    assert "a received name" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


# ---- deliveries ------------------------------------------------------------------------------------------------


def month(day: int, month_: int) -> dt.datetime:
    return dt.datetime(2026, month_, day, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(("first_tried", "without_any"), [("2 days", "missing"), ("1 hour", "awaited")])
def test_each_delivery_has_the_square_of_what_came_of_it(desk: Desk, first_tried: str, without_any: str) -> None:
    desk.know_feed()
    on_time = {"first_arrived_at": month(3, 2), "completed_at": month(3, 2), "rows": 5}
    wanted = {
        desk.owe(1, **on_time): "on_time",
        desk.owe(2, first_arrived_at=month(28, 3), completed_at=month(28, 3), rows=5): "late",
        desk.owe(3, first_arrived_at=month(3, 4), completed_at=month(3, 4), rows=0): "empty",
        desk.owe(4): without_any,
        desk.owe(5, is_paused=True): "paused",
        desk.owe(6): "failed",
        desk.owe(7): "stopped",
        desk.owe(8, first_arrived_at=month(3, 9), rows=5): "incomplete",
        desk.owe(9, due_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1)): "expected",
    }
    desk.enter(
        "insert into ops.attempt (feed, step, delivery, started_at, ended_at, outcome, cause)"
        " values (%s, 'land', '2026-06', now() - %s::interval, now(), 'failed', 'unreachable')",
        FEED,
        first_tried,
    )
    desk.batch("2026-07", "stopped", stop_rule="delivery_shrunk")
    with psycopg.connect(desk.dsn) as connection:
        expected.summarise(connection, FEED)
    page = desk.browser("reader").get("/duty/feeds").text
    shown = re.findall(r'class="square (\w+)" data-delivery="([^"]+)" href="([^"]+)"', page)
    assert {key: state for state, key, _ in shown} == wanted
    assert [key for _, key, _ in shown] == sorted(wanted)
    for state, key, address in shown:
        answer = desk.browser("reader").get(address)
        assert answer.status_code == 200
        assert f'data-state="{state}"' in answer.text, key


def test_an_old_delivery_is_still_what_it_was(desk: Desk) -> None:
    desk.know_feed()
    arrived = {"first_arrived_at": month(3, 2), "completed_at": month(3, 2), "rows": 5}
    old = {"delivery": "2019-03", "delivery_start": dt.date(2019, 3, 1), "delivery_end": dt.date(2019, 3, 31)}
    desk.owe(1, **old, due_at=month(28, 2), **arrived)
    for year in range(2020, 2024):
        for number in range(1, 13):
            start = dt.date(year, number, 1)
            end = (start + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
            key = f"{year}-{number:02}"
            desk.owe(1, delivery=key, delivery_start=start, delivery_end=end, due_at=month(28, 2), **arrived)
    with psycopg.connect(desk.dsn) as connection:
        expected.summarise(connection, FEED)
    assert "2019-03" not in desk.browser("reader").get("/duty/feeds").text
    assert 'data-state="on_time"' in desk.browser("reader").get(f"/duty/feeds/{FEED}/2019-03").text


def test_a_stopped_batch_can_be_accepted_until_something_else_has_brought_its_rows(desk: Desk) -> None:
    desk.know_feed()
    stopped = desk.batch("2026-05", "stopped", stop_rule="delivery_shrunk", message_zh="疑为清空")
    correction = desk.batch("2026-05")
    desk.enter(
        "update ops.landed_object set is_correction = true, part = 'correction0001' where landed_object_id ="
        " (select landed_object_id from ops.batch_object where batch_id = %s)",
        correction,
    )
    address = f"/duty/feeds/{FEED}/2026-05"
    page = desk.browser("duty").get(address).text
    assert f"/duty/batches/{stopped}/accept" in page
    assert page.count("则排在其后;要立即进行") == 2, "a run that is asked for may have to wait"
    assert "/accept" not in desk.browser("reader").get(address).text
    again = desk.batch("2026-05")
    assert again
    assert "/accept" not in desk.browser("duty").get(address).text


def test_an_acceptance_is_noted_once_and_waits_for_no_load(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.know_feed()
    stopped = desk.batch("2026-05", "stopped", stop_rule="delivery_shrunk")
    browser = desk.acting("duty")
    path = f"/duty/batches/{stopped}/accept"
    with psycopg.connect(desk.dsn, autocommit=True) as loading, feed_lock(loading, FEED, step="load"):
        for _ in range(2):
            assert browser.post(path, json={"why": " 确认无误 "}).status_code == 200
    asked = "select rule, accepted_by, reason from ops.acceptance_request order by 1 desc"
    assert desk.enter(asked) == [("delivery_shrunk", "duty", "确认无误")]
    another = browser.post(path, json={"why": "另有理由"})
    assert (another.status_code, "以已登记的为准" in another.text) == (409, True)
    assert desk.enter(asked) == [("delivery_shrunk", "duty", "确认无误")]
    page = desk.browser("duty").get(f"/duty/feeds/{FEED}/2026-05").text
    assert 'data-accepted="waits"' in page
    assert "/accept" not in page
    assert not list(desk.settings.home.rglob("*accept*")), "landing is the pipeline's alone"
    # That it is meant against one rule says nothing of another.
    monkeypatch.setattr(accepting, "acceptable_rules", lambda _: ["batch_row_count"])
    desk.enter("update ops.batch set stop_rule = 'batch_row_count' where batch_id = %s", stopped)
    for _ in range(2):
        assert browser.post(path, json={"why": "确认无误"}).status_code == 200
    assert [rule for rule, _, _ in desk.enter(asked)] == ["delivery_shrunk", "batch_row_count"]
    loaded = desk.batch("2026-04")
    assert browser.post(f"/duty/batches/{loaded}/accept", json={"why": "x"}).status_code == 409
    assert browser.post("/duty/batches/999999/accept", json={"why": "x"}).status_code == 409


def test_an_acceptance_that_held_no_longer_says_why(desk: Desk) -> None:
    desk.know_feed()
    stopped = desk.batch("2026-05", "stopped", stop_rule="delivery_shrunk")
    assert desk.acting("duty").post(f"/duty/batches/{stopped}/accept", json={"why": "确认无误"}).status_code == 200
    why_not = f"Batch {stopped} is no longer what 2026-05 holds: something has arrived since."
    desk.enter("update ops.acceptance_request set taken_up_at = now(), why_not = %s", why_not)
    said = re.search('data-accepted="not">([^<]*)<', desk.browser("duty").get(f"/duty/feeds/{FEED}/2026-05").text)
    assert said is not None
    assert said[1].startswith("未能照此载入")
    assert why_not not in said[1], "in Chinese"


def test_a_delivery_shows_attempts_counts_rules_and_refused_rows(desk: Desk) -> None:
    desk.know_feed()
    for one in (3, 4):
        earlier = desk.batch(f"2026-{one:02}", refused=one)
        desk.enter(
            "insert into ops.check_result (batch_id, rule, expectation, column_name, action, evaluated, unexpected,"
            " outcome) values (%s, 'wage_cny_month_range', 'e', 'wage_cny_month', 'refuse', 100, %s, 'refused_rows')",
            earlier,
            one,
        )
    number = desk.batch("2026-05", refused=2)
    desk.enter(
        "insert into ops.check_result (batch_id, rule, expectation, column_name, action, evaluated, unexpected,"
        " outcome) values (%s, 'wage_cny_month_range', 'e', 'wage_cny_month', 'refuse', 100, 2, 'refused_rows')",
        number,
    )
    tokens = [desk.refuse(number, 7), desk.refuse(number, 9, county="330302", value="<i>x</i>")]
    desk.enter(
        "insert into ops.attempt (feed, step, delivery, run_id, ended_at, outcome, cause, host, port, message_zh)"
        " values (%s, 'land', '2026-05', 'manual__1+1', now(), 'failed', 'login_refused', '10.0.0.9', 22, '口令不对')",
        FEED,
    )
    address = f"/duty/feeds/{FEED}/2026-05"
    page = desk.browser("reader").get(address).text
    assert re.search(rf'data-batch="{number}".*?100 .*?✓.*?98.*?2.*?0', page, re.S)
    assert "登录被拒绝" in page
    assert "10.0.0.9:22" in page
    assert "/dags/feed_hrss_wage_records/runs/manual__1%2B1" in page
    assert "2 / 100" in page
    assert "2026-03 3.0%, 2026-04 4.0%, 2026-05 2.0%" in page
    assert re.findall(r'data-row="(\d+)"', page) == tokens
    assert page.count('class="wrong"') == 2
    assert "<i>x</i>" not in page
    one_county = desk.browser("reader").get(address, params={"county": "330302"}).text
    assert re.findall(r'data-row="(\d+)"', one_county) == tokens[1:]
    none = desk.browser("reader").get(address, params={"rule": "key_unique"}).text
    assert re.findall(r'data-row="(\d+)"', none) == []


def test_the_workbook_has_what_is_open_and_no_more(desk: Desk) -> None:
    desk.know_feed()
    number = desk.batch("2026-05", refused=3)
    tokens = [desk.refuse(number, row) for row in (1, 2, 3)]
    desk.enter("update quarantine.refused_row set closed_by_batch_id = %s where row_token = %s", number, tokens[0])
    answer = desk.browser("reader").get(f"/duty/feeds/{FEED}/refused.xlsx", params={"delivery": "2026-05"})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [str(row[0].value) for row in list(sheet.rows)[1:]] == tokens[1:]
    assert desk.browser("reader").get(f"/duty/feeds/{FEED}/refused.csv").content.count(b"\r\n") == 3
    assert desk.browser("reader").get(f"/duty/feeds/{FEED}/refused.pdf").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/feeds/hrss/nothing/2026-05", f"/feeds/{FEED}/2026-13", f"/feeds/{FEED}/..%2f..", "/feeds/x/y/refused.xlsx"],
)
def test_what_there_is_not_is_said_to_be_not(desk: Desk, path: str) -> None:
    answer = desk.browser("reader").get(f"/duty{path}")
    assert answer.status_code == 404
    assert "没有这一页" in answer.text


def test_from_a_dag_and_a_run_to_the_feed_and_the_delivery(desk: Desk) -> None:
    desk.enter(
        "insert into ops.attempt (feed, step, delivery, run_id, ended_at, outcome)"
        " values (%s, 'load', '2026-05', 'scheduled__2026-06-20T00:00:00+00:00__2026-05__a', now(), 'succeeded')",
        FEED,
    )
    browser = desk.browser("reader")
    run = "scheduled__2026-06-20T00%3A00%3A00%2B00%3A00__2026-05__a"
    for path, wanted in (
        ("dag/feed_hrss_wage_records", f"/duty/feeds/{FEED}"),
        ("dag/marts", "/duty/"),
        (f"dag/feed_hrss_wage_records/run/{run}", f"/duty/feeds/{FEED}/2026-05"),
        ("dag/feed_hrss_wage_records/run/manual__none", f"/duty/feeds/{FEED}"),
        (f"dag/marts/run/{run}", "/duty/"),
    ):
        answer = browser.get(f"/duty/{path}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, wanted)


def test_no_browser_keeps_what_the_pages_show(desk: Desk) -> None:
    desk.know_feed()
    desk.refuse(desk.batch("2026-05", refused=1), 1)
    for path in ("", "refused", f"feeds/{FEED}/2026-05", f"feeds/{FEED}/refused.xlsx", "tickets/1"):
        assert desk.browser("reader").get(f"/duty/{path}").headers["Cache-Control"] == "no-store"
    assert desk.browser("reader").get("/duty/static/duty.css").headers["Cache-Control"] == "no-cache"


# ---- refused rows and tickets ----------------------------------------------------------------------------------


def test_refused_rows_are_counted_by_rule_and_tickets_have_their_age(desk: Desk) -> None:
    desk.know_feed()
    first, last = desk.batch("2026-04", refused=1), desk.batch("2026-05", refused=2)
    token = desk.refuse(first, 1)
    desk.refuse(last, 1)
    desk.refuse(last, 2)
    ((ticket,),) = desk.enter(
        "insert into ops.ticket (feed, rows, sent_to, sent_by, sent_at, file_name, file_sha256)"
        " values (%s, 1, '厅信息中心 <b>', 'li', now() - interval '12 days', 'f.xlsx', repeat('0', 64))"
        " returning ticket_id",
        FEED,
    )
    desk.enter("insert into ops.ticket_row (ticket_id, row_token, batch_id) values (%s, %s, %s)", ticket, token, first)
    page = desk.browser("reader").get("/duty/refused").text
    rule = re.search(r"wage_cny_month_range</td>.*?</tr>", page, re.S)
    assert rule is not None
    assert ">3<" in rule[0]
    assert "2026-04 … 2026-05" in rule[0]
    line = re.search(rf'data-ticket="{ticket}".*?</tr>', page, re.S)
    assert line is not None
    assert ">12<" in line[0]
    assert "1 / 1" in line[0]
    assert "厅信息中心 &lt;b&gt;" in line[0]
    assert "12 天" in desk.browser("reader").get("/duty/").text
    # An answer settles a ticket whatever rows are still wrong: who enters it is told so.
    assert ">登记回复并了结</button>" in desk.browser("duty").get("/duty/refused").text
    said = desk.acting("duty").post(f"/duty/tickets/{ticket}/answer", json={"said": "确认无误"})
    assert said.status_code == 200
    assert "确认无误" in desk.browser("reader").get("/duty/refused").text
    assert desk.enter("select answered_by from ops.ticket") == [("duty",)]


def test_a_ticket_is_not_mended_by_a_file_that_is_as_wrong_as_the_one_before(desk: Desk) -> None:
    desk.know_feed()
    hours = [dt.datetime(2026, 6, day, 9, tzinfo=dt.UTC) for day in (1, 2, 3, 4)]
    numbers = [desk.batch("2026-05", refused=2, finished_at=at) for at in hours]
    wrong = {1: "-5", 2: "-6"}
    for number in numbers[:3]:
        # The third takes the second row, the fourth the first.
        for row, value in wrong.items():
            if (number, row) != (numbers[2], 2):
                desk.refuse(number, row, value=value)

    def loaded(until: int) -> None:
        """As if the first so many batches had come: each ends what the one before refused, and refuses anew."""
        for place, number in enumerate(numbers):
            closing = numbers[place + 1] if place + 1 < until else None
            desk.enter("update quarantine.refused_row set closed_by_batch_id = %s where batch_id = %s", closing, number)
            status = "loaded" if place < until else "failed"
            desk.enter("update ops.batch set status = %s where batch_id = %s", status, number)

    loaded(1)
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        tokens = [f"{numbers[0]:08d}{row:08d}" for row in wrong]
        file = desk.settings.root / "README.md"
        ticket = tickets.open_ticket(
            connection,
            FEED,
            [(token, numbers[0]) for token in tokens],
            sent_to="厅信息中心",
            sent_by="li",
            file=file,
            at=hours[0],
        )
        for until, waiting, unknown in ((1, 2, 0), (2, 2, 0), (3, 1, 1)):
            loaded(until)
            (one,) = tickets.tickets(connection)
            assert (one.ticket_id, one.open_rows, one.unknown_rows, one.mended_at) == (ticket, waiting, unknown, None)
            page = desk.browser("reader").get("/duty/refused").text
            assert f"{waiting} / 2" in page
            assert "已全部修正或撤回" not in page
        loaded(4)
        # Nobody can say that rows without a key have come right: the department is asked.
        (one,) = tickets.tickets(connection)
        assert (one.open_rows, one.unknown_rows, one.is_settled) == (0, 2, False)
        page = desk.browser("reader").get("/duty/refused").text
        assert "2 行主键无法识别" in page
        assert "登记回复" in desk.browser("duty").get("/duty/refused").text
        assert "已全部修正或撤回" not in page
        desk.enter("update quarantine.refused_row set key_hash = repeat('b', 32) where batch_id = %s", numbers[0])
        (one,) = tickets.tickets(connection)
        assert (one.open_rows, one.left_out_rows, one.unknown_rows) == (0, 2, 0)
        assert "2 行未再报送" in desk.browser("reader").get("/duty/refused").text
        desk.enter("update ops.ticket_row set accepted_by_batch_id = %s", numbers[3])
        assert tickets.tickets(connection) == []
        assert tickets.find_ticket(connection, ticket).mended_at == hours[3]
    assert "已全部修正或撤回" in desk.browser("reader").get("/duty/refused").text


def test_a_row_is_known_again_by_its_key_whatever_else_of_it_has_changed(desk: Desk) -> None:
    desk.know_feed()
    first, second = desk.batch("2026-05", refused=1), desk.batch("2026-05", refused=1)
    token = desk.refuse(first, 1, value="-5")
    desk.refuse(second, 7, value="-500")
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        ticket = tickets.open_ticket(
            connection,
            FEED,
            [(token, first)],
            sent_to="厅信息中心",
            sent_by="li",
            file=desk.settings.root / "README.md",
            at=dt.datetime(2026, 6, 1, tzinfo=dt.UTC),
        )
        desk.enter("update quarantine.refused_row set closed_by_batch_id = %s where batch_id = %s", second, first)
        assert tickets.find_ticket(connection, ticket).open_rows == 0
        desk.enter("update quarantine.refused_row set key_hash = repeat('a', 32)")
        one = tickets.find_ticket(connection, ticket)
        assert (one.open_rows, one.mended_at) == (1, None)
        # What was refused in a batch that stopped has replaced nothing.
        desk.enter("update ops.batch set status = 'stopped' where batch_id = %s", second)
        assert tickets.find_ticket(connection, ticket).open_rows == 0


def test_no_ticket_is_opened_of_rows_that_a_load_ends_meanwhile(desk: Desk) -> None:
    desk.know_feed()
    first, second = desk.batch("2026-05", refused=2), desk.batch("2026-05")
    desk.refuse(first, 1)
    desk.refuse(first, 2)
    write, ended = workbooks.write_refused, "update quarantine.refused_row set closed_by_batch_id = %s"
    path, to = f"/duty/feeds/{FEED}/tickets", {"to": "厅信息中心"}
    with psycopg.connect(desk.dsn) as load, pytest.MonkeyPatch.context() as patch:

        def meanwhile(*arguments: Any, **named: Any) -> Any:
            written = write(*arguments, **named)
            load.execute(f"{ended} where row_number = 1", [second])
            return written

        patch.setattr(actions, "write_refused", meanwhile)
        refused = desk.acting("duty").post(path, json=to)
        assert (refused.status_code, "正重新判定这些行" in refused.text) == (409, True)
        load.rollback()

        def before(*arguments: Any, **named: Any) -> Any:
            written = meanwhile(*arguments, **named)
            load.commit()
            return written

        patch.setattr(actions, "write_refused", before)
        refused = desk.acting("duty").post(path, json=to)
        assert (refused.status_code, "其中 1 行已不再拒收" in refused.text) == (409, True)
        assert desk.enter("select count(*) from ops.ticket") == [(0,)]
        patch.setattr(actions, "write_refused", write)
        assert desk.acting("duty").post(path, json=to).status_code == 200
        assert desk.enter("select row_token from ops.ticket_row") == [(f"{first:08d}{2:08d}",)]


def test_one_ticket_at_an_address_asks_for_the_same_rows(desk: Desk) -> None:
    desk.know_feed()
    first = desk.batch("2026-05", refused=2)
    desk.refuse(first, 1)
    path, to = f"/duty/feeds/{FEED}/tickets", {"to": "厅信息中心"}
    browsers = [desk.acting("duty") for _ in range(4)]
    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(lambda browser: browser.post(path, json=to), browsers))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert desk.enter("select ticket_id, rows from ops.ticket") == [(1, 1)]
    again = desk.acting("duty").post(path, json=to)
    assert (again.status_code, "校核单 1 已退回这些行" in again.text) == (409, True)
    # Somebody else is asked, a row more is asked for, the department has answered: each is a ticket of its own.
    assert desk.acting("duty").post(path, json={"to": "温州市人社局"}).headers["X-ThreeGaps-Ticket"] == "2"
    desk.refuse(first, 2)
    assert desk.acting("duty").post(path, json=to).headers["X-ThreeGaps-Ticket"] == "3"
    assert desk.acting("duty").post(path, json=to).status_code == 409
    for ticket in (1, 3):
        assert desk.acting("duty").post(f"/duty/tickets/{ticket}/answer", json={"said": "属实"}).status_code == 200
    assert desk.acting("duty").post(path, json=to).headers["X-ThreeGaps-Ticket"] == "4"


@pytest.mark.parametrize("key_hash", ["a" * 32, None])
def test_a_row_that_came_again_just_as_wrong_is_asked_for_already(desk: Desk, key_hash: str | None) -> None:
    desk.know_feed()
    first, second, third = (desk.batch("2026-05", refused=1) for _ in range(3))
    path, hashed = f"/duty/feeds/{FEED}/tickets", "update quarantine.refused_row set key_hash = %s"
    token = desk.refuse(first, 1)
    desk.enter(hashed, key_hash)
    assert desk.acting("duty").post(path, json={"to": "centre"}).status_code == 200

    def refused_again(batch: int, *, again: str) -> int:
        desk.enter("update quarantine.refused_row set closed_by_batch_id = %s where batch_id < %s", batch, batch)
        desk.refuse(batch, 1)
        desk.enter("update quarantine.refused_row set row_token = %s where batch_id = %s", again, batch)
        desk.enter(hashed, key_hash)
        # Blanks that nobody sees make no other address.
        return desk.acting("duty").post(path, json={"to": "centre\u200b"}).status_code

    assert refused_again(second, again=token) == 409, "its batch was judged again"
    # Sent again it has another token: by its key it is the same; without one nobody can tell.
    assert refused_again(third, again="another") == (409 if key_hash else 200)


def test_settled_tickets_are_not_worked_out_to_show_those_that_are_out(desk: Desk) -> None:
    desk.know_feed()
    first, second = desk.batch("2026-05", refused=3), desk.batch("2026-05")
    for row in range(1, 4):
        desk.refuse(first, row)
        desk.enter("update quarantine.refused_row set key_hash = repeat(row_number::text, 32)")
        assert desk.acting("duty").post(f"/duty/feeds/{FEED}/tickets", json={"to": f"{row}"}).status_code == 200
    desk.enter("update quarantine.refused_row set closed_by_batch_id = %s where row_number < 3", second)
    desk.enter("update ops.ticket_row set accepted_by_batch_id = %s where ticket_id = 1", second)
    with psycopg.connect(desk.dsn, autocommit=True) as connection:

        def shown(newest: int | None) -> list[tuple[int, bool]]:
            return [(one.ticket_id, one.is_settled) for one in tickets.tickets(connection, newest=newest)]

        assert shown(0) == [(2, False), (3, False)]
        assert shown(2) == [(2, False), (3, False)]
        assert shown(None) == [(1, True), (2, False), (3, False)]
        assert len(tickets.rows_of(connection, 3)) == 3
        assert len(tickets.rows_of(connection, 3, most=2)) == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views_refused, "MOST_LISTED", 1)
        page = desk.browser("reader").get("/duty/tickets/3").text
    assert page.count("data-ticket-row") == 1


def test_a_load_waits_for_a_ticket_of_the_rows_that_it_ends(desk: Desk, tmp_path: Path) -> None:
    desk.know_feed()
    first, second = desk.batch("2026-05", refused=1), desk.batch("2026-05")
    token = desk.refuse(first, 1)
    (tmp_path / "file").touch()
    with psycopg.connect(desk.dsn) as ours, psycopg.connect(desk.dsn, options="-c lock_timeout=200ms") as load:
        said: dict[str, Any] = {
            "sent_to": "x",
            "sent_by": "y",
            "file": tmp_path / "file",
            "at": dt.datetime.now(dt.UTC),
        }
        with ours.transaction():
            tickets.open_ticket(ours, FEED, [(token, first)], **said)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                load.execute("update quarantine.refused_row set closed_by_batch_id = %s", [second])
            load.rollback()
        load.execute("update quarantine.refused_row set closed_by_batch_id = %s", [second])
        load.commit()


def test_rows_that_were_purged_are_not_taken_for_one_another(desk: Desk, tmp_path: Path) -> None:
    desk.know_feed()
    first, second = desk.batch("2026-05", refused=1), desk.batch("2026-05", refused=1)
    token = desk.refuse(first, 1)
    (tmp_path / "file").touch()
    said: dict[str, Any] = {"sent_to": "x", "sent_by": "y", "file": tmp_path / "file", "at": dt.datetime.now(dt.UTC)}
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        ticket = tickets.open_ticket(connection, FEED, [(token, first)], **said)
        desk.refuse(second, 7)
        desk.enter("update quarantine.refused_row set closed_by_batch_id = %s where batch_id = %s", second, first)
        assert tickets.find_ticket(connection, ticket).open_rows == 1
        for ((landed,),) in [
            desk.enter("select landed_object_id from ops.batch_object where batch_id = %s", batch)
            for batch in (first, second)
        ]:
            decisions.remove_texts(connection, landed)
        one = tickets.find_ticket(connection, ticket)
        assert (one.open_rows, one.unknown_rows) == (0, 1)


def test_the_page_of_a_ticket_shows_each_of_its_rows_and_what_came_of_it(desk: Desk, tmp_path: Path) -> None:
    desk.know_feed()
    first, second = desk.batch("2026-05", refused=5), desk.batch("2026-05", refused=1)
    tokens = [desk.refuse(first, row, value=f"-{row}") for row in (1, 2, 3, 4, 5)]
    again = desk.refuse(second, 9)
    (tmp_path / "file").touch()
    said: dict[str, Any] = {"sent_to": "x", "sent_by": "y", "file": tmp_path / "file", "at": dt.datetime.now(dt.UTC)}
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        ticket = tickets.open_ticket(connection, FEED, [(token, first) for token in tokens], **said)
    closing = "update quarantine.refused_row set closed_by_batch_id = %s where batch_id = %s and row_number <> 5"
    desk.enter(closing, second, first)
    desk.enter("update quarantine.refused_row set key_hash = 'c' where row_number = 2")
    desk.enter("update ops.ticket_row set accepted_by_batch_id = %s where row_token = %s", second, tokens[0])
    repaired = "update ops.ticket_row set again_row_token = %s, again_batch_id = %s where row_token = %s"
    desk.enter(repaired, again, second, tokens[3])
    page = desk.browser("reader").get(f"/duty/tickets/{ticket}").text
    states = ["mended", "left_out", "cannot_tell", "open", "open"]
    assert re.findall(r'data-ticket-row="(\d+)" data-state="(\w+)"', page) == list(zip(tokens, states, strict=True))
    assert re.search(rf"修正后又被拒收.*?{again}", page)
    assert page.count("工资应大于零") == len(tokens) - 1, "why each row is wrong that has not come right"
    assert page.count("330106 西湖区") == len(tokens)
    desk.enter("update quarantine.refused_row set county_code = 'unknown' where row_number = 5")
    page = desk.browser("reader").get(f"/duty/tickets/{ticket}").text
    assert (page.count("unknown"), page.count("不详")) == (0, 1)
    delivery = desk.browser("reader").get(f"/duty/feeds/{FEED}/2026-05").text
    said = re.search(rf'data-out-with="{ticket}".*?</p>', delivery)
    assert said is not None
    assert f"{len(tokens)} 行" in said[0]
    assert "不详 (1)" in delivery
    assert desk.browser("reader").get("/duty/tickets/99").status_code == 404
    assert f'href="/duty/tickets/{ticket}"' in desk.browser("reader").get("/duty/refused").text


def test_what_is_sent_back_is_a_ticket_with_the_rows_that_were_chosen(desk: Desk) -> None:
    desk.know_feed()
    number = desk.batch("2026-05", refused=3)
    tokens = [desk.refuse(number, row, county=county) for row, county in ((1, "330106"), (2, "330302"), (3, "330302"))]
    chosen = {"to": "温州市人社局", "delivery": "2026-05", "rule": "", "county": "330302"}
    path = f"/duty/feeds/{FEED}/tickets"
    answer = desk.acting("duty").post(path, json=chosen)
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [str(row[0].value) for row in list(sheet.rows)[1:]] == tokens[1:]
    assert desk.enter("select row_token from ops.ticket_row order by 1") == [(one,) for one in tokens[1:]]
    ((sent_to, sent_by, name, digest),) = desk.enter("select sent_to, sent_by, file_name, file_sha256 from ops.ticket")
    assert (sent_to, sent_by, name) == ("温州市人社局", "duty", "hrss_wage_records_2026-05_330302.xlsx")
    # The department has it under the name that the ledger knows.
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert digest == hashlib.sha256(answer.content).hexdigest()
    nothing = desk.acting("duty").post(path, json={**chosen, "county": "330101"})
    assert nothing.status_code == 409
    assert desk.enter("select count(*) from ops.ticket") == [(1,)]
    assert desk.acting("duty").post(path, json={**chosen, "rule": "no such"}).status_code == 409


def test_a_workbook_that_is_too_large_for_a_page_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.know_feed()
    number = desk.batch("2026-05", refused=3)
    for row in (1, 2, 3):
        desk.refuse(number, row)
    monkeypatch.setattr(workbooks, "MOST_ROWS", 2)
    path = f"/duty/feeds/{FEED}/refused.xlsx"
    answer = desk.browser("reader").get(path)
    assert answer.status_code == 409
    assert "2" in answer.text
    monkeypatch.setattr(workbooks, "MOST_ROWS", 3)
    assert desk.browser("reader").get(path).status_code == 200


def test_a_delivery_that_fails_now_is_red_wherever_it_stands_though_it_had_come(desk: Desk) -> None:
    desk.know_feed()
    desk.owe(5, first_arrived_at=month(3, 6), completed_at=month(3, 6), rows=5)
    with psycopg.connect(desk.dsn) as connection:
        expected.summarise(connection, FEED)
    assert 'class="square on_time" data-delivery="2026-05"' in desk.browser("reader").get("/duty/feeds").text
    for _ in range(2):
        desk.enter(
            "insert into ops.attempt (feed, step, delivery, started_at, ended_at, outcome, cause, message_zh)"
            " values (%s, 'land', '2026-05', now() - interval '1 hour', now(), 'failed', 'limit_exceeded', '超过上限')",
            FEED,
        )
    desk.incident("feed_failing", title_zh="工资取数失败")
    browser = desk.browser("reader")
    feeds, own = browser.get("/duty/feeds").text, browser.get(f"/duty/feeds/{FEED}").text
    assert 'class="square failed" data-delivery="2026-05"' in feeds
    assert "运行失败" in feeds
    assert 'data-state="failing"' in own
    assert 'data-state="failed"' in browser.get(f"/duty/feeds/{FEED}/2026-05").text
    assert f'href="/duty/feeds/{FEED}/2026-05"' in browser.get("/duty/").text


def test_a_delivery_says_what_is_no_longer_there_who_accepted_it_and_how_many_rows_were_chosen(desk: Desk) -> None:
    desk.know_feed()
    number = desk.batch("2026-05", refused=3, closed_by_absence=218)
    desk.enter(
        "insert into ops.acceptance (landed_object_id, batch_id, rules, accepted_by, reason, accepted_at)"
        " select landed_object_id, batch_id, array['delivery_shrunk'], '李工', '县里<核实>', now()"
        " from ops.batch_object where batch_id = %s",
        number,
    )
    for row, county in ((1, "330106"), (2, "330302"), (3, "330302")):
        desk.refuse(number, row, county=county)
    address = f"/duty/feeds/{FEED}/2026-05"
    page = desk.browser("reader").get(address).text
    assert "不再出现 218 行" in page
    assert "李工 · 县里&lt;核实&gt;" in page
    assert "其他报送期的运行一并取得" in page
    assert "所选 2 行" in desk.browser("reader").get(address, params={"county": "330302"}).text
