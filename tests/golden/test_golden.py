"""Every indicator against the cells that a person worked out by hand, all cases in one database and one build."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from psycopg.rows import dict_row

from tests.disclosure import small_truth
from tests.disclosure.equals import equal_in_the_sandbox
from tests.disclosure.published import examine, undeclared_equals
from tests.disclosure.release import Release, read_release
from tests.disclosure.small_world import make_small_world
from tests.disclosure.structure import Structure, read_structure
from tests.golden.golden_case import ANY, CASES_FOLDER, NUMBERS, WORLDS_FOLDER, Case, ExpectedCell, load_cases
from tests.golden.some_persons import rows_that_depend_on_others
from tests.golden.warehouse_of_cases import build, run_tests
from tests.truth.exact import exact_differences
from tests.truth.facts import FACTS, make_scene, put_facts, true_cells
from tests.truth.shown import KINDS, shown_differences, withheld
from tests.truth.warehouse import make_again
from threegaps.generate.files import described_indicators
from threegaps.marts.lock import held_by_builder
from threegaps.marts.manifest import Manifest
from threegaps.release import apply, checks
from threegaps.release.explain import target_of
from threegaps.release.identities import broken
from threegaps.release.served import apply_served

pytestmark = pytest.mark.integration
CASES = load_cases()
ROOT = Path(__file__).resolve().parents[2]
# In so small a province nobody sees a cohort of a hundred of these, or ten of those; no county has a thousand at work.
TOO_SMALL_TO_SHOW = {
    "M01-1",
    "M06-2",
    "M06-3",
    "M01-4",
    "M04-2",
    "M07-3",
    "M07-4",
    "M12-3",
    "M12-4",
    "G2-1",
    "M15-1",
    "P-7",
}
# Of some nothing is published, and for the others the sandbox's window is too short.
WITHOUT_A_FIGURE = {"M11-2", "G1-4", "G1-4a", "G2-4", "G3-4", "G3-4a", "G3-4b"}
# Of the small provinces that are attacked.
SEEDS = (7, 11)
Key = tuple[str, str, str, str]
Cells = dict[str, dict[Key, dict[str, Any]]]


@pytest.fixture(scope="module")
def dbt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's target and logs."""
    return tmp_path_factory.mktemp("dbt")


def _chosen(items: list[pytest.Item]) -> list[Case]:
    """The cases that are needed: where `-k` has left nothing but cells to compare, only theirs."""
    asked = [getattr(item, "callspec", None) for item in items if item.path == Path(__file__)]
    cases = [call.params["case"] for call in asked if call is not None and "case" in call.params]
    return cases if len(cases) == len(asked) else CASES


@pytest.fixture(scope="module")
def built(request: pytest.FixtureRequest, shared_warehouse: str, dbt_folder: Path) -> tuple[Cells, Cells, set[str]]:
    """The exact cells and the shown ones, by indicator and key, and the indicators that have a model."""
    cases = _chosen(request.session.items)
    manifest = build(shared_warehouse, cases, dbt_folder, only_cells=cases is not CASES)
    with psycopg.connect(shared_warehouse, row_factory=dict_row) as connection:
        exact, shown = (_cells(connection, relation) for relation in ("indicator_cell", "indicator_value"))
        seeded = connection.execute("select indicator_code from core.seed_indicator where is_built").fetchall()
    modelled = {
        node["config"]["meta"]["indicator"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and "indicator" in node["config"].get("meta", {})
    }
    return exact, shown, modelled | {row["indicator_code"] for row in seeded}


def _cells(connection: psycopg.Connection[Any], relation: str) -> Cells:
    cells: Cells = {}
    for row in connection.execute(f"select * from build.{relation}".encode()):
        key = (row["area_code"], row["period_label"], row["breakdown"], row["breakdown_value"])
        cells.setdefault(row["indicator_code"], {})[key] = row
    return cells


def test_every_built_indicator_has_a_case(built: tuple[Cells, Cells, set[str]]) -> None:
    *_, indicators = built
    assert {case.indicator for case in CASES} == indicators


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.indicator)
def test_the_cells_are_those_worked_out_by_hand(built: tuple[Cells, Cells, set[str]], case: Case) -> None:
    cells, shown = (relation.get(case.indicator, {}) for relation in built[:2])
    there = {key: row for key, row in cells.items() if key[1] in case.periods}
    expected = {cell.key: cell for cell in case.expected}
    faults = [f"{key}: no such cell was built" for key in sorted(expected.keys() - there.keys())]
    for key in sorted(there):
        facts = expected[key].facts if key in expected else case.elsewhere.get(key[1])
        if facts is None:
            faults.append(f"{key}: nobody expects it: {_shown(there[key])}")
            continue
        # What is hidden is looked for among what is shown, everything else is compared exactly.
        total = shown.get((*key[:2], "total", "total"), {})
        is_withheld = withheld(there[key], is_below_hidden=total.get("rounding", "none") is None)
        if (key in shown) == is_withheld:
            faults.append(f"{key}: should {'not ' if is_withheld else ''}be served")
        if facts["value_status"] == "suppressed" and key not in shown:
            continue
        row = shown[key] if facts["value_status"] == "suppressed" else there[key]
        for name, wanted in facts.items():
            got = row.get(name)
            if wanted != ANY and not _equal(name, wanted, got):
                faults.append(f"{key}: {name} should be {wanted} and is {got}")
    assert not faults, f"{case.path.name}:\n" + "\n".join(faults)


