"""From nothing to the first release, through real servers and the real scheduler, on a tiny province."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import openpyxl
import polars as pl
import psycopg
import pytest
from psycopg import sql

from sandbox import generate
from sandbox.parameters import Parameters
from sandbox.truth import codes
from tests.browser import Browser
from tests.duty_desk import RELEASED, STATES, TILES, Desk
from tests.receivers import WebReceiver, web_receiver
from tests.truth.exact import exact_differences
from tests.truth.shown import KINDS, shown_differences
from threegaps.airflow_api import ENDED_STATES, AirflowApi
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.tables import raw_columns
from threegaps.home.account import read_status
from threegaps.home.processes import descendants, is_alive
from threegaps.one_machine import strays
from threegaps.one_machine.temporary import temporary_home
from threegaps.orchestration.names import feed_dag
from threegaps.release.explain import explain
from threegaps.settings import Settings, to_dsn

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1800)]

SCALE = "0.0001"

# As a DAG of another system is scheduled on releases.
CONSUMER = """
import json
from airflow.sdk import DAG, Asset, task

with DAG(
    "consumer",
    schedule=[Asset(name="marts_released", uri="threegaps://marts/released")],
    catchup=False,
    is_paused_upon_creation=False,
):

    @task
    def note(triggering_asset_events=None):
        with open({told!r}, "a") as file:
            for events in triggering_asset_events.values():
                file.writelines(json.dumps(event.extra) + "\\n" for event in events)

    note()
