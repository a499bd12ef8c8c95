"""A newcomer's feed and indicator, added to a copy of the project as docs/adding-a-feed.md and its sister page say.

The files in tests/fixtures/newcomer are laid over the copy, what is generated is renewed, and the copy's own checks
run: no other file is touched.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from threegaps.settings import Settings

pytestmark = pytest.mark.integration

ROOT = Settings.load().root
NEWCOMER = ROOT / "tests" / "fixtures" / "newcomer"
FEED = "hrss/skill_fairs"
CODE = "M07-9"
FEED_FILES = {
    "expectations/hrss/skill_fairs.odcs.yaml",
    "tests/fixtures/feeds/hrss/skill_fairs.yml",
}
INDICATOR_FILES = {
    "dbt_project/models/marts/action_2_strong_enterprises/ind_m07_9.sql",
    "dbt_project/models/marts/action_2_strong_enterprises/ind_m07_9.yml",
    "tests/golden/cases/m07-9.yml",
}
MADE_FOR_THE_FEED = {
    "dbt_project/models/staging/hrss/stg_hrss__skill_fairs.sql",
    "dbt_project/models/staging/hrss/stg_hrss__skill_fairs.yml",
}
GENERATED = {
    "docs/catalogue.md",
    "dbt_project/seeds/seed_breakdown_value.csv",
    "dbt_project/seeds/seed_feed.csv",
    "dbt_project/seeds/seed_indicator.csv",
    "dbt_project/seeds/seed_indicator_department.csv",
    "dbt_project/seeds/seed_indicator_feed.csv",
    "dbt_project/models/marts/indicator_base.sql",
    "dbt_project/models/marts/action_2_strong_enterprises/action_2_strong_enterprises.yml",
}
_PARTS = ("plugins", "dags", "expectations", "dbt_project", "docker", "sandbox", "tests", "docs")
# Byte code is copied: it is that of the same sources, and every command would make it anew.
_MADE = shutil.ignore_patterns("target", "logs", "*.egg-info", ".*_cache", "dbt_packages")


class Copy:
    """A copy of the project, its commands, and the digests of its files before anything was added."""

    def __init__(self, root: Path, before: dict[str, str]) -> None:
        self.root = root
        self.before = before

    def run(self, *command: str, **variables: str) -> str:
        """What *command* prints, run with the copy's code; its output is the failure's message."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("THREEGAPS_", "AIRFLOW", "PYTEST_"))
        }
        environment |= {
            "THREEGAPS_ROOT": str(self.root),
            "THREEGAPS_HOME": str(self.root / ".threegaps"),
            "AIRFLOW_HOME": str(self.root / ".threegaps" / "airflow"),
            "PYTHONPATH": os.pathsep.join([str(self.root / "plugins"), str(self.root)]),
            **variables,
        }
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False, timeout=500
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def python(self, *arguments: str, **variables: str) -> str:
        return self.run(sys.executable, *arguments, **variables)

    def pytest(self, *arguments: str) -> str:
        """Tests of the copy; their folders are apart, for pytest removes those of older runs, which may be at work."""
        folder = self.root.parent / "pytest"
        return self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}", *arguments)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """The copy with the newcomer's files in it and what is generated renewed."""
    root = tmp_path_factory.mktemp("newcomer") / "project"
    root.mkdir()
    for part in _PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=_MADE)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, root / path.name)
    copy = Copy(root, digests(root))
    shutil.copytree(NEWCOMER, root, dirs_exist_ok=True)
    copy.python("-m", "threegaps.generate")  # make docs
    yield copy
    shutil.rmtree(root, ignore_errors=True)


def files_below(folder: Path) -> set[str]:
    skipped = {"__pycache__", ".threegaps", ".pytest_cache", ".hypothesis", "target", "logs"}
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not skipped & set(path.relative_to(folder).parts)
    }


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of each file of the project, by its path."""
    return {
        f"{part}/{name}": hashlib.sha256((root / part / name).read_bytes()).hexdigest()
        for part in _PARTS
        for name in files_below(root / part)
    }


def test_a_feed_is_two_things_and_an_indicator_two(copy: Copy) -> None:
    assert files_below(NEWCOMER) == FEED_FILES | INDICATOR_FILES
    assert digests(copy.root).keys() - copy.before.keys() == FEED_FILES | INDICATOR_FILES | MADE_FOR_THE_FEED


def test_the_feed_is_none_of_those_that_are_to_come(copy: Copy) -> None:
    """A feed of the plan would one day stand in the project itself, and the test would no longer add anything."""
    assert f"expectations/{FEED}.odcs.yaml" not in copy.before


def test_the_indicator_is_none_of_the_plans() -> None:
    """One of the plan's stands in the project itself, and the test would no longer add anything."""
    with (ROOT / "dbt_project/seeds/seed_indicator.csv").open(encoding="utf-8", newline="") as seed:
        assert CODE not in {row["indicator_code"] for row in csv.DictReader(seed)}