def _equal(name: str, wanted: Decimal | str | None, got: Any) -> bool:
    if wanted is None or got is None:
        return wanted is None and got is None
    return Decimal(str(got)) == wanted if name in NUMBERS else str(got) == wanted


def _shown(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {row[name]}" for name in ("numerator", "denominator", "value", "value_status"))


@pytest.mark.usefixtures("built")
def test_the_relations_between_indicators_hold(shared_warehouse: str) -> None:
    with psycopg.connect(shared_warehouse) as connection:
        # of 330127 in 2021 a ratio of 1.7 is printed beside incomes that give 1.67
        found = [(one.identity_code, one.severity, one.cells) for one in broken(connection)]
        assert found == [("ratio-as-printed", "warn", 1)]


@pytest.mark.usefixtures("built")
def test_periods_reach_three_years_beyond_what_is_aimed_at_or_covered(shared_warehouse: str, dbt_folder: Path) -> None:
    """The last target is one of the end of 2027; data until 2031 need periods until 2034."""
    model = dbt_folder / "target/compiled/threegaps/models/core/dim_period.sql"
    last = f"select period_type, max(period_end)::text from ({model.read_text(encoding='utf-8')}) as p group by 1"
    with psycopg.connect(shared_warehouse) as connection:
        now = dict(connection.execute(last.encode()).fetchall())
        assert (now["month"], now["quarter"], now["year"]) == ("2030-12-31",) * 3
        assert now["ytd"] == "2030-11-30"
        connection.execute("insert into core.feed_coverage values ('a/later', '2029-01-01', '2031-02-01')")
        later = dict(connection.execute(last.encode()).fetchall())
        assert (later["month"], later["quarter"], later["year"]) == ("2034-12-31",) * 3
        connection.rollback()


def test_a_suppressed_cell_keeps_nothing(built: tuple[Cells, Cells, set[str]]) -> None:
    suppressed = [row for cells in built[1].values() for row in cells.values() if row["value_status"] == "suppressed"]
    assert suppressed
    figures = ("numerator", "denominator", "value", "target_progress", "change_on_year")
    assert [row for row in suppressed if any(row[name] is not None for name in figures)] == []


@pytest.fixture(scope="module")
def served(built: tuple[Cells, Cells, set[str]], shared_warehouse: str, dbt_folder: Path) -> str:
    """The warehouse of the cases with a release of what was built of them, and before it what was said before."""
    raw = Manifest.read(dbt_folder / "target" / "manifest.json").raw
    # What speaks of feeds has none here.
    nodes = {name: node for name, node in raw["nodes"].items() if node["name"] != "data_quality"}
    manifest = Manifest({**raw, "nodes": nodes})
    apply_served(shared_warehouse, manifest)
    with held_by_builder(shared_warehouse) as connection:
        row = connection.execute("select max(build_id) from ops.build").fetchone()
        assert row is not None
        corrected = [(case, cell) for case in CASES for cell in case.expected if cell.said_before is not None]
        with connection.transaction():
            for case, cell in corrected:
                _say(connection, case, cell, cell.said_before)
        apply.apply_build(connection, manifest, row[0])
        with connection.transaction():
            for case, cell in corrected:
                _say(connection, case, cell, (cell.shown or {})["value"])
        assert checks.findings(connection, manifest) == []
        apply.apply_build(connection, manifest, row[0])
    return shared_warehouse


def _say(connection: psycopg.Connection[Any], case: Case, cell: ExpectedCell, value: object) -> None:
    """Puts a count into what was built, as it is shown."""
    done = connection.execute(
        "update build.indicator_value set numerator = %s, value = %s"
        " where (indicator_code, area_code, period_label, breakdown, breakdown_value) = (%s, %s, %s, %s, %s)",
        [value, value, case.indicator, *cell.key],
    )
    assert done.rowcount == 1, cell.key


def test_a_correction_of_a_final_figure_is_a_revision(served: str) -> None:
    """What was said before stands beside what is said now, and nothing else was revised."""
    wanted = {
        (case.indicator, *cell.key, cell.said_before, (cell.shown or {})["value"])
        for case in CASES
        for cell in case.expected
        if cell.said_before is not None
    }
    assert wanted
    found = _rows(
        served,
        "select r.indicator_code, r.area_code, v.period_label, r.breakdown, r.breakdown_value, r.first_final_value,"
        " r.value_now from marts.indicator_revision as r join marts.indicator_value as v using"
        " (indicator_code, area_code, period_type, period_end, breakdown, breakdown_value) where v.is_revised",
    )
    assert set(found) == wanted
    assert _rows(served, "select count(*) from marts.indicator_value where is_revised") == [(len(wanted),)]


def test_what_a_reader_sees_is_what_was_worked_out_by_hand(served: str) -> None:
    """Parts in tens, the value that follows from them, and the text: of every kind of figure at least one."""
    compared, faults = 0, []
    with psycopg.connect(served, row_factory=dict_row) as connection:
        for case in CASES:
            for cell in (cell for cell in case.expected if cell.shown is not None):
                area, period, breakdown, breakdown_value = cell.key
                found = connection.execute(
                    "select numerator, denominator, value, value_text as text from marts.indicator_named"
                    " where (indicator_code, area_code, period_label, breakdown, breakdown_value)"
                    " = (%s, %s, %s, %s, %s)",
                    [case.indicator, area, period, breakdown, breakdown_value],
                ).fetchall()
                if len(found) != 1:
                    faults.append(f"{case.path.name}: {cell.key} is not served")
                    continue
                differ = {
                    name for name, wanted in (cell.shown or {}).items() if not _equal(name, wanted, found[0][name])
                }
                if differ:
                    faults.append(f"{case.path.name}: {cell.key}: {', '.join(sorted(differ))}: {found[0]}")
                compared += 1
    assert not faults, "\n".join(faults)
    assert compared > 20


def test_the_target_that_is_explained_is_the_one_that_the_build_chose(served: str) -> None:
    """The share of its time that has passed tells the dates of the target of a build."""
    with psycopg.connect(served, row_factory=dict_row) as connection:
        cells = connection.execute(
            "select v.*, i.time_basis from marts.indicator_value as v join core.seed_indicator as i"
            " using (indicator_code) where v.target_value is not null"
        ).fetchall()
        assert len({cell["indicator_code"] for cell in cells}) > 5
        for cell in cells:
            target = target_of(connection, cell)
            assert target is not None, cell
            days = (target["target_date"] - target["baseline_date"]).days
            passed = (min(cell["period_end"], target["target_date"]) - target["baseline_date"]).days
            progress = (Decimal(passed * 100) / days).quantize(Decimal("0.01"), ROUND_HALF_UP)
            assert cell["time_progress"] == progress, cell


def test_pages_and_marts_have_the_same_caveats(served: str) -> None:
    """The steps of contribution bases are said by a model and by the package; forms that expired by the model alone."""
    said = _rows(served, "select indicator_code, caveat_zh, caveat_en from build.dim_indicator")
    pages = {row["indicator_code"]: row for row in described_indicators(ROOT) if row["is_built"] == "true"}
    assert {code for code, *_ in said} == pages.keys()
    assert any("缴费基数调整月" in zh for _, zh, _ in said)
    for code, zh, en in said:
        assert zh.startswith(pages[code]["caveat_zh"]), code
        assert zh.count("缴费基数调整月") == pages[code]["caveat_zh"].count("缴费基数调整月"), code
        assert en.startswith(pages[code]["caveat_en"]), code


def _rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            "delete from build.indicator_value where indicator_code = 'O-3' and breakdown = 'total'"
            " and area_code = '330102'",
            "O-3 has no rows for some areas",
        ),
        (
            "delete from build.indicator_value where indicator_code = 'M14-4' and breakdown_value = '5'"
            " and area_code = '330102' and period_label = '2025Q1'",
            "M14-4 has not the same rows for every area",
        ),
        (
            "delete from build.indicator_value where indicator_code = 'M01-3' and breakdown_value = '06'"
            " and area_code = '330000' and period_type = 'year'",
            "M01-3 has not all its parts below a total that is shown",
        ),
        (
            "update build.indicator_value set rounding = null where indicator_code = 'M01-3' and breakdown = 'total'"
            " and area_code = '330000' and period_type = 'year'",
            "M01-3 has parts below a hidden total",
        ),
        (
            "update build.indicator_value set breakdown = 'issuer', breakdown_value = 'Y' where indicator_code = 'O-3'"
            " and breakdown = 'total' and area_code = '330102' and period_label = '2025Q1'",
            "O-3 has rows that seed_indicator_breakdown does not name",
        ),
    ],
)
def test_rows_that_tell_what_was_counted_are_not_released(
    served: str, dbt_folder: Path, change: str, fault: str
) -> None:
    """What was released had no such fault."""
    manifest = Manifest.read(dbt_folder / "target" / "manifest.json")
    others = frozenset({
        "keys", "numbers", "sums", "counted", "valued", "rounded", "suppression", "identities", "row_count"
    })  # fmt: skip
    with psycopg.connect(served) as connection:
        connection.execute(change.encode())
        found = checks.findings(connection, manifest, accepted=others)
        connection.rollback()
    assert any(finding.startswith(f"rows: {fault}") for finding in found), found


