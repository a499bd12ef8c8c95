"""What `make docs` writes: current, the same each time, and of one text with the raw tables."""

from __future__ import annotations

import csv
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from threegaps.contracts.loader import load_contract, load_contracts, read_document
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import raw_columns, raw_key, staged_columns
from threegaps.generate import __main__ as command
from threegaps.generate import catalogue, connections, marts, options, staging
from threegaps.generate.files import generated, outdated, write
from threegaps.rules.registry import KINDS
from threegaps.settings import Settings

ROOT = Settings.load().root
CONTRACTS = load_contracts(ROOT / "expectations")
NEWCOMER = ROOT / "tests" / "fixtures" / "newcomer" / "expectations" / "hrss" / "skill_fairs.odcs.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the generated files follow from, and of themselves."""
    for part in ("expectations", "dbt_project/models", "dbt_project/seeds"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy2(ROOT / marts.PLAN, tmp_path / marts.PLAN)
    (tmp_path / "docs").mkdir()
    for page in ("catalogue.md", "contract-options.md"):
        shutil.copy2(ROOT / "docs" / page, tmp_path / "docs")
    for name in (connections.COMPOSE, connections.EXAMPLE, connections.DATABASES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


def staged(contract: Contract) -> tuple[str, dict[str, Any]]:
    """SQL and YAML of a feed's staging model."""
    files = staging.render([contract])
    path = staging.FOLDER / contract.department / f"stg_{contract.department}__{contract.name}"
    return files[path.with_suffix(".sql")], yaml.load(files[path.with_suffix(".yml")], yaml.CSafeLoader)


def test_generated_files_are_current() -> None:
    stale = [path.as_posix() for path in outdated(ROOT)]
    assert stale == [], "run `make docs` and commit what it writes; whoever changes a contract does so with it"


def test_the_same_input_gives_the_same_bytes() -> None:
    assert generated(ROOT) == generated(ROOT)


def test_a_new_contract_brings_its_staging_and_its_page(project: Path) -> None:
    shutil.copy2(NEWCOMER, project / "expectations" / "hrss")
    model = Path("dbt_project/models/staging/hrss/stg_hrss__skill_fairs.sql")
    labels = marts.SEEDS / "seed_breakdown_value.csv"
    feeds = marts.SEEDS / "seed_feed.csv"
    page = Path("docs/catalogue.md")
    assert outdated(project) == [model, model.with_suffix(".yml"), labels, feeds, page]
    assert write(project) == [model, model.with_suffix(".yml"), labels, feeds, page]
    assert outdated(project) == []
    assert "\nfeed,hrss/skill_fairs," in (project / labels).read_text(encoding="utf-8")
    assert "## hrss/skill_fairs" in (project / page).read_text(encoding="utf-8")


def test_a_contract_that_goes_takes_its_staging_along(project: Path) -> None:
    (project / "expectations" / "statistics" / "resident_income.odcs.yaml").unlink()
    write(project)
    assert not (project / "dbt_project/models/staging/statistics/stg_statistics__resident_income.yml").exists()


NEW_CONNECTIONS: dict[str, tuple[str, str, str | None]] = {
    "hrss/wage_records": (
        "labour_sftp",
        "AIRFLOW_CONN_LABOUR_SFTP: ${LABOUR_SFTP_CONNECTION:?}",
        "LABOUR_SFTP_CONNECTION=sftp://threegaps@sandbox:12222/?key_file=",
    ),
    "finance/training_subsidies": (
        "ledger_database",
        "AIRFLOW_CONN_LEDGER_DATABASE: ${LEDGER_DATABASE_CONNECTION:?}",
        "@department-database:5432/department_finance",
    ),
    "organisation/prosperity_workshops": (
        "workshops_drop",
        """AIRFLOW_CONN_WORKSHOPS_DROP: '{"conn_type": "fs", "extra": {"path": "/var/lib/threegaps/drop"}}'""",
        None,
    ),
}


@pytest.mark.parametrize("feed", NEW_CONNECTIONS)
def test_a_connection_follows_from_its_contract(project: Path, feed: str) -> None:
    connection, given, example = NEW_CONNECTIONS[feed]
    path = project / "expectations" / f"{feed}.odcs.yaml"
    written = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r'(connectionId, value: ")\w+', rf"\g<1>{connection}", written), encoding="utf-8")
    before = {name: (project / name).read_text(encoding="utf-8") for name in (connections.COMPOSE, connections.EXAMPLE)}
    assert connections.COMPOSE in write(project)
    compose, sample = ((project / name).read_text(encoding="utf-8") for name in before)
    assert f"  {given}\n" in compose
    assert yaml.load(compose, yaml.CSafeLoader)["services"]["worker"]["environment"][
        f"AIRFLOW_CONN_{connection.upper()}"
    ]
    lines = [line for line in sample.splitlines() if line.startswith(f"{connection.upper()}_CONNECTION=")]
    assert [example in line for line in lines] == ([True] if example else [])
    assert [outside_the_marks(text) for text in (compose, sample)] == [*map(outside_the_marks, before.values())]


