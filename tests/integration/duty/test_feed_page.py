"""One feed's page: what stands of each delivery, how it stands, what of it is refused and how it was tried."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import psycopg
import pytest

from tests.integration.duty.conftest import FEED, Desk
from threegaps.duty.reading.past import Past, read_past
from threegaps.ledger import tickets

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("desk")]


def past(desk: Desk, *, kind: str = "full_period") -> Past:
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        return read_past(connection, FEED, cadence="month", kind=kind)


def rows(desk: Desk) -> list[tuple[str, int, int, bool]]:
    return [
        (one.delivered.delivery, one.delivered.received, one.delivered.refused, one.delivered.is_loaded)
        for one in past(desk).volumes
    ]


def checked(
    desk: Desk, batch_id: int, rule: str, unexpected: int, evaluated: int = 100, action: str = "refuse"
) -> None:
    desk.enter(
        "insert into ops.check_result (batch_id, rule, expectation, action, evaluated, unexpected, outcome)"
        " values (%s, %s, 'e', %s, %s, %s, 'refused_rows')",
        batch_id,
        rule,
        action,
        evaluated,
        unexpected,
    )


def test_a_feed_that_never_came_has_no_chart(desk: Desk) -> None:
    assert past(desk) == Past((), (), (), 0)
    page = desk.browser("reader").get(f"/duty/feeds/{FEED}")
    assert page.status_code == 200
    assert "还没有判定过的批次" in page.text
    assert "尚未登记" in page.text


def test_what_was_sent_last_stands_and_parts_count_together(desk: Desk) -> None:
    desk.batch("2026-01", refused=9)
    desk.batch("2026-01", refused=2, is_latest_judgement=True)
    for _ in range(2):
        desk.batch("2026-02", refused=1, is_latest_judgement=True, is_whole=False)
    desk.batch("2026-03", status="judging", received=None, accepted=None, refused=0)
    assert rows(desk) == [("2026-01", 100, 2, True), ("2026-02", 200, 2, True)]


def test_of_what_is_stopped_the_newest_stands_where_nothing_is_loaded(desk: Desk) -> None:
    desk.batch("2026-01", status="stopped", refused=90)
    desk.batch("2026-01", status="stopped", refused=80)
    desk.batch("2026-02", is_latest_judgement=True)
    desk.batch("2026-02", status="stopped", refused=70)
    assert rows(desk) == [("2026-01", 100, 80, False), ("2026-02", 100, 0, True)]


def test_deliveries_stand_by_their_last_day_and_two_years_back(desk: Desk) -> None:
    desk.batch("2026-01", delivery_end=dt.date(2026, 3, 31), is_latest_judgement=True)
    desk.batch("2026-02", is_latest_judgement=True)
    desk.batch("2026-03", delivery_end=dt.date(2024, 3, 31), is_latest_judgement=True)
    assert [one[0] for one in rows(desk)] == ["2026-02", "2026-01"]


def test_rules_stand_by_what_broke_them_of_late(desk: Desk) -> None:
    for month in range(1, 6):
        batch = desk.batch(f"2026-{month:02}", is_latest_judgement=True)
        checked(desk, batch, "long_ago", 50 if month == 1 else 0)
        checked(desk, batch, "never", 0)
        if month > 1:
            checked(desk, batch, "since_february", 30 if month == 5 else 1)
    found = past(desk)
    assert [(one.rule, one.lately, one.broken) for one in found.rules] == [
        ("long_ago", 50, 1),
        ("since_february", 33, 4),
    ]
    assert found.unbroken == 1
    february = found.rules[1].shares
    assert [one.value for one in february] == [1, 1, 1, 30], "before it looked at anything nothing is drawn"
    assert [one.delivered.delivery for one in february if one.is_out] == ["2026-05"]


def test_a_rule_whose_action_changed_is_one_rule_and_does_what_it_did_last(desk: Desk) -> None:
    for month, action in ((1, "warn"), (2, "warn"), (3, "refuse")):
        checked(desk, desk.batch(f"2026-{month:02}", is_latest_judgement=True), "r", month, action=action)
    (found,) = past(desk).rules
    assert (found.rule, found.action, [one.value for one in found.shares]) == ("r", "refuse", [1, 2, 3])


def test_a_rule_has_a_share_only_where_it_stands(desk: Desk) -> None:
    for month in range(1, 6):
        batch = desk.batch(f"2026-{month:02}", is_latest_judgement=True)
        if month in (1, 3):
            checked(desk, batch, "taken_out_and_in", 0 if month == 1 else 5)
    (found,) = past(desk).rules
    assert [(one.delivered.delivery, one.value) for one in found.shares] == [("2026-01", 0), ("2026-03", 5)]


def test_parts_of_a_delivery_break_a_rule_together(desk: Desk) -> None:
    for unexpected in (10, 30):
        checked(desk, desk.batch("2026-01", is_latest_judgement=True), "r", unexpected)
    assert [one.value for one in past(desk).rules[0].shares] == [20]


def test_the_page_says_how_the_feed_stands_and_leads_to_each_delivery(desk: Desk, tmp_path: Path) -> None:
    returned = tmp_path / "returned.xlsx"
    returned.write_bytes(b"a workbook")
    desk.know_feed()
    for month in range(1, 6):
        desk.owe(month)
        batch = desk.batch(f"2026-{month:02}", refused=3 if month < 5 else 60, is_latest_judgement=True)
        checked(desk, batch, "wage_cny_month_range", 3 if month < 5 else 60)
    tokens = [desk.refuse(batch, row) for row in (2, 3)]
    desk.enter(
        "insert into ops.attempt (feed, step, delivery, started_at, ended_at, outcome, cause, host, port, message_en,"
        " message_zh) values (%s, 'land', '2026-06', now(), now(), 'failed', 'login_refused', '10.0.0.1', 22,"
        " 'the password is wrong', '<b>口令不对</b>')",
        FEED,
    )
    with psycopg.connect(desk.dsn, autocommit=True) as connection:
        sent = dt.datetime.now(dt.UTC) - dt.timedelta(days=11)
        tickets.open_ticket(
            connection,
            feed=FEED,
            refusals=[(token, batch) for token in tokens],
            sent_to="社保中心",
            sent_by="me",
            file=returned,
            at=sent,
        )
    page = desk.browser("reader").get(f"/duty/feeds/{FEED}").text
    assert page.count("data-failing=") == 1
    assert "&lt;b&gt;口令不对&lt;/b&gt;" in page
    assert "登录被拒绝" in page
    assert f'href="/duty/feeds/{FEED}/2026-05"' in page
    assert f"/duty/feeds/{FEED}/2026-05?rule=wage_cny_month_range#rows" in page
    assert f"/duty/feeds/{FEED}/refused.xlsx?rule=wage_cny_month_range" in page
    assert page.count('class="dot out"') == 2, "the share of May, of the feed and of its rule"
    assert "社保中心" in page
    assert ">11<" in page


def test_the_most_broken_rules_have_their_charts_at_once_and_the_others_when_asked_for(desk: Desk) -> None:
    desk.know_feed()
    desk.owe(5)
    batch = desk.batch("2026-05", refused=14, is_latest_judgement=True)
    for number in range(14):
        checked(desk, batch, f"rule_{number:02}", 14 - number)
    browser = desk.browser("reader")
    page = browser.get(f"/duty/feeds/{FEED}").text
    assert [f"rule_{number:02}" for number in range(12)] == re.findall(r'chartcard" data-rule="([^"]+)"', page)
    assert re.search(r'href="\?rules=all#rules">其余 2 条规则<', page)
    every = browser.get(f"/duty/feeds/{FEED}?rules=all").text
    assert len(re.findall(r'chartcard" data-rule=', every)) == 14
    assert "rules=all" not in every
    assert browser.get(f"/duty/feeds/{FEED}?rules=x").status_code == 400


def test_the_page_speaks_english_where_that_is_asked_for(desk: Desk) -> None:
    desk.batch("2026-01", is_latest_judgement=True)
    page = desk.browser("reader", Cookie="threegaps_language=en").get(f"/duty/feeds/{FEED}").text
    assert "Rows received" in page
    assert "the 20th of the month after" in page


def test_there_is_no_page_of_what_is_no_feed(desk: Desk) -> None:
    assert desk.browser("reader").get("/duty/feeds/hrss/nothing").status_code == 404