def test_every_cell_can_be_read_by_its_names(served: str) -> None:
    assert _rows(served, "select count(*) > 500 from marts.indicator_named") == [(True,)]
    unnamed = (
        "select distinct indicator_code, breakdown, breakdown_value, area_code from marts.indicator_named"
        " where indicator_name_zh is null or unit_en is null or area_name_zh = area_code or breakdown_order is null"
        " or value_text is null or value_text_en is null"
    )
    assert _rows(served, unnamed) == []


@pytest.mark.parametrize("view", ["monthly", "quarterly", "yearly", "cumulative", "as_of_day"])
def test_a_view_has_one_row_for_an_indicator_in_an_area_and_period(served: str, view: str) -> None:
    # of single days there are the published figures of one
    least = 3 if view == "as_of_day" else 20
    assert _rows(served, f"select count(*) > {least} from marts.{view}") == [(True,)]
    twice = f"select 1 from marts.{view} group by indicator_code, area_code, period_end having count(*) > 1"
    assert _rows(served, twice) == []
    mixed = (
        f"select 1 from marts.{view} where value is not null and (maturity <> 'final' or value_status <> 'reported')"
    )
    assert _rows(served, mixed) == []


def test_wide_marts_show_each_cell_as_what_it_is(served: str, dbt_folder: Path) -> None:
    """Every column against the long table, read in another way than the mart is made."""
    shown = 0
    for table in Manifest.read(dbt_folder / "target" / "manifest.json").served:
        for column in table.columns:
            if column.cell is None or not column.is_status:
                continue
            name = column.name.removesuffix("_status")
            code, breakdown, value = column.cell
            rows = _rows(
                served,
                f"select {name}, {name}_provisional, {name}_status, c.value, c.maturity, c.value_status"
                f" from marts.{table.name} as w left join marts.indicator_value as c on c.area_code = w.area_code"
                " and c.period_type = w.period_type and c.period_end = w.period_end"
                f" and (c.indicator_code, c.breakdown, c.breakdown_value) = ('{code}', '{breakdown}', '{value}')"
                # what is public of the province alone is not computed for anybody else here
                " and c.audience = 'public'",
            )
            for settled, provisional, status, figure, maturity, value_status in rows:
                expected = {
                    None: (None, None, "not_computed"),
                    "reported": (figure, None, "final") if maturity == "final" else (None, figure, "provisional"),
                }.get(value_status, (None, None, value_status))
                assert (settled, provisional, status) == expected, f"{table.name}.{name}"
                shown += figure is not None
    assert shown > 100
    assert _rows(served, "select 1 from marts.three_gaps where area_name_zh is null") == []