def test_nothing_else_is_touched_but_what_is_generated(copy: Copy) -> None:
    after = digests(copy.root)
    assert {name for name, digest in copy.before.items() if after.get(name) != digest} == GENERATED


def test_the_contract_is_right(copy: Copy) -> None:
    assert "0 faults" in copy.python("-m", "threegaps.cli.lint")


def test_the_feed_has_its_dag(copy: Copy) -> None:
    listed = copy.python(
        "-c",
        "import json, runpy; names = runpy.run_path('dags/feeds.py');"
        "dags = {name: sorted(dag.task_ids) for name, dag in names.items() if name.startswith('feed_hrss_')};"
        "print(json.dumps(dags))",
    )
    assert json.loads(listed.splitlines()[-1])["feed_hrss_skill_fairs"] == ["land", "load"]


def test_the_copys_own_checks_pass(copy: Copy) -> None:
    """The fixture is judged as it says; the dbt project and the documents are whole, and no test counts feeds."""
    of_the_feed = f"tests/unit/feeds/test_feed_fixtures.py::test_every_row_ends_where_it_belongs[{FEED}]"
    checks = [f"tests/unit/{part}" for part in ("dbt", "generate", "docs", "contracts", "cli")]
    # The newcomer's contract is in the copy already; what is spoilt in other contracts says nothing of it, and neither
    # does a command that nobody reads to its end.
    left_out = ("every_command_exists", "command_names", "new_contract", "could_not_run", "spoilt", "house_rules")
    left_out += ("closed_from_the_beginning", "stops_reading")
    expression = " and ".join(f"not {name}" for name in left_out)
    printed = copy.pytest(of_the_feed, *checks, "-k", expression)
    assert " passed" in printed


def test_the_feed_lands_loads_and_stands_in_staging(copy: Copy, warehouse: str, tmp_path: Path) -> None:
    fixture = yaml.safe_load((copy.root / "tests/fixtures/feeds" / f"{FEED}.yml").read_text(encoding="utf-8"))
    drop = tmp_path / "drop"
    (drop / "hrss").mkdir(parents=True)
    for file in fixture["files"]:
        (drop / "hrss" / file["name"]).write_text(file["text"], encoding="utf-8")
    parts = conninfo_to_dict(warehouse)
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DATABASE"}
    variables = {f"THREEGAPS_WAREHOUSE_{names[key]}": str(parts[key]) for key in names}
    variables["AIRFLOW_CONN_HRSS_FILE_DROP"] = json.dumps({"conn_type": "fs", "extra": {"path": str(drop)}})
    variables["AIRFLOW_VAR_THREEGAPS_PSEUDONYM_KEY"] = "a key of tests, long enough to be one"
    script = (
        "from threegaps import feed_run\n"
        f"assert len(feed_run.land({FEED!r}, {fixture['delivery']!r})) == 1\n"
        f"assert len(feed_run.load({FEED!r}, {fixture['delivery']!r})) == 1\n"
        f"assert feed_run.land({FEED!r}, {fixture['delivery']!r}) == []\n"
    )
    copy.python("-c", script, **variables)
    dbt = shutil.which("dbt", path=str(Path(sys.executable).parent)) or "dbt"
    folder = tmp_path / "dbt"
    copy.run(
        *(dbt, "build", "--select", "stg_hrss__skill_fairs", "--project-dir", "dbt_project"),
        *("--profiles-dir", "dbt_project", "--target-path", str(folder), "--log-path", str(folder)),
        **variables,
    )
    with psycopg.connect(warehouse) as connection:
        staged = connection.execute(
            "select fair_id, county_code, held_by, held_on::text, stalls"
            " from staging.stg_hrss__skill_fairs order by fair_id"
        ).fetchall()
        refused = connection.execute("select count(*) from quarantine.refused_row where feed = %s", [FEED]).fetchone()
        comments = connection.execute(
            "select col_description(to_regclass(%s), 4), col_description(to_regclass(%s), 4)",
            ["raw.hrss_skill_fairs", "staging.stg_hrss__skill_fairs"],
        ).fetchone()
    assert comments == ("举办层级(01县级,02镇级,03村级) | Who held it",) * 2
    assert staged == [
        ("JS33010601", "330106", "01", "2025-03-01", 40),
        ("JS33011002", "330110", "02", "2025-04-02", 25),
    ]
    assert refused == (len(fixture["expected"]["refused"]),)


def test_the_indicators_golden_case_holds(copy: Copy) -> None:
    printed = copy.pytest("tests/golden/test_golden.py", "-k", CODE)
    assert "1 passed" in printed