"""


class Installation:
    """A runtime home of its own with everything running in it, and beside it who is told of releases and of lineage."""

    def __init__(self, home: Path, catalogue: WebReceiver) -> None:
        self.catalogue = catalogue
        self.told_file = home / "told.jsonl"
        consumer = home / "consumer"
        consumer.mkdir()
        (consumer / "consumer.py").write_text(CONSUMER.format(told=str(self.told_file)))
        local = "airflow.dag_processing.bundles.local.LocalDagBundle"
        bundles = [
            {"name": "dags-folder", "classpath": local, "kwargs": {}},
            {"name": "consumer", "classpath": local, "kwargs": {"path": str(consumer)}},
        ]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "THREEGAPS"))},
            "THREEGAPS_HOME": str(home),
            "THREEGAPS_SANDBOX_SCALE": SCALE,
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "http", "url": catalogue.url()}),
        }
        self.settings = Settings.load(self.environment)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        finished = subprocess.run(
            [sys.executable, "-m", "threegaps.cli.app", *arguments],
            env=self.environment | {"PYTHONPATH": str(self.settings.root / "plugins")},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and finished.returncode != 0:
            # What others say of it is that the database is gone, or Airflow; who says why comes last, where it is read.
            logs = [self.settings.logs_folder / f"{name}.log" for name in ("scheduler", "supervisor", "postgres")]
            ends = "\n".join(f"{log.name}: {log.read_text(errors='replace')[-900:]}" for log in logs if log.exists())
            said = f"{finished.stdout[-2000:]}{finished.stderr[-2000:]}"
            raise AssertionError(f"threegaps {' '.join(arguments)}: {said}\n{ends}")
        return finished

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)

    def told(self) -> list[dict[str, Any]]:
        """What the DAG that is scheduled on releases was told, in order."""
        return [json.loads(line) for line in self.told_file.read_text().splitlines()] if self.told_file.exists() else []

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings.warehouse_dsn()) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    # Not among pytest's folders, of which other runs of pytest beside this one keep the newest three.
    with temporary_home() as home, web_receiver() as catalogue:
        one = Installation(home, catalogue)
        try:
            one.output = one.run("up", "--run").stdout  # type: ignore[attr-defined]
            yield one
        finally:
            everyone = descendants(int(read_status(one.settings).get("keeper_pid", 2**22)))
            one.run("down", check=False)
        assert not [process_id for process_id in everyone if is_alive(process_id)]


def test_the_release_is_printed_with_counts_and_addresses(installation: Installation) -> None:
    printed = installation.output  # type: ignore[attr-defined]
    for expected in (
        "Release 1",
        "合成数据",
        "真实公布数",
        "行动一",
        "城乡差距",
        "hrss/wage_records",
        "http://127.0.0.1",
    ):
        assert expected in printed


def wait_until(condition: Callable[[], object], *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.5)


def test_a_dag_that_is_scheduled_on_releases_is_told(installation: Installation) -> None:
    wait_until(installation.told)
    (news,) = installation.told()
    assert (news["release_id"], news["told_before"], news["kind"]) == (1, None, "build")
    (said,) = installation.ask("select as_of::text, build_id from ops.release")
    assert (news["as_of"], news["build_id"]) == said
    served = {code for (code,) in installation.ask("select distinct indicator_code from marts.indicator_value")}
    assert set(news["indicators"]) == served
    assert news["indicator_count"] == len(served) > 50


def airflow_rows(installation: Installation, query: str) -> list[tuple[Any, ...]]:
    server = {**installation.settings.warehouse(), "dbname": "airflow", "user": "threegaps"}
    server["password"] = installation.settings.secret("postgres_threegaps")
    with psycopg.connect(to_dsn(server)) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_event_of_a_load_says_batches_and_counts(installation: Installation) -> None:
    events = airflow_rows(
        installation,
        "select a.name, e.partition_key, e.extra from asset_event as e join asset as a on a.id = e.asset_id"
        " where a.name like 'raw_%'",
    )
    batches = installation.ask("select batch_id, feed, received, accepted, refused from ops.batch")
    assert {name for name, *_ in events} == {f"raw_{feed.replace('/', '_')}" for _, feed, *_ in batches}
    for name, key, extra in events:
        of_feed = [row for row in batches if f"raw_{row[1].replace('/', '_')}" == name]
        assert extra["delivery"] == key
        assert set(extra["batches"]) == {number for number, *_ in of_feed}
        assert extra["batch_count"] == len(of_feed)
        for place, count in enumerate(("received", "accepted", "refused"), 2):
            assert extra[count] == sum(row[place] for row in of_feed), (name, count)


def lineage_events(installation: Installation) -> list[dict[str, Any]]:
    return [received.data for received in installation.catalogue.taken]


def columns_of(dataset: dict[str, Any]) -> set[str]:
    return {field["name"] for field in dataset["facets"].get("schema", {}).get("fields", [])}


def test_lineage_leads_from_what_is_sent_to_the_marts(installation: Installation) -> None:
    """Every feed from the department to its raw table, column by column, and on through dbt's models."""
    events = lineage_events(installation)
    with_both = [event for event in events if event.get("inputs") and event.get("outputs")]
    read: dict[str, set[str]] = {}
    columns: dict[str, set[str]] = {}
    for event in with_both:
        for output in event["outputs"]:
            read.setdefault(f"{output['namespace']} {output['name']}", set()).update(
                f"{one['namespace']} {one['name']}" for one in event["inputs"]
            )
        for dataset in (*event["inputs"], *event["outputs"]):
            columns.setdefault(f"{dataset['namespace']} {dataset['name']}", set()).update(columns_of(dataset))
    loaded = {feed for (feed,) in installation.ask("select distinct feed from ops.batch where status = 'loaded'")}
    for contract in load_contracts(installation.settings.contracts_folder):
        if contract.feed not in loaded:
            continue
        feed, landing = f"threegaps://feeds {contract.feed}", f"threegaps://landing {contract.feed}"
        raw = f"postgres://warehouse warehouse.raw.{contract.table}"
        assert feed in read[landing]
        assert landing in read[raw]
        assert columns[feed] == columns[landing] == {column.name for column in contract.sent_columns}
        assert columns[raw] >= {column.name for column in raw_columns(contract)}
        staged = [output for output, inputs in read.items() if raw in inputs and ".staging." in output]
        assert staged, contract.feed
    # Whatever is shown goes back to a feed.
    waiting = ["postgres://warehouse warehouse.build.indicator_value"]
    behind: set[str] = set()
    while waiting:
        for one in read.get(waiting.pop(), set()) - behind:
            behind.add(one)
            waiting.append(one)
    assert len([one for one in behind if one.startswith("threegaps://feeds ")]) > 30
    # The runs of models hang below the task that ran them.
    parents = {
        event["run"]["facets"]["parent"]["job"]["name"] for event in events if "dbt_node" in event["job"]["facets"]
    }
    assert parents == {"marts.build"}


def feeds_by_contract(installation: Installation) -> set[str]:
    return {contract.feed for contract in load_contracts(installation.settings.contracts_folder)}


def truth_of_counts(installation: Installation) -> pl.DataFrame:
    """What the sandbox's departments sent; a feed that none of them has is not among it."""
    return pl.read_parquet(installation.settings.sandbox_folder / "truth" / "counts.parquet")


