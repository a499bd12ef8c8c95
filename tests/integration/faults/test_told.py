"""What breaks for real is told once, says its cause in `threegaps status`, and goes by itself when it is mended.

A real SFTP server, gateway and database of departments, the package's own steps as the tasks call them, a small dbt
project, the real watch with a clock of the test's own, and a mail server and a webhook that count what they get. Each
test begins and ends where all is well: `Installation.breaks` and `Installation.mends` ask the same of every kind.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from typer.testing import CliRunner

from sandbox.servers import sftp
from tests.conftest import Warehouses
from tests.integration.faults.conftest import Departments, connect, point_at, settle
from tests.integration.faults.small_feeds import CERTIFICATES, TRAINING, WAGES, wage_part, wage_rows
from tests.integration.release.small_marts import CELL_COLUMNS, CELL_KEY, WIDE_COLUMNS, make_build_schema
from tests.integration.watch.conftest import Airflow
from tests.receivers import MailReceiver, WebReceiver, alerts_by, mail_receiver, web_receiver
from threegaps import feed_run
from threegaps.cli.app import app
from threegaps.errors import BuildError, FeedError, ReleaseError, ThreeGapsError
from threegaps.feed_run.expected import enter_expected
from threegaps.labels import CAUSES
from threegaps.marts import build
from threegaps.release import step
from threegaps.settings import SHANGHAI, Settings
from threegaps.sources import retry
from threegaps.watch.kinds import SETTLING
from threegaps.watch.service import Watch

pytestmark = pytest.mark.integration

ROWS = 200
"""Of a month of wages, when all is well."""
EVERY_SECONDS = 30


class WageServer:
    """The department's SFTP server with the months of wages; it can be stopped and started again at its port."""

    def __init__(self, home: Path, keys: Path) -> None:
        self._home = home
        shutil.copytree(keys, home / "keys")
        (home / "sftp").mkdir()
        server = sftp.start(home)
        self._server: sftp.RunningSftp | None = server
        self.port = server.port

    def stop(self) -> None:
        if self._server:
            self._server.stop()
        self._server = None

    def start(self) -> None:
        self._server = sftp.start(self._home, self.port)

    def send(
        self, month: str, count: int = ROWS, *, spoilt: int = 0, announced: int = 1, breaks_off: bool = False
    ) -> None:
        """Put a month there in place of what lay there.

        Args:
            spoilt: The wage of so many of its rows is none.
            announced: So many parts are said to come; one does.
            breaks_off: Of that only the beginning.
        """
        digits = month.replace("-", "")
        rows = wage_rows(count, month=digits)
        for row in rows[:spoilt]:
            row[9] = "many"
        folder = self._home / "sftp" / "wage_records" / digits
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        part = wage_part(rows)
        name = f"wage_{digits}_part01of{announced:02d}.csv.gz"
        (folder / name).write_bytes(part[: len(part) // 2] if breaks_off else part)
        (folder / f"wage_{digits}.ok").write_text(f"parts={announced} rows={count * announced}\n", encoding="ascii")


class Marts:
    """A dbt project of three models below the project's root, which can be spoilt and mended."""

    CELL = {  # noqa: RUF012  # not changed
        "indicator_code": "'M01-3'",
        "area_code": "'330106'",
        "area_level": "'county'",
        "period_type": "'month'",
        "period_start": "'2026-06-01'",
        "period_end": "'2026-06-30'",
        "period_label": "'2026-06'",
        "breakdown": "'total'",
        "breakdown_value": "'total'",
        "numerator": "persons",
        "value": "persons",
        "status": "'no_target'",
        "maturity": "'final'",
        "value_status": "'reported'",
        "rounding": "'none'",
        "covered_from": "'2026-06-01'",
        "covered_to": "'2026-06-30'",
        "audience": "'public'",
        "data_as_of": "current_date",
    }

    def __init__(self, project: Path, origin: Path) -> None:
        self._models = project / "models" / "marts" / "action_1_bright_future"
        self._models.mkdir(parents=True)
        for name in ("dbt_project.yml", "profiles.yml", "macros/generate_schema_name.sql"):
            (project / name).parent.mkdir(exist_ok=True)
            shutil.copy(origin / name, project / name)
        (project / "models" / "sources.yml").write_text(
            yaml.safe_dump(
                {
                    "version": 2,
                    "sources": [
                        {
                            "name": "raw",
                            "tables": [{"name": "hrss_wage_records", "config": {"meta": {"feed": WAGES}}}],
                        }
                    ],
                }
            ),
            encoding="utf-8",
        )
        served = {"indicator_value": (CELL_COLUMNS, CELL_KEY), "action_1_bright_future": (WIDE_COLUMNS, None)}
        models = [
            {
                "name": name,
                "description": f"{name} 说明",
                "config": {
                    "meta": {
                        "served": True,
                        "key": key or ["area_code", "period_type", "period_end"],
                        "audience": "public",
                    }
                },
                "columns": [
                    {"name": column, "data_type": kind, "description": f"{column} 说明"}
                    for column, kind in columns.items()
                ],
            }
            for name, (columns, key) in served.items()
        ]
        models.append({"name": "ind_m01_3", "config": {"meta": {"indicator": "M01-3"}}})
        (self._models / "models.yml").write_text(
            yaml.safe_dump({"version": 2, "models": models}, allow_unicode=True), encoding="utf-8"
        )
        self.write()

    def write(self, *, persons: str = "count(*)", **cell: str) -> None:
        """Write the models, as they are right or with other expressions."""
        said = self.CELL | cell
        listing = ", ".join(f"({said.get(name, 'null')})::{kind} as {name}" for name, kind in CELL_COLUMNS.items())
        for name, query in {
            "ind_m01_3": f"select {persons} as persons from {{{{ source('raw', 'hrss_wage_records') }}}}",
            "indicator_value": f"select {listing} from {{{{ ref('ind_m01_3') }}}}",
            "action_1_bright_future": "select area_code, period_type, period_end, value::numeric(20, 4) as m01_3"
            " from {{ ref('indicator_value') }} where value_status = 'reported'",
        }.items():
            (self._models / f"{name}.sql").write_text(query + "\n", encoding="utf-8")

    def refresh(self) -> int:
        """Claim, build and release, as the marts' tasks do."""
        build_id = build.prepare("test")
        assert build_id is not None
        build.build(build_id)
        return step.release(build_id)


class Installation:
    """The watch of the installation, whoever it tells, and what `threegaps status` says of it."""

    def __init__(
        self, mail: MailReceiver, web: WebReceiver, wages: WageServer, marts: Marts, patch: pytest.MonkeyPatch
    ) -> None:
        self.mail, self.web, self.wages, self.marts, self._patch = mail, web, wages, marts, patch
        self.now = dt.datetime.now(SHANGHAI)
        self.watch = Watch(Settings.load())
        self.opened: set[str] = set()

    def run(self, feed: str, delivery: str) -> None:
        """As the two tasks of a feed's run."""
        feed_run.land(feed, delivery)
        feed_run.load(feed, delivery)

    def be_on(self, day: str) -> None:
        """The departments' day: what is due by then is owed, and what comes daily has come."""
        self._patch.setenv("THREEGAPS_SANDBOX_LAST_DAY", day)
        for feed in (TRAINING, CERTIFICATES):
            self.run(feed, day)
        enter_expected(Settings.load())

    def passes(self, seconds: int) -> None:
        for _ in range(0, seconds, EVERY_SECONDS):
            self.now += dt.timedelta(seconds=EVERY_SECONDS)
            self.watch.once(self.now)

    def restart(self) -> None:
        """Another process, as far as what it remembers goes."""
        self.watch.close()
        self.watch = Watch(Settings.load())

    def told(self) -> Counter[tuple[str, str]]:
        """What the webhook got, by change and cause; each of it came by mail, too, and nothing else did."""
        by_web = Counter((one.data["change"], one.data["content"]["cause_key"]) for one in self.web.taken)
        changes = Counter(re.findall(r"\.(\w+)\.mail@", " ".join(str(one["Message-ID"]) for one in self.mail.messages)))
        by_change: Counter[str] = Counter()
        for (change, _), count in by_web.items():
            by_change[change] += count
        assert changes == by_change
        assert len({str(one["Message-ID"]) for one in self.mail.messages}) == len(self.mail.messages)
        return by_web

    def status(self) -> tuple[int, dict[str, Any]]:
        """What `threegaps status --json` ends with and says."""
        done = CliRunner().invoke(app, ["status", "--json"])
        return done.exit_code, json.loads(done.stdout)

    def breaks(self, said: dict[str, tuple[str, str]], *, later: dt.timedelta = dt.timedelta()) -> None:
        """What is broken now is told once each, whatever the watch goes through, and `status` says why.

        Args:
            said: By cause, patterns of what its words say in Chinese and in English.
            later: The watch looks so long after now.
        """
        self.now = dt.datetime.now(SHANGHAI) + later
        before = self.told()
        self.passes(150)
        self.restart()
        self.passes(60)
        assert self.told() - before == Counter({("opened", key): 1 for key in said})
        if not later:
            # Seen by whoever asks, too: the page looks by itself.
            code, page = self.status()
            assert (code, page["state"]) == (1, "warning")
            words = {
                one["cause_key"]: [
                    f"{one[f'title_{language}']}\n{one[f'detail_{language}']}" for language in ("zh", "en")
                ]
                for one in page["incidents"]
            }
            assert words.keys() == said.keys()
            for key, patterns in said.items():
                for pattern, text in zip(patterns, words[key], strict=True):
                    assert re.search(pattern, text, re.DOTALL), (pattern, text)
        texts = ["{subject}\n{text}".format_map(one.data) for one in self.web.taken[-len(said) :]]
        mails = [f"{one['Subject']}\n{one.get_content()}" for one in self.mail.messages[-len(said) :]]
        for patterns in said.values():
            for sent in (texts, mails):
                assert any(all(re.search(one, text, re.DOTALL) for one in patterns) for text in sent), (patterns, sent)
        self.opened = set(said)

    def mends(self) -> None:
        """What was broken is mended: each incident closes by itself, its end is told once, and all is well."""
        before = self.told()
        self.passes(120)
        self.restart()
        self.passes(60)
        code, page = self.status()
        assert (code, page["state"], page["incidents"], page["problems"]) == (0, "fine", [], [])
        assert self.told() - before == Counter({("closed", key): 1 for key in self.opened})
        # The next one breaks when nothing has to be given time any more for what this one held up.
        with psycopg.connect(Settings.load().warehouse_dsn()) as connection:
            connection.execute(
                "update ops.incident set opened_at = opened_at - %(a)s, closed_at = closed_at - %(a)s"
                " where closed_at is not null",
                {"a": 2 * SETTLING},
            )


@pytest.fixture(scope="module")
def one(
    departments: Departments, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Five months have come and are released."""
    folder, warehouse, airflow = tmp_path_factory.mktemp("told"), warehouses.new(), Airflow()
    origin = Settings.load()
    root = folder / "root"
    for feed in (WAGES, CERTIFICATES, TRAINING):
        path = root / "expectations" / f"{feed}.odcs.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(origin.contracts_folder / f"{feed}.odcs.yaml", path)
    marts = Marts(root / "dbt_project", origin.dbt_project_folder)
    make_build_schema(warehouse)
    wages = WageServer(folder, departments.home / "keys")
    with mail_receiver() as mail, web_receiver() as web, pytest.MonkeyPatch.context() as patch:
        point_at(patch, warehouse, folder / "landing")
        settle(patch)
        patch.setattr(retry, "time", types.SimpleNamespace(sleep=lambda _: None))
        alerts = folder / "alerts.yaml"
        alerts.write_text(alerts_by(mail, web), encoding="utf-8")
        for name, value in {
            "THREEGAPS_HOME": str(folder / "home"),
            "THREEGAPS_ROOT": str(root),
            "THREEGAPS_ALERTS": str(alerts),
            "THREEGAPS_AIRFLOW_URL": airflow.address,
            "THREEGAPS_LEAST_FREE_MB": "0",
            "THREEGAPS_SANDBOX_LAST_DAY": "2026-06-30",
        }.items():
            patch.setenv(name, value)
        for name, connection in departments.connections.items():
            connect(patch, name, connection)
        connect(patch, "hrss_sftp", {**departments.connections["hrss_sftp"], "port": wages.port})
        for month in range(1, 6):
            wages.send(f"2026-0{month}")
        installation = Installation(mail, web, wages, marts, patch)
        installation.run(WAGES, "2026-05")
        installation.be_on("2026-06-30")
        marts.refresh()
        yield installation
        installation.watch.close()
        wages.stop()
        airflow.close()


@pytest.fixture(autouse=True)
def tells_what_it_breaks(request: pytest.FixtureRequest, one: Installation) -> Iterator[None]:
    """A test that is marked so tells of these kinds, and of no other."""
    before = one.told()
    yield
    marker = request.node.get_closest_marker("breaks")
    told = one.told() - before
    for change in ("opened", "closed"):
        kinds = {key.partition(":")[0] for what, key in told if what == change}
        assert kinds == (set(marker.args) if marker else set())


def test_where_nothing_is_broken_nobody_is_told(one: Installation) -> None:
    one.passes(120)
    code, page = one.status()
    assert (code, page["state"], page["problems"]) == (0, "fine", [])
    assert not one.told()


@pytest.mark.breaks("feed_unreachable")
def test_three_broken_connections(one: Installation, monkeypatch: pytest.MonkeyPatch, departments: Departments) -> None:
    """A dead port, a wrong password at a gateway and at a database; each is said with its host and port."""
    right = departments.connections
    one.wages.stop()
    for name in ("hrss_gateway", "hrss_database"):
        connect(monkeypatch, name, {**right[name], "password": "wrong"})
    for feed, delivery in ((WAGES, "2026-05"), (TRAINING, "2026-07-01"), (CERTIFICATES, "2026-07-01")):
        with pytest.raises(FeedError):
            feed_run.land(feed, delivery)
    refused = {"hrss_gateway": right["hrss_gateway"]["port"], "hrss_database": right["hrss_database"]["port"]}
    dead = f"127.0.0.1:{one.wages.port}"
    one.breaks(
        {
            "feed_unreachable:hrss_sftp": (
                rf"无法连接hrss_sftp.*{dead}.*{WAGES}.*连接被拒绝",
                rf"connection hrss_sftp: .*{dead}.*{WAGES}.*connection refused",
            ),
            **{
                f"feed_unreachable:{name}": (
                    rf"无法连接{name}.*登录.*127.0.0.1:{port}",
                    rf"connection {name}: .*login.*127.0.0.1:{port}",
                )
                for name, port in refused.items()
            },
        }
    )
    one.wages.start()
    for name in refused:
        connect(monkeypatch, name, right[name])
    one.run(WAGES, "2026-05")
    one.be_on("2026-07-01")
    one.mends()


@pytest.mark.breaks("feed_late")
def test_a_late_feed(one: Installation) -> None:
    one.be_on("2026-07-19")
    one.breaks({f"feed_late:{WAGES}": ("迟到.*2026-06.*2026-07-20", "late.*2026-06.*Late since 2026-07-20")})
    one.wages.send("2026-06")
    one.run(WAGES, "2026-06")
    one.mends()


@pytest.mark.breaks("feed_incomplete")
def test_a_delivery_that_came_in_part(one: Installation) -> None:
    one.be_on("2026-08-19")
    one.wages.send("2026-07", announced=2)
    one.run(WAGES, "2026-07")
    one.breaks(
        {f"feed_incomplete:{WAGES}": ("未到齐.*2026-07.*2026-08-20", "not complete.*2026-07.*lacking since 2026-08-20")}
    )
    one.wages.send("2026-07")
    one.run(WAGES, "2026-07")
    one.mends()


@pytest.mark.breaks("feed_shrinking")
def test_a_shrinking_feed(one: Installation) -> None:
    one.be_on("2026-09-10")
    one.wages.send("2026-08", ROWS // 2)
    one.run(WAGES, "2026-08")
    one.breaks({f"feed_shrinking:{WAGES}": ("2026-08有100行,上期200行", "100 rows in 2026-08, 200 in 2026-07")})
    one.wages.send("2026-08")
    one.run(WAGES, "2026-08")
    one.mends()


@pytest.mark.breaks("feed_rows_gone")
def test_an_earlier_delivery_that_is_sent_again_cut(one: Installation) -> None:
    """The month before the newest keeps nine tenths of its rows; what somebody resolves stays resolved."""
    gone = f"feed_rows_gone:{WAGES} 2026-07"
    said = {
        gone: (
            f"2026-07重新报送后,原有的{ROWS}行中有20行不再出现.*180行",
            f"20 of {ROWS} rows of 2026-07 are no longer.*180",
        )
    }
    one.wages.send("2026-07", ROWS - 20)
    one.run(WAGES, "2026-08")
    one.breaks(said)
    one.wages.send("2026-07")
    one.run(WAGES, "2026-08")
    one.mends()
    one.wages.send("2026-07", ROWS - 20)
    one.run(WAGES, "2026-08")
    one.breaks(said)
    (incident,) = one.status()[1]["incidents"]
    done = CliRunner().invoke(app, ["incidents", "resolve", str(incident["incident_id"]), "--why", "entered twice"])
    assert done.exit_code == 0, done.output
    before = one.told()
    one.passes(1200)
    one.restart()
    one.passes(60)
    closed = Counter({("closed", gone): 1})
    assert one.told() - before == closed
    # Later sendings are compared with what was meant.
    one.wages.send("2026-07", ROWS - 22)
    one.run(WAGES, "2026-08")
    one.passes(300)
    assert one.told() - before == closed
    assert one.status()[1]["incidents"] == []


@pytest.mark.breaks("work_waiting")
def test_loaded_work_that_nobody_takes_up(one: Installation) -> None:
    one.breaks({"work_waiting": (f"待构建.*{WAGES}", f"wait for a build.*{WAGES}")}, later=dt.timedelta(minutes=30))
    one.marts.refresh()
    one.mends()


@pytest.mark.breaks("feed_stopped")
def test_a_batch_that_its_refused_share_stops(one: Installation) -> None:
    one.be_on("2026-10-10")
    one.wages.send("2026-09", spoilt=ROWS // 2)
    with pytest.raises(FeedError):
        one.run(WAGES, "2026-09")
    one.breaks(
        {f"feed_stopped:{WAGES}": ("2026-09的批次.*batch_refused_share.*50", "of 2026-09 .*batch_refused_share.*50")}
    )
    one.wages.send("2026-09")
    one.run(WAGES, "2026-09")
    one.mends()


@pytest.mark.breaks("refused_share_rising")
def test_a_refused_share_that_rises(one: Installation) -> None:
    one.be_on("2026-11-10")
    one.wages.send("2026-10", spoilt=30)
    one.run(WAGES, "2026-10")
    one.breaks(
        {f"refused_share_rising:{WAGES}": ("2026-10拒收15.0%,往常0.0%", "15.0 % of 2026-10 were refused, usually 0.0")}
    )
    one.wages.send("2026-10")
    one.run(WAGES, "2026-10")
    one.mends()


@pytest.mark.breaks("feed_batch_failed")
def test_a_file_that_broke_off_on_its_way(one: Installation) -> None:
    one.be_on("2026-12-10")
    one.wages.send("2026-11", breaks_off=True)
    with pytest.raises(FeedError):
        one.run(WAGES, "2026-11")
    one.breaks({f"feed_batch_failed:{WAGES}": ("2026-11的批次.*失败", "batch .* of 2026-11 failed")})
    one.wages.send("2026-11")
    one.run(WAGES, "2026-11")
    one.mends()


@pytest.mark.breaks("feed_failing")
def test_a_feed_that_fails_for_a_reason_of_ours(one: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The department answers and sends; the key that pseudonyms are made with is not set."""
    one.wages.send("2026-12")
    with monkeypatch.context() as patch:
        patch.delenv("AIRFLOW_VAR_THREEGAPS_PSEUDONYM_KEY")
        with pytest.raises(ThreeGapsError):
            one.run(WAGES, "2026-12")
    misconfigured = CAUSES["misconfigured"]
    one.breaks({f"feed_failing:{WAGES}": (f"2026-12.*{misconfigured[0]}", f"2026-12.*{misconfigured[1]}")})
    one.run(WAGES, "2026-12")
    one.mends()


@pytest.mark.breaks("build_failed")
def test_a_failed_build(one: Installation) -> None:
    one.marts.write(persons="count(*) / 0")
    with pytest.raises(BuildError):
        one.marts.refresh()
    one.breaks({"build_failed": ("构建.*失败.*ind_m01_3.*division by zero", "failed.*ind_m01_3.*division by zero")})
    one.marts.write()
    one.marts.refresh()
    one.mends()


@pytest.mark.breaks("release_held")
def test_a_release_that_a_check_holds(one: Installation) -> None:
    one.marts.write(value_status="'suppressed'")
    with pytest.raises(ReleaseError):
        one.marts.refresh()
    one.breaks(
        {
            "release_held": (
                "发布.*检查.*1 个已隐去的单元格带有数值",
                "release .*check.*1 suppressed cells carry a figure",
            )
        }
    )
    one.marts.write()
    one.marts.refresh()
    one.mends()