@pytest.mark.usefixtures("built")
def test_a_persons_rows_do_not_depend_on_other_persons(shared_warehouse: str, dbt_folder: Path, tmp_path: Path) -> None:
    """So a table by person can be made anew for some of them: no rank, limit or mean over all."""
    compiled = dbt_folder / "target" / "compiled" / "threegaps" / "models" / "intermediate"
    found = rows_that_depend_on_others(shared_warehouse, compiled)
    assert len(found) >= 4
    assert set(found.values()) == {0}, found
    # A model that keeps the first persons of all is found.
    text = (compiled / "int_exit.sql").read_text(encoding="utf-8")
    (tmp_path / "int_exit.sql").write_text(f"select * from ({text}) as q order by person_id limit 20", encoding="utf-8")
    assert rows_that_depend_on_others(shared_warehouse, tmp_path)["int_exit"] > 0


@pytest.mark.usefixtures("built")
def test_the_models_pass_their_own_tests(shared_warehouse: str, dbt_folder: Path) -> None:
    statuses = run_tests(shared_warehouse, dbt_folder)
    assert sum(name.startswith("unit_test.") for name in statuses) > 5
    assert sum(".key_" in name for name in statuses) > 20
    assert set(statuses.values()) == {"pass"}


@pytest.fixture(scope="module")
def true_province(
    built: tuple[Cells, Cells, set[str]],
    shared_warehouse: str,
    dbt_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> pl.DataFrame:
    """The truth of a province of another size and seed than the end-to-end test's; its facts go through all models."""
    assert built
    folder = tmp_path_factory.mktemp("province")
    scene = make_scene(folder, scale=0.0002, seed=SEEDS[0])
    manifest = Manifest.read(dbt_folder / "target" / "manifest.json").raw
    with psycopg.connect(shared_warehouse) as connection:
        put_facts(connection, manifest, scene, "truth")
        given, wanted = (*FACTS, "feed_coverage"), ("indicator_cell", "indicator_value")
        make_again(connection, manifest, dbt_folder / "target", "truth", given=given, wanted=wanted)
    return true_cells(folder, scene)


@pytest.fixture(scope="module")
def truths(
    true_province: pl.DataFrame, shared_warehouse: str, dbt_folder: Path
) -> tuple[Structure, dict[int, list[Release]]]:
    """The structure of the counts and, by seed, releases of a small province with all indicators.

    Of the first province there are two: as it came through the models, and after its refused rows came back mended.
    """
    assert not true_province.is_empty()
    models = dbt_folder / "target/compiled/threegaps/models/marts"
    manifest = Manifest.read(dbt_folder / "target" / "manifest.json").raw
    with psycopg.connect(shared_warehouse) as connection:
        structure = read_structure(connection)
        first = read_release(connection, "truth", small_truth.ONE_YEAR)
        mended, other = (
            small_truth.release(connection, manifest, models, scale=scale, seed=seed, refused=refused)
            for seed, scale, refused in zip(SEEDS, (0.0002, 0.0001), (0.0, 0.02), strict=True)
        )
    return structure, dict(zip(SEEDS, ([first, mended], [other]), strict=True))


@pytest.mark.usefixtures("built")
def test_nothing_hidden_follows_from_what_is_shown(shared_warehouse: str, dbt_folder: Path) -> None:
    models = dbt_folder / "target/compiled/threegaps/models/marts"
    manifest = Manifest.read(dbt_folder / "target" / "manifest.json").raw
    with psycopg.connect(shared_warehouse) as connection:
        make_small_world(connection, "small_world", manifest, models, records=6_000, seed=11)
        found = examine(read_structure(connection), [read_release(connection, "small_world")], programs=20)
    assert found.small > 500
    assert found.exact == {}
    assert found.narrow == {}


def test_figures_are_the_truth_of_another_province(true_province: pl.DataFrame, shared_warehouse: str) -> None:
    """Every exact figure, and what is shown of it."""
    with psycopg.connect(shared_warehouse) as connection:
        compared, faults = exact_differences(connection, true_province, "truth")
        relations = ("truth.indicator_cell", "truth.indicator_value")
        shown, faults_of_shown = shown_differences(connection, true_province, relations)
    assert not faults, "\n".join(faults)
    assert compared.total() > 100_000
    assert not faults_of_shown, f"{len(faults_of_shown)}:\n" + "\n".join(faults_of_shown[:10])
    assert shown.keys() == frozenset().union(*KINDS) - TOO_SMALL_TO_SHOW - WITHOUT_A_FIGURE, shown


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_hidden_follows_from_releases_of_all_indicators(
    truths: tuple[Structure, dict[int, list[Release]]], seed: int
) -> None:
    structure, releases = truths
    found = examine(structure, releases[seed], programs=0)
    assert found.small > 5_000
    assert found.exact == {}
    assert found.narrow == {}


def test_counts_that_are_equal_everywhere_have_one_name(truths: tuple[Structure, dict[int, list[Release]]]) -> None:
    structure, releases = truths
    found = [undeclared_equals(structure, releases[seed][-1]) for seed in SEEDS]
    assert set.intersection(*found) - equal_in_the_sandbox() == set()


def test_no_case_file_is_left_out() -> None:
    assert {path.name for path in CASES_FOLDER.iterdir()} == {case.path.name for case in CASES}
    worlds = {f"{case.world.name}.yml" for case in CASES if case.world is not None}
    assert {path.name for path in WORLDS_FOLDER.glob("*")} == worlds