def test_every_batch_balances(installation: Installation) -> None:
    rows = installation.ask(
        "select feed, count(*), bool_and(received = accepted + refused + duplicates"
        " and physical_lines = structural + received"
        " and accepted = inserted + changed + unchanged + withdrawn) from ops.batch where status = 'loaded' group by 1"
    )
    feeds = feeds_by_contract(installation)
    sent = set(truth_of_counts(installation)["feed"])
    assert {feed for feed, *_ in rows} == sent & feeds
    assert all(balances for *_, balances in rows), rows
    batches = {feed: count for feed, count, _ in rows}
    # 42 months, and the correction that the fourth and then every third of them brings.
    assert batches["hrss/wage_records"] == 42 + 13
    assert batches["hrss/training_enrollments"] == 1


def test_counts_equal_the_sandboxes_truth(installation: Installation) -> None:
    truth = truth_of_counts(installation)
    said = installation.ask(
        "select feed, sum(received)::bigint, sum(refused)::bigint from ops.batch where status = 'loaded' group by 1"
    )
    expected = {
        feed: (received, refused)
        for feed, received, refused in truth.group_by("feed")
        .agg(pl.col("received").sum(), pl.col("refused").sum())
        .iter_rows()
    }
    feeds = feeds_by_contract(installation)
    expected = {feed: counts for feed, counts in expected.items() if feed in feeds}
    assert {feed: (received, refused) for feed, received, refused in said if feed in expected} == expected