def test_a_departments_database_follows_from_its_contract(project: Path) -> None:
    grants = next(one for one in CONTRACTS if one.feed == "finance/training_subsidies")
    new = replace(grants, feed="labour/grants", department="labour", connection_id="labour_database", pool="labour")
    files = connections.render(project, [*CONTRACTS, new])
    assert "databases='department_finance department_hrss department_labour'\n" in files[connections.DATABASES]
    command = yaml.load(files[connections.COMPOSE], yaml.CSafeLoader)["services"]["sandbox-data"]["command"][-1]
    (load,) = [line for line in command.splitlines() if "--department labour " in line]
    assert load.endswith('--dsn "host=department-database user=department dbname=department_labour"')
    (without,) = [
        text
        for path, text in connections.render(project, [one for one in CONTRACTS if one.department != "hrss"]).items()
        if path == connections.COMPOSE
    ]
    assert "department_hrss" not in without
    assert "department_finance" in without
    assert outside_the_marks(without) == outside_the_marks(files[connections.COMPOSE])


def seed_rows(root: Path, name: str) -> list[dict[str, str]]:
    return marts.read_seed(root, name)


def write_seed(root: Path, name: str, rows: list[dict[str, str]]) -> None:
    with (root / marts.SEEDS / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_a_part_without_names_is_named_and_not_served(project: Path) -> None:
    rows = seed_rows(project, "seed_breakdown_value")
    kept = [row for row in rows if (row["breakdown"], row["breakdown_value"]) != ("skill_level", "T")]
    assert len(kept) == len(rows) - 1
    write_seed(project, "seed_breakdown_value", kept)
    with pytest.raises(ValueError, match=r"seed_breakdown_value\.csv has no row for skill_level T"):
        generated(project)


def test_the_names_of_parts_are_those_of_the_seed(project: Path) -> None:
    rows = seed_rows(project, "seed_breakdown_value")
    for row in rows:
        if row["breakdown_value"] == "fixed_25":
            row["name_zh"] = "二十五县名单"
    write_seed(project, "seed_breakdown_value", rows)
    gaps = generated(project)[marts.MARTS / "three_gaps" / "three_gaps.yml"]
    assert "·二十五县名单(倍),定稿值" in gaps


def catalogue_rows(root: Path) -> dict[str, dict[str, str]]:
    return {row["indicator_code"]: row for row in marts.indicator_catalogue(root)}


def test_what_a_model_no_longer_says_is_no_longer_in_the_catalogue(project: Path) -> None:
    """Nothing is read back from what was written: an indicator of one's own goes with its model."""
    folder = project / marts.MARTS / "three_gaps"
    for path in folder.glob("ind_p_3.*"):
        path.unlink()
    path = folder / "ind_g3_2.yml"
    path.write_text(re.sub(r"\n          horizon_feeds: .*", "", path.read_text(encoding="utf-8")), encoding="utf-8")
    assert {"P-3", "G3-2"} <= catalogue_rows(ROOT).keys()
    assert catalogue_rows(ROOT)["G3-2"]["horizon_feeds"] == "hrss/wage_records"
    assert "P-3" not in catalogue_rows(project)
    assert catalogue_rows(project)["G3-2"]["horizon_feeds"] == ""


def test_what_stands_in_the_plans_row_and_in_the_yaml_is_refused(project: Path) -> None:
    path = project / marts.MARTS / "three_gaps" / "ind_g3_2.yml"
    said = path.read_text(encoding="utf-8").replace(
        "        catalogue:\n", '        catalogue:\n          method: "count"\n'
    )
    path.write_text(said, encoding="utf-8")
    with pytest.raises(ValueError, match=r"G3-2: method stands in indicators_of_the_plan\.csv and in the YAML"):
        generated(project)


def test_an_indicator_has_a_settled_a_provisional_and_a_status_column() -> None:
    model = yaml.load(generated(ROOT)[marts.MARTS / "three_gaps" / "three_gaps.yml"], yaml.CSafeLoader)["models"][0]
    columns = {column["name"]: column for column in model["columns"]}
    shows = {name: column["config"]["meta"]["shows"] for name, column in columns.items() if "config" in column}
    assert {name for name in shows if name.startswith("o_1")} == {"o_1", "o_1_provisional", "o_1_status"}
    settled = {name for name, shown in shows.items() if shown == "final"}
    assert shows == {
        name + suffix: shown
        for name in settled
        for suffix, shown in (("", "final"), ("_provisional", "provisional"), ("_status", "status"))
    }
    assert {"area_name_zh", "area_name_en", "parent_name_zh", "parent_name_en"} <= columns.keys()


def test_a_total_may_stand_beside_its_parts() -> None:
    """Of earnings after exit those compare that had no work before; the total has the bases of those in post in it."""
    model = yaml.load(generated(ROOT)[marts.MARTS / "three_gaps" / "three_gaps.yml"], yaml.CSafeLoader)["models"][0]
    cells = {
        column["name"]: (column["config"]["meta"]["breakdown"], column["config"]["meta"]["breakdown_value"])
        for column in model["columns"]
        if column["name"].startswith("o_3") and column["config"]["meta"]["shows"] == "final"
    }
    assert cells == {
        "o_3": ("total", "total"),
        "o_3_not_employed": ("at_entry", "not_employed"),
        "o_3_employed_other": ("at_entry", "employed_other"),
        "o_3_incumbent": ("at_entry", "incumbent"),
    }
    (total,) = (column["description"] for column in model["columns"] if column["name"] == "o_3")
    assert "·合计(元)" in total


def test_a_mart_without_an_indicator_is_not_served_until_its_first(project: Path) -> None:
    def is_served(mart: str) -> bool:
        text = generated(project)[marts.MARTS / mart / f"{mart}.yml"]
        served: bool = yaml.load(text, yaml.CSafeLoader)["models"][0]["config"]["meta"]["served"]
        return served

    folder = project / marts.MARTS / "action_3_thriving_villages"
    for built in folder.glob("ind_*.yml"):
        built.unlink()
    assert not is_served("action_3_thriving_villages")
    model = {"name": "ind_m11_1", "config": {"meta": {"indicator": "M11-1", "method": "count"}}}
    (folder / "ind_m11_1.yml").write_text(yaml.safe_dump({"models": [model]}), encoding="utf-8")
    assert is_served("action_3_thriving_villages")


def outside_the_marks(text: str) -> list[str]:
    return re.split(f"# {connections.BEGIN}|# {connections.END}", text)[::2]


def test_a_file_without_its_marks_is_not_written_over(project: Path) -> None:
    path = project / connections.COMPOSE
    path.write_text(path.read_text(encoding="utf-8").replace(f"# {connections.END}", "# end"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"docker-compose\.yml has not the two lines"):
        generated(project)


def test_a_file_whose_marks_stand_crosswise_is_not_written_over(project: Path) -> None:
    path = project / connections.DATABASES
    text = path.read_text(encoding="utf-8")
    swapped = text.replace(connections.BEGIN, "x").replace(connections.END, connections.BEGIN)
    path.write_text(swapped.replace("# x", f"# {connections.END}"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"10-databases\.sh has not the two lines"):
        generated(project)


@pytest.mark.parametrize("name", ["hrss/stg_hrss__by_hand.sql", "hrss/_hrss__models.yml", "notes.md"])
def test_nothing_is_added_to_staging_by_hand(project: Path, name: str) -> None:
    path = staging.FOLDER / name
    (project / path).write_text("select 1", encoding="utf-8")
    assert outdated(project) == [path]


def test_a_model_that_was_edited_by_hand_is_seen(project: Path) -> None:
    path = staging.FOLDER / "hrss" / "stg_hrss__certificates.sql"
    text = (project / path).read_text(encoding="utf-8")
    (project / path).write_text(text.replace("not _withdrawn", "not _withdrawn and sex = 'F'"), encoding="utf-8")
    assert outdated(project) == [path]


def test_the_command_names_what_is_not_current(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("THREEGAPS_ROOT", str(project))
    assert command.main(["--check"]) == 0
    (project / "docs" / "catalogue.md").unlink()
    assert command.main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/catalogue.md\n"
    assert command.main([]) == 0
    assert command.main(["--check"]) == 0


@pytest.mark.parametrize("contract", [*CONTRACTS, load_contract(NEWCOMER)], ids=lambda contract: contract.feed)
def test_staging_has_names_types_and_texts_of_the_raw_table(contract: Contract) -> None:
    sql, document = staged(contract)
    raw = {column.name: (column.sql_type, column.comment) for column in raw_columns(contract)}
    table = document["sources"][0]["tables"][0]
    assert {c["name"]: (c["data_type"], c["description"]) for c in table["columns"]} == raw
    model = document["models"][0]
    assert {c["name"]: (c["data_type"], c["description"]) for c in model["columns"]} == {
        column.name: raw[column.name] for column in staged_columns(contract)
    }
    selected = [line.strip(" ,") for line in sql.split("select\n")[1].split("from ")[0].splitlines()]
    assert selected == [column["name"] for column in model["columns"]]
    assert model["config"]["contract"] == {"enforced": True}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.feed)
def test_keys_are_tested(contract: Contract) -> None:
    model = staged(contract)[1]["models"][0]
    assert model["data_tests"] == [{"key": {"arguments": {"columns": list(raw_key(contract))}}}]
    assert not any("data_tests" in column for column in model["columns"])


def test_registration_is_not_called_residence() -> None:
    """BAC301 is where a household is registered; where people live (AAC301) is another column."""
    for feed in ("hrss/employment_registrations", "hrss/training_enrollments"):
        columns = next(one for one in CONTRACTS if one.feed == feed).by_name
        registration, residence = columns["registration_county_code"], columns["residence_county_code"]
        assert "户籍" in registration.description_zh
        assert "BAC301" in registration.description_en
        assert "常住地" in residence.description_zh
        assert "AAC301" in residence.description_en


def test_short_code_lists_stand_in_the_text_and_long_ones_in_the_catalogue() -> None:
    wages = next(one for one in CONTRACTS if one.feed == "hrss/wage_records")
    texts = {column.name: column.comment for column in raw_columns(wages)}
    assert texts["payment_type"] == "缴费类型(01正常缴费,02补缴) | Kind of payment"
    assert texts["industry_code"] == "行业门类 | Industry section of GB/T 4754"
    page = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert "C 制造业" in page


def page_of(path: Path) -> str:
    pages = catalogue.render([(load_contract(path), read_document(path, path.read_bytes()))], [], [], [], {})
    return next(iter(pages.values()))


def test_the_catalogue_says_whose_it_is_and_under_which_law() -> None:
    page = page_of(NEWCOMER)
    for said in (
        "- 咨询 ask: `data-duty-desk` · 责任岗位 posts: `hrss.data_steward`, `hrss.system_operator`",
        "- 合法依据 legal basis: 《浙江省公共数据条例》；《政务数据共享条例》(国务院令第809号)",
        "- 共享属性 sharing: 无条件共享 · 开放属性 opening: 不开放",
        "- 保存期限 kept: 24 months（原始资料至少保存二年）",
        "DB33/T 2351—2021",
        "| `county_code_valid` | accuracy | refuse |",
    ):
        assert said in page, said


def test_the_catalogue_dates_headers_and_lists_layouts(tmp_path: Path) -> None:
    text = NEWCOMER.read_text(encoding="utf-8")
    text = text.replace(
        'headers, value: ["摊位数"]',
        "headers, value: [{header: 摊位, validTo: 2026-03-31}, {header: 摊位数, validFrom: 2026-04-01}]",
    )
    layout = '{name: town, files: "skill_fairs.*", without: [fair_name], headers: {fair_id: [编号]}, encoding: gb18030}'
    text = text.replace('      encoding: "utf-8"\n', f'      encoding: "utf-8"\n      layouts: [{layout}]\n')
    path = tmp_path / NEWCOMER.name
    path.write_text(text, encoding="utf-8")
    page = page_of(path)
    assert "| `stalls` | 摊位（–2026-03-31）；摊位数（2026-04-01–） |" in page
    assert "| town | `skill_fairs.*` | `fair_id` 编号 | `fair_name` | encoding `gb18030` |" in page


def test_the_options_page_has_every_option_and_every_kind_of_rule() -> None:
    page = next(iter(options.render().values()))
    sections = re.findall(r"^### (.+)$", page, re.MULTILINE)
    assert len(set(sections)) == len(sections)
    assert {expectation for expectation in KINDS if f"| `{expectation}` |" not in page} == set()
    for said in (
        "### csv format (kind: csv)",
        "| `encoding` | text | required |",
        "| `pageSize` | whole number | required | How many rows are asked for at once. |",
        "| `firstPage` | `0`, `1` | `1` |",
        "| `proof` | [`two_reads`](#two-reads-kind-two_reads) or [`snapshot`]",
        "| `validFrom` | day, as 2026-06-30 |  | The first day of deliveries that have it;",
    ):
        assert said in page, said
    assert not re.search(r"<class|typing\.|ForwardRef|pydantic", page)


def test_what_an_option_is_for_is_said() -> None:
    """Only a key whose name says it all may stand without a meaning."""
    page = next(iter(options.render().values()))
    rows = re.findall(r"^\| `\w+` \| .* \| (.*) \|$", page, re.MULTILINE)
    assert sum(bool(meaning.strip()) for meaning in rows) / len(rows) > 0.6


def test_the_page_of_revisions_says_when_each_figure_is_settled_and_why() -> None:
    built = [row for row in marts.indicator_catalogue(ROOT) if row["is_built"] == "true"]
    carried = {row["indicator_code"]: "" for row in built}
    page = catalogue.render([], marts.read_seed(ROOT, "seed_action"), built, [], carried)[catalogue.PATH]
    section = page.split("## Revisions 修订")[1]
    for row in built:
        line = f"| [{row['indicator_code']}](#{row['indicator_code'].lower()}) | {row['name_zh']} |"
        assert line in section
        assert row["settles_zh"] in section
        assert row["settles_en"] in section
    assert "marts.indicator_revision" in section