@pytest.fixture(scope="module")
def truth(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The true indicator values of its province, which is made once more with them: an installation needs none."""
    made = installation.settings.sandbox_folder
    assert not (made / "truth" / "indicators.parquet").exists()
    again = tmp_path_factory.mktemp("province")
    generate.run(again, replace(Parameters(**parameters_of(made)), truth=True))
    assert pl.read_parquet(again / "truth" / "counts.parquet").equals(truth_of_counts(installation))
    return pl.read_parquet(again / "truth" / "indicators.parquet")


def parameters_of(sandbox: Path) -> dict[str, Any]:
    """What a sandbox was made of."""
    written = json.loads((sandbox / "manifest.json").read_text(encoding="utf-8"))
    return {name: value for name, value in written.items() if name != "version"}


def test_every_indicator_equals_the_sandboxes_truth(installation: Installation, truth: pl.DataFrame) -> None:
    """Before suppression: every figure of every county, city, group and the province, in both directions."""
    built = {code for (code,) in installation.ask("select indicator_code from core.seed_indicator where is_built")}
    assert set(codes()) == built
    # of so few graduates nobody left without work
    assert built - set(truth["indicator_code"]) <= {"M04-2"}
    with psycopg.connect(installation.settings.warehouse_dsn()) as connection:
        compared, faults = exact_differences(connection, truth)
    assert not faults, "\n".join(faults)
    assert compared.total() > 10_000


def test_what_is_served_is_the_truth_in_tens_or_suppressed(installation: Installation, truth: pl.DataFrame) -> None:
    """Of every indicator, by its kind: counts and sides of shares in tens, medians to ten yuan, and what is hidden."""
    with psycopg.connect(installation.settings.warehouse_dsn()) as connection:
        shown, faults = shown_differences(connection, truth)
    assert not faults, f"{len(faults)}:\n" + "\n".join(faults[:10])
    assert shown.total() > 10_000
    of_kinds = [kind & shown.keys() for kind in KINDS]
    assert sum(bool(kind) for kind in of_kinds) > len(KINDS) * 3 / 4, shown


def test_a_figure_of_every_indicator_is_explained(installation: Installation) -> None:
    """Of each a cell with a figure where there is one: its numbers, its feeds, the files behind it, in a moment."""
    cells = installation.ask(
        "select distinct on (indicator_code) indicator_code, area_code, period_label, breakdown, breakdown_value"
        " from marts.indicator_value"
        " order by indicator_code, value is null, area_level <> 'province', breakdown <> 'total', period_end desc"
    )
    dsn = installation.settings.warehouse_dsn()
    for code, area, period, breakdown, part in cells:
        found = explain(dsn, code, area, period, breakdown=breakdown, breakdown_value=part)
        assert found.calculation_zh, code
        assert (found.value is None) == found.calculation_zh.startswith("没有数"), code
        assert found.value is None or found.calculation_zh.endswith(found.value_text), code
        # what is published of the province and read by hand is no feed's
        assert found.feeds or found.method == "published", code
        behind = {one["feed"] for one in found.files}
        assert behind <= {one["feed"] for one in found.feeds}, code
        assert behind or found.value is None or not found.feeds, code
        assert all(len(one["sha256"]) == 64 for one in found.files), code
        assert found.data_are_zh in {"合成数据", "真实公布数"}, code
        assert found.why, code
        assert "没有单独列出" not in found.calculation_zh or None in {found.numerator, found.denominator}, code
    built = installation.ask("select indicator_code from core.seed_indicator where is_built")
    # in a small province no unemployed graduate need have been trained
    assert {code for (code,) in built} - {code for code, *_ in cells} <= {"M04-2"}


def test_a_second_run_is_a_no_op(installation: Installation) -> None:
    before = installation.ask("select (select count(*) from ops.batch), (select max(release_id) from ops.release)")
    assert installation.json("up", "--run")["started"] is False
    after = installation.ask("select (select count(*) from ops.batch), (select max(release_id) from ops.release)")
    assert after == before


def test_one_page_says_how_things_stand(installation: Installation) -> None:
    # In a province so small a delivery may well be far smaller than the one before: a warning ends with 1.
    page = json.loads(installation.run("status", "--json", check=False).stdout)
    assert page["state"] in {"fine", "warning"}, page["problems"]
    assert {service["state"] for service in page["services"]} == {"running"}
    assert page["watch"]["state"] == "running"
    assert page["pending"] == []
    feeds = feeds_by_contract(installation)
    assert {feed["feed"] for feed in page["feeds"]} == feeds
    assert installation.json("release", "list")[0]["serves"] is True
    assert {feed["feed"] for feed in installation.json("feeds")} == feeds
    assert installation.json("quarantine", "show", "--limit", "3")


@pytest.fixture(scope="module")
def desk(installation: Installation) -> Desk:
    return Desk(installation.settings, ("admin", "op", "user", "viewer"))


def in_frame(browser: Browser, desk: Desk, path: str = "/plugin/duty") -> None:
    """Open the duty page as it stands in Airflow's."""
    browser.open(f"{desk.address}{path}")
    browser.enter_frame()


def follow(browser: Browser, selector: str, address: str) -> None:
    """Click what leads to a page of the frame whose address ends so."""
    browser.click(selector)
    browser.until(lambda: browser.address.endswith(address))
    browser.enter_frame()


def squares(browser: Browser) -> dict[tuple[str, str], str]:
    """Feed, delivery and state of each square that is shown."""
    seen = browser.all_of(
        ".squares .square", "[one.closest('[data-feed]').dataset.feed, one.dataset.delivery, one.classList[1]]"
    )
    return {(feed, delivery): state for feed, delivery, state in seen}


def test_on_the_duty_page_what_fails_is_two_clicks_away_and_is_acknowledged(desk: Desk) -> None:
    with desk.browser("admin") as browser:
        browser.open(desk.address)
        browser.click("a[href$='/plugin/duty']")
        browser.enter_frame()
        assert browser.text(".synthetic") == ["合成数据 synthetic"]
        follow(browser, "nav a[href$='/feeds']", "/duty/feeds")
        shown = squares(browser)
        owed = {(feed, delivery): state for feed, delivery, state in desk.ask(STATES)}
        assert len(shown) > 300
        assert {key: owed[key] for key in shown} == shown
        feed, delivery = next(key for key, state in shown.items() if state == "expected")
        with desk.failed_attempt(feed, delivery):
            number = browser.until(
                lambda: desk.ask(
                    "select incident_id from ops.incident where kind = 'feed_failing' and feed = %s"
                    " and closed_at is null",
                    feed,
                )
            )[0][0]
            # Two clicks from the first page to why it fails.
            in_frame(browser, desk)
            assert feed in " ".join(browser.text(f"#incident-{number}"))
            follow(browser, "nav a[href$='/feeds']", "/duty/feeds")
            assert squares(browser)[feed, delivery] == "failed"
            here = f"/duty/feeds/{feed}/{delivery}"
            follow(browser, f".square[href$='{here}']", here)
            assert browser.text("[data-state]") == ["失败"]
            assert "约定的文件夹或数据表不存在" in browser.text("[data-attempt]")[0]

            in_frame(browser, desk)
            browser.click(f"#incident-{number} form[action$='/acknowledge'] button")
            browser.until(lambda: "admin" in " ".join(browser.text(f"#incident-{number}")))
            in_frame(browser, desk)
            browser.fill(f"#incident-{number} input[name=why]", "文件夹已恢复")
            browser.click(f"#incident-{number} form[action$='/resolve'] button")
            browser.until_gone(f"#incident-{number}")
        changes = (
            "select change, changed_by, note from ops.incident_change where incident_id = %s and changed_by <> 'watch'"
        )
        assert desk.ask(f"{changes} order by incident_change_id", number) == [
            ("acknowledged", "admin", ""),
            ("closed", "admin", "文件夹已恢复"),
        ]
        assert browser.complaints == []


def test_the_tabs_of_a_dag_and_of_a_run_lead_to_the_delivery_and_links_lead_out_again(
    desk: Desk, installation: Installation
) -> None:
    feed, dag_id = "hrss/certificates", feed_dag("hrss/certificates")
    ((delivery, run_id),) = desk.ask(
        "select delivery, run_id from ops.attempt where feed = %s and step = 'load' and outcome = 'succeeded'"
        " order by attempt_id limit 1",
        feed,
    )
    here = f"/duty/feeds/{feed}/{delivery}"
    with desk.browser("admin") as browser:
        browser.open(f"{desk.address}/dags/{dag_id}")
        browser.click("a[href$='/plugin/duty-dag']")
        browser.enter_frame()
        assert browser.address.endswith(f"/duty/feeds/{feed}")
        follow(browser, f"a[href$='{here}']", here)

        browser.open(f"{desk.address}/dags/{dag_id}/runs/{run_id}")
        browser.click("a[href$='/plugin/duty-run']")
        browser.enter_frame()
        assert browser.address.endswith(here)
        browser.click("[data-attempt] a[data-out]")
        browser.leave_frame()
        out = f"{desk.address}/dags/{dag_id}/runs/{run_id}"
        browser.until(lambda: unquote(browser.address).startswith(out) and "/plugin/" not in browser.address)

        api = AirflowApi.of(installation.settings)
        before = {run["dag_run_id"] for run in api.runs(dag_id)}
        in_frame(browser, desk, f"/dags/{dag_id}/runs/{run_id}/plugin/duty-run")
        browser.click("form[data-dag] button")
        browser.until(lambda: browser.text("form[data-dag] .good"))
        (run,) = [run for run in api.runs(dag_id) if run["dag_run_id"] not in before]
        assert run["partition_key"] == delivery
        wait_until(lambda: api.run(dag_id, run["dag_run_id"])["state"] in ENDED_STATES, seconds=400)
        assert api.run(dag_id, run["dag_run_id"])["state"] == "success"
        assert browser.complaints == []


def test_who_may_only_look_sees_no_button_and_takes_the_workbook(desk: Desk) -> None:
    feed, delivery, rows = desk.ask(
        "select feed, delivery, count(*) from quarantine.refused_row where closed_by_batch_id is null"
        " group by 1, 2 having count(*) > 3 order by 3, 1, 2 limit 1"
    )[0]
    with desk.browser("viewer") as browser:
        in_frame(browser, desk)
        assert "只读" in browser.text("header")[0]
        follow(browser, "nav a[href$='/refused']", "/duty/refused")
        assert browser.text("form") == []
        browser.open(f"{desk.address}/duty/feeds/{feed}/{delivery}")
        assert len(browser.text("[data-row]")) == min(rows, 50)
        assert browser.text("td.wrong")
        assert browser.text("form[data-act]") == []
        browser.click("a[download][href$='.xlsx?delivery=" + delivery + "']")
        (workbook,) = browser.until(lambda: list(browser.downloads.glob("*.xlsx")))
        sheet = openpyxl.load_workbook(workbook).worksheets[0]
        tokens = {str(row[0].value) for row in list(sheet.rows)[1:]}
        open_rows = (
            "select row_token from quarantine.refused_row where (feed, delivery) = (%s, %s)"
            " and closed_by_batch_id is null"
        )
        assert tokens == {token for (token,) in desk.ask(open_rows, feed, delivery)}
        assert browser.complaints == []


def test_whoever_may_change_dags_acts_under_the_own_name(desk: Desk) -> None:
    # Of another feed than the one that somebody has just resolved.
    feed, delivery = max((feed, delivery) for feed, delivery, state in desk.ask(STATES) if state == "expected")
    opened = "select incident_id from ops.incident where kind = 'feed_failing' and feed = %s and closed_at is null"
    with desk.failed_attempt(feed, delivery):
        wait_until(lambda: desk.ask(opened, feed))
        ((number,),) = desk.ask(opened, feed)
        with desk.browser("op") as browser:
            in_frame(browser, desk)
            assert "只读" not in browser.text("header")[0]
            browser.click(f"#incident-{number} form[action$='/acknowledge'] button")
            browser.until(lambda: "已知悉:op" in " ".join(browser.text(f"#incident-{number}")))
            assert browser.complaints == []
        with desk.browser("user") as browser:
            in_frame(browser, desk)
            browser.fill(f"#incident-{number} input[name=why]", "文件夹已恢复")
            browser.click(f"#incident-{number} form[action$='/resolve'] button")
            browser.until_gone(f"#incident-{number}")
            assert browser.complaints == []
    said = desk.ask("select acknowledged_by, closed_by from ops.incident where incident_id = %s", number)
    assert said == [("op", "user")]


def test_counties_and_releases_are_what_the_warehouse_says(desk: Desk) -> None:
    with desk.browser("viewer") as browser:
        browser.open(f"{desk.address}/duty/counties")
        tiles = browser.all_of("[data-county]", "[one.dataset.county, one.querySelector('span').innerText]")
        shown = {code: said.split()[0] for code, said in tiles if said != "–"}
        assert len(tiles) == 90
        assert shown == {code: f"{arrived}/{owed}" for code, arrived, owed in desk.ask(TILES)}
        browser.open(f"{desk.address}/duty/release")
        numbers = browser.all_of("[data-release]", "[one.dataset.release, one.querySelector('td.number').innerText]")
        found = {int(number): re.findall(r"\d+", said.replace(",", "")) for number, said in numbers}
        assert found == {number: [str(count) for count in counts] for number, *counts in desk.ask(RELEASED)}
        assert browser.complaints == []


def test_the_duty_page_speaks_and_looks_as_airflow_does_and_fits(desk: Desk) -> None:
    wide = "[document.documentElement.scrollWidth, innerWidth]"
    with desk.browser("admin", language="en", theme="dark") as browser:
        in_frame(browser, desk)
        browser.until(lambda: browser.text("nav a")[:3] == ["Now", "Feeds", "Refused"])
        assert browser.all_of("html", "[one.lang, one.dataset.theme]") == [["en", "dark"]]
        for width in (1280, 390):
            browser.resize(width)
            for path in ("", "feeds", "refused", "feeds/hrss/wage_records/2026-05"):
                browser.open(f"{desk.address}/duty/{path}")
                needed, given = browser.ask(wide)
                assert needed <= given == width, (path, width)
        assert browser.complaints == []


def test_without_a_session_the_frame_says_so_and_leads_to_the_login(desk: Desk) -> None:
    """Airflow's own page would lead there by itself, sooner or later: the frame stands in a page that does nothing."""
    frame = "Object.assign(document.createElement('iframe'), {src: '%s', sandbox: '%s'})"
    allowed = "allow-scripts allow-same-origin allow-forms allow-downloads"
    with desk.browser(None) as browser:
        browser.open(f"{desk.address}/api/v2/version")
        browser.ask(f"document.body.append({frame % (f'{desk.address}/duty/refused', allowed)})")
        browser.enter_frame()
        assert browser.text(".band b") == ["请先登录 Airflow"]
        assert browser.text("nav") == []
        browser.click("a[data-out]")
        browser.leave_frame()
        browser.until(lambda: "/auth/login" in browser.address)


def test_a_build_with_nothing_to_do_skips_the_rest(installation: Installation) -> None:
    done = installation.json("build")
    assert done["state"] == "success"
    skipped = dict.fromkeys(("build", "release", "wake_released"), "skipped")
    assert done["tasks"] == {"claim": "success", **skipped}


CELLS = (
    "select count(*), md5(string_agg(cell, '|' order by cell))"
    " from (select to_jsonb(t)::text as cell from build.indicator_cell as t) as cells"
)


def test_after_a_correction_the_parts_that_are_rebuilt_equal_a_full_rebuild(installation: Installation) -> None:
    """A wage is corrected, a person moves to another county and one is withdrawn, in a month of the year before."""
    folder = installation.settings.sandbox_folder / "sftp" / "wage_records" / "202511"
    header, *rows = gzip.decompress(next(folder.glob("*_part01of*")).read_bytes()).decode("gb18030").splitlines()
    names = header.split(",")
    changes = (
        {"缴费工资": "23456.78", "金额单位": "元"},
        {"参保地区划": "330106"},
        {"参保地区划": "331102"},
        {"操作": "0"},
    )
    corrected = [
        {**dict(zip(names, row.split(","), strict=True)), "更正序号": "9", **change}
        for row, change in zip(accepted_rows(installation, rows), changes, strict=False)
    ]
    lines = [header, *(",".join(row[name] for name in names) for row in corrected)]
    (folder / "wage_202511_correction77.csv.gz").write_bytes(
        gzip.compress("".join(f"{line}\n" for line in lines).encode("gb18030"))
    )
    first = installation.ask(CELLS)
    api = AirflowApi.of(installation.settings)
    run = api.trigger(feed_dag("hrss/wage_records"), partition_key="2026-06")
    while (state := api.run(feed_dag("hrss/wage_records"), str(run["dag_run_id"]))["state"]) not in ENDED_STATES:
        time.sleep(0.5)
    assert state == "success"
    (counts,) = installation.ask(
        "select delivery, received, changed, withdrawn from ops.batch order by batch_id desc limit 1"
    )
    assert counts == ("2025-11", 4, 3, 1)
    # The arrival wakes the marts by itself.
    last = "select kind, status, message from ops.build order by build_id desc limit 1"
    while (build := installation.ask(last)[0])[:2] not in {("affected", "released"), ("affected", "failed")}:
        time.sleep(0.5)
    assert build[1] == "released", build
    assert installation.ask("select cells_changed > 0 from ops.release order by release_id desc limit 1") == [(True,)]
    wait_until(lambda: len(installation.told()) == 2)
    news = installation.told()[-1]
    assert (news["release_id"], news["told_before"]) == (2, 1)
    assert 0 < news["indicator_count"] < installation.told()[0]["indicator_count"]
    parts = installation.ask(CELLS)
    assert parts != first

    assert installation.json("build", "--full")["state"] == "success"
    assert installation.ask(CELLS) == parts
    assert installation.ask(
        "select cells_inserted, cells_changed, cells_removed from ops.release order by release_id desc limit 1"
    ) == [(0, 0, 0)]
    # A release that changes nothing is no news.
    last = "select state from dag_run where dag_id = 'released' order by id desc limit 1"
    wait_until(lambda: airflow_rows(installation, last) == [("success",)])
    skipped = "select state from task_instance where dag_id = 'released' and task_id = 'tell' order by start_date"
    assert [state for (state,) in airflow_rows(installation, skipped)] == ["success", "success", "skipped"]
    assert len(installation.told()) == 2


def accepted_rows(installation: Installation, rows: list[str]) -> list[str]:
    """The first rows of a landed wage part that were accepted and still stand."""
    places = installation.ask(
        "select w._row_number from raw.hrss_wage_records as w join ops.landed_object as l"
        " on l.landed_object_id = w._landed_object_id where l.delivery = '2025-11' and l.part = 'part0001'"
        " and not w._withdrawn and w.work_county_code not in ('330106', '331102') order by 1 limit 4"
    )
    return [rows[number - 1] for (number,) in places]


def test_time_goes_on_and_the_feeds_follow(installation: Installation) -> None:
    """Six weeks later: what came is loaded, and what came late or broke off comes on a later day."""
    stood = installation.ask("select max(delivery) from ops.batch where feed = 'hrss/employment_registrations'")
    assert stood == [("2026-06-30",)]
    done = installation.json("sandbox", "advance", "--days", "45")
    assert (done["before"], done["day"]) == ("2026-06-30", "2026-08-14")
    # What broke off fails alone, and its feed's next run mends it.
    last = {run["feed"]: run["state"] for run in done["runs"]}
    assert set(last.values()) == {"success"}
    assert done["release"] > done["release_before"]
    # Which department is late, or broke off, is the dice's to say.
    first = [one for one in done["deliveries"] if one["day"] == "2026-07-31"]
    later = [one for one in done["deliveries"] if one["day"] > "2026-07-31"]
    assert {one["came"] for one in first} == {"right", "wrong", "not"}
    assert {one["came"] for one in later} == {"right"}
    missed = {(one["feed"], one["delivery"]) for one in first if one["came"] != "right"}
    at_last = missed & {(one["feed"], one["delivery"]) for one in later}
    assert at_last
    whole = "select distinct feed, delivery from ops.batch where status = 'loaded' and is_complete"
    assert at_last <= set(installation.ask(whole))
    daily = {"hrss/employment_registrations", "hrss/certificates", "hrss/training_enrollments"}
    assert daily <= last.keys()
    loaded = dict(
        installation.ask(
            "select feed, max(delivery) from ops.batch where status = 'loaded' and received > 0"
            " and delivery > '2026-06-30' group by feed"
        )
    )
    assert {loaded[feed] for feed in daily} == {"2026-08-14"}
    wages = "select max(received) from ops.batch where feed = 'hrss/wage_records' and delivery = '2026-07' and"
    assert installation.ask(f"{wages} status = 'loaded' and is_complete")[0][0] > 1_000
    assert installation.run("sandbox", "advance", "2026-07-01", check=False).returncode != 0
    assert installation.json("up", "--run")["started"] is False


def pids(installation: Installation) -> dict[str, int]:
    return {service["name"]: service["pid"] for service in read_status(installation.settings)["services"]}


def test_nothing_of_a_killed_scheduler_goes_on_beside_the_next(installation: Installation) -> None:
    """Its executor's workers, which wait on it for ever, and a task that one of them runs."""
    api = AirflowApi.of(installation.settings)
    dag_id = feed_dag("hrss/certificates")
    scheduler = pids(installation)["scheduler"]
    workers = set(descendants(scheduler))
    assert len(workers) >= 4
    run = str(api.trigger(dag_id, partition_key="2026-08-14")["dag_run_id"])
    wait_until(lambda: set(descendants(scheduler)) - workers)
    everyone = set(descendants(scheduler))
    os.kill(scheduler, signal.SIGKILL)
    wait_until(lambda: pids(installation)["scheduler"] not in {None, scheduler}, seconds=60)
    assert not [process_id for process_id in everyone if is_alive(process_id)]
    assert strays.look(installation.settings) == []
    # The task is tried again by the next one.
    wait_until(lambda: api.run(dag_id, run)["state"] in ENDED_STATES, seconds=400)
    assert api.run(dag_id, run)["state"] == "success"


def test_no_secret_and_no_document_number_anywhere(installation: Installation) -> None:
    """Not in logs, dbt's files, XCom, rendered templates, run parameters, events, the ledger or what is served."""
    settings = installation.settings
    secrets = set(json.loads((settings.home / "secrets.json").read_text()).values())
    people = pl.read_parquet(settings.sandbox_folder / "database" / "hrss" / "dy13.parquet", columns=["aac147"])[
        "aac147"
    ]
    numbers = {number for number in people.drop_nulls().unique().to_list() if len(number) == 18}
    assert secrets
    assert len(numbers) > 100
    texts = {
        str(path): path.read_text(encoding="utf-8", errors="replace")
        for folder in (settings.logs_folder, settings.home / "airflow" / "logs", settings.home / "dbt")
        for path in folder.rglob("*")
        if path.is_file()
    }
    texts |= rows_as_text(
        installation,
        "airflow",
        "public",
        ("xcom", "rendered_task_instance_fields", "dag_run", "task_instance", "log", "asset_event"),
    )
    texts |= {
        f"lineage {number}": received.body.decode() for number, received in enumerate(installation.catalogue.requests)
    }
    for schema in ("ops", "quarantine", "marts", "history"):
        texts |= rows_as_text(installation, "warehouse", schema, None)
    assert len(texts) > 50
    for place, text in texts.items():
        assert not [secret for secret in secrets if secret in text], place
        # Every number of the sandbox begins with an address code that was never issued.
        found = set(re.findall(r"339900\d{11}[\dXx]", text)) & numbers
        assert not found, place


def rows_as_text(
    installation: Installation, database: str, schema: str, tables: tuple[str, ...] | None
) -> dict[str, str]:
    server = {**installation.settings.warehouse(), "dbname": database, "user": "threegaps"}
    server["password"] = installation.settings.secret("postgres_threegaps")
    texts: dict[str, str] = {}
    with psycopg.connect(**server) as connection:
        known = connection.execute("select tablename from pg_tables where schemaname = %s", [schema]).fetchall()
        for name in tables or [str(row[0]) for row in known]:
            query = sql.SQL("select coalesce(string_agg(t::text, chr(10)), '') from {} as t")
            row = connection.execute(query.format(sql.Identifier(schema, name))).fetchone()
            texts[f"{database}.{schema}.{name}"] = str(row[0]) if row else ""
    return texts


def test_nothing_outlives_keeper_and_supervisor(installation: Installation) -> None:
    """Killed at once, so that neither can end what the other had."""
    status = read_status(installation.settings)
    watchers = [int(status["keeper_pid"]), int(status["pid"])]
    everyone = descendants(watchers[0])
    assert len(everyone) > 10
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process_id in watchers:
            os.kill(process_id, number)
    # PostgreSQL closes in order; all others end at once.
    wait_until(lambda: not [process_id for process_id in everyone if is_alive(process_id)], seconds=60)
    assert strays.find(installation.settings) == []
    assert installation.json("down")["stopped"] is False
