"""The reference site: whole, linked within itself, and made of data alone."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import pytest

from threegaps.generate import plan_departments
from threegaps.generate.lineage import Model, lineage_of
from threegaps.labels import OF_THE_CATALOGUE
from threegaps.reference.full_width import full_width, full_width_page
from threegaps.reference.live import Live
from threegaps.reference.site import left_over, render
from threegaps.reference.subjects import Subjects
from threegaps.settings import Settings

ROOT = Settings.load().root
HALF_WIDTH = str.maketrans("\uff0c\uff1b\uff1a\uff08\uff09", ",;:()")


@pytest.fixture(scope="module")
def subjects() -> Subjects:
    return Subjects(ROOT)


@pytest.fixture(scope="module")
def site(subjects: Subjects) -> dict[Path, str]:
    return render(subjects, day=dt.date(2026, 6, 30))


class Links(HTMLParser):
    """The addresses that a page names, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if name in {"href", "src"} and value]

    def handle_data(self, data: str) -> None:
        # pages show in full width what seeds write half-width
        self.text += data.translate(HALF_WIDTH)


def test_every_link_leads_to_a_page_of_the_site_and_nothing_is_loaded_from_outside(site: dict[Path, str]) -> None:
    there = {PurePosixPath(path) for path in site}
    for path, page in site.items():
        if path.suffix != ".html":
            continue
        for address in Links(page).addresses:
            assert "://" not in address, f"{path}: {address}"
            parts = list(PurePosixPath(path).parent.parts)
            for step in PurePosixPath(address.partition("#")[0]).parts:
                if step == "..":
                    parts.pop()
                else:
                    parts.append(step)
            assert PurePosixPath(*parts) in there, f"{path}: {address}"


def test_every_subject_has_a_page(site: dict[Path, str], subjects: Subjects) -> None:
    wanted = {f"indicators/{row['indicator_code']}.html" for row in subjects.indicators}
    wanted |= {f"feeds/{contract.feed.replace('/', '-')}.html" for contract in subjects.contracts}
    wanted |= {f"measures/{number}.html" for number in range(1, 22)}
    wanted |= {f"departments/{code}.html" for code in subjects.departments}
    wanted |= {f"platforms/{code}.html" for code in subjects.platforms}
    pages = {path.as_posix() for path in site if path.suffix == ".html"}
    assert pages == wanted | {"index.html", "matrix.html", "asked.html", "revisions.html"}


def test_every_indicator_is_asked_for_as_it_is_served(site: dict[Path, str], subjects: Subjects) -> None:
    """Not all have the province, a whole or the year 2025: the command names an area and a part that there is."""
    levels = {row["area_code"]: row["area_level"] for row in subjects.seed("seed_area")}
    known = {(row["breakdown"], row["breakdown_value"]) for row in subjects.seed("seed_breakdown_value")}
    served = {(row["indicator_code"], row["breakdown"]) for row in subjects.seed("seed_indicator_breakdown")}
    for row in subjects.indicators:
        code = row["indicator_code"]
        command, area, period, *part = subjects.question(row).removeprefix("threegaps explain ").split()
        assert (command, period) == (code, "latest")
        assert levels[area] in row["levels"].split(",")
        breakdown, _, value = (part[1] if part else "total=total").partition("=")
        assert (breakdown, value) in known, code
        assert (code, breakdown) in served or code not in {one for one, _ in served}, code
        page = site[Path(f"indicators/{code}.html")]
        assert row["is_built"] != "true" or f"<code>{subjects.question(row)}</code>" in page


def test_a_page_says_which_version_of_the_plan_it_speaks_of_and_which_came_after(
    site: dict[Path, str], subjects: Subjects
) -> None:
    assert [row["plan_version"] for row in subjects.plan_versions] == ["draft-2025-05", "final-2025-07"]
    for path in ("index.html", "matrix.html", "indicators/M08-1.html", "measures/8.html"):
        text = Links(site[Path(path)]).text
        for said in ("征求意见稿(2025-05-27)", "正式文件(全文未收录)于2025-07-15印发", "issued on 2025-07-15"):
            assert said in text, path


def test_the_search_knows_views_feeds_and_columns(site: dict[Path, str], subjects: Subjects) -> None:
    index = json.loads(site[Path("search-index.js")].removeprefix("var SEARCH_INDEX = ").rstrip(";\n"))

    def found(*words: str) -> set[str]:
        return {line[0] for line in index if all(word in " ".join(line[1:]) for word in words)}

    assert found("P-1", "progress_gap") == {"asked.html"}
    assert found("P-8") == found("indicator_reported") == {"asked.html"}
    assert found("修订") == {"revisions.html"}
    assert found("hrss/wage_records") == found("wage_cny_month") == {"feeds/hrss-wage_records.html"}
    assert {line[0] for line in index} <= {path.as_posix() for path in site}
    assert len({line[1] for line in index}) == len(index)


def test_what_differs_in_the_type_of_period_alone_is_one_target(site: dict[Path, str]) -> None:
    text = " ".join(Links(site[Path("indicators/M08-1.html")]).text.split())
    assert text.count("10,000家") == 1
    assert "季 quarter、年 year10,000家" in text
    assert "≤1.9倍" in Links(site[Path("indicators/G1-1.html")]).text


def test_a_settled_figure_gives_the_day_of_its_feed_as_reason(subjects: Subjects) -> None:
    due = {contract.feed: contract.due_day for contract in subjects.contracts}
    checked = 0
    for row in subjects.indicators:
        for day in re.findall(r"季后(\d+)日前", row["settles_zh"]):
            days = {due[feed] for feed in row["horizon_feeds"].split(",")}
            assert days == {f"the {day}th after the quarter"}, row["indicator_code"]
            assert f"the {day}th" in row["settles_en"]
            checked += 1
        if re.search("登记[^,]*(补录|录入)", row["settles_zh"]):
            assert "登记与注销在次月补录" in row["settles_zh"], row["indicator_code"]
    assert checked > 5


@pytest.mark.parametrize(
    ("half", "full"),
    [
        ("期末,按年;注:甲(乙)", "期末\uff0c按年\uff1b注\uff1a甲\uff08乙\uff09"),
        ("超过80%,另列(甲)(2025-05-27)", "超过80%\uff0c另列\uff08甲\uff09\uff082025-05-27\uff09"),
        ("Workshops (美丽工坊), of 1,000; 2:1", "Workshops (美丽工坊), of 1,000; 2:1"),
    ],
)
def test_chinese_has_the_punctuation_of_chinese(half: str, full: str) -> None:
    assert full_width(half) == full
    assert full_width_page(f'<a title="{half}">{half}</a><code>{half}</code>') == (
        f'<a title="{half}">{full}</a><code>{half}</code>'
    )


def test_a_page_says_what_its_indicator_is_in_both_languages(site: dict[Path, str], subjects: Subjects) -> None:
    for row in subjects.indicators:
        text = Links(site[Path(f"indicators/{row['indicator_code']}.html")]).text
        for name in ("name_zh", "name_en", "source_clause", "caveat_zh"):
            assert row[name] in text, f"{row['indicator_code']}: {name}"
        assert ("已建成" in text) == (row["is_built"] == "true")
    assert set(subjects.definitions) == {
        row["indicator_code"] for row in subjects.indicators if row["is_built"] == "true"
    }
    for code, definition in subjects.definitions.items():
        assert definition.zh, code
        assert definition.en.isascii() or definition.en[0].isascii(), f"{code}: the second part is the English one"
        assert definition.source, f"{code}: no source"


def test_a_platform_of_the_plan_lists_its_feeds_and_what_is_made_of_them(
    site: dict[Path, str], subjects: Subjects
) -> None:
    for code, (platform, contracts) in subjects.platforms.items():
        page = Links(site[Path(f"platforms/{code}.html")])
        assert contracts, code
        assert f"../platforms/{code}.html" in Links(site[Path(f"feeds/{_path(contracts[0].feed)}.html")]).addresses
        for contract in contracts:
            assert f"../feeds/{_path(contract.feed)}.html" in page.addresses
        assert "../indicators/M01-4.html" in page.addresses, code
        assert platform.clause_zh in page.text


def _path(feed: str) -> str:
    return feed.replace("/", "-")


def test_an_indicator_leads_down_to_the_columns_of_contracts(subjects: Subjects) -> None:
    lineage = subjects.lineages["M07-1"]
    assert lineage.models[0] == "ind_m07_1"
    assert {"issued_on", "certificate_number", "revoked_on"} <= set(lineage.columns["hrss/certificates"])
    # what was received at first stands in the ledger, which is no feed
    assert {code for code, one in subjects.lineages.items() if not one.columns and not one.seeds} == {"M05-2"}
    for code, one in subjects.lineages.items():
        assert all(one.columns.values()), f"{code} takes no column of a feed that it reads"


def test_a_column_counts_only_where_a_model_on_the_way_names_it(subjects: Subjects) -> None:
    contract = next(one for one in subjects.contracts if one.feed == "hrss/skill_enterprises")
    models = {
        "ind_x": Model("ind_x", ("fct_x",), frozenset({"uscc", "employees"})),
        "fct_x": Model("fct_x", ("stg_hrss__skill_enterprises", "seed_y"), frozenset({"uscc", "recognised_on"})),
        "stg_hrss__skill_enterprises": Model("stg_hrss__skill_enterprises", (), frozenset({"status"})),
    }
    found = lineage_of("ind_x", models, [contract])
    assert (found.models, found.seeds) == (("ind_x", "fct_x"), ("seed_y",))
    assert set(found.columns) == {contract.feed}
    assert set(found.columns[contract.feed]) == {"uscc", "recognised_on"}


def test_every_measure_has_its_departments_and_every_feed_a_department(subjects: Subjects) -> None:
    assert [measure.number for measure in subjects.measures] == [str(number) for number in range(1, 22)]
    assert all(measure.carriers for measure in subjects.measures)
    assert len(subjects.signatories[1]) == 20
    for contract in subjects.contracts:
        assert subjects.departments_named_in(contract.owner_zh), contract.feed


def test_every_code_has_a_label(subjects: Subjects) -> None:
    for kind, labels in OF_THE_CATALOGUE.items():
        used = {code.strip() for row in subjects.indicators for code in row[kind].split(",")} - {""}
        assert used <= set(labels), f"{kind}: {used - set(labels)}"
    known = {row["area_basis"] for row in subjects.seed("seed_area_basis")}
    assert {row["area_basis"] for row in subjects.indicators} <= known


def append(root: Path, seed: str, **row: str) -> None:
    path = root / "dbt_project" / "seeds" / f"{seed}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        names = csv.DictReader(file).fieldnames or []
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, names, restval="", lineterminator="\n").writerow(row)


def test_a_later_version_of_the_plan_needs_rows_alone(tmp_path: Path) -> None:
    """A measure that is titled anew, a department that carries it instead, and one more that signs."""
    shutil.copytree(ROOT / "dbt_project" / "seeds", tmp_path / "dbt_project" / "seeds")
    for path in ("dbt_project/models", "dbt_project/indicators_of_the_plan.csv", "expectations"):
        (tmp_path / path).symlink_to(ROOT / path)
    version = {"plan_version": "amended-2027"}
    append(tmp_path, "seed_plan_version", **version, title_zh="修订稿", issued_on="2027-01-01", is_in_force="true",
           status_zh="正式文件", status_en="in force")  # fmt: skip
    append(tmp_path, "seed_plan_measure", **version, measure="16", action_code="A4", name_zh="新题", name_en="anew")
    append(tmp_path, "seed_plan_department", **version, measure="16", department_code="finance", role="leads")
    append(tmp_path, "seed_plan_department", **version, department_code="organisation", role="signs")
    before, after = Subjects(ROOT), Subjects(tmp_path)
    assert after.measures[15].row["name_zh"] == "新题"
    assert [(one.department_code, one.role) for one in after.measures[15].carriers] == [("finance", "leads")]
    assert after.measures[14].row == before.measures[14].row
    assert [row["department_code"] for row in after.signatories[1]] == ["organisation"]
    # so do its indicators, in the marts' seed, in the table of all and on the departments' pages; others keep theirs
    of_measure = {row["indicator_code"] for row in before.indicators if row["measure"] == "16"}
    marts = list(
        csv.DictReader(plan_departments.render(tmp_path, after.indicators)[plan_departments.PATH].splitlines())
    )
    assert {
        row["indicator_code"] for row in marts if row["department_code"] == "finance" and row["role"] == "leads"
    } == (of_measure)
    assert before.carriers["M12-4"][0].department_code == after.carriers["M12-4"][0].department_code == "women"
    pages = render(after, day=dt.date(2027, 1, 1))
    for code in of_measure:
        assert f"../indicators/{code}.html" in Links(pages[Path("departments/finance.html")]).addresses
        assert f"../indicators/{code}.html" not in Links(pages[Path("departments/sasac.html")]).addresses
        assert "省财政厅(牵头)" in Links(pages[Path(f"indicators/{code}.html")]).text
    rows = pages[Path("matrix.html")].split("<tr>")
    assert all("省财政厅</a>(牵头)" in row for row in rows if ">M16-" in row)


def test_who_stands_in_the_draft_alone_and_did_not_sign_carries_nothing(
    site: dict[Path, str], subjects: Subjects
) -> None:
    signing = {row["department_code"] for row in subjects.signatories[1]}
    drafted = {"organisation", "youth_league", "industry_commerce"}
    assert not drafted & signing
    former = {code for code, carriers in subjects.carriers.items() if any(not one.is_current for one in carriers)}
    assert former == {"M12-1", "M12-2", "M12-2a", "M12-3", "M21-1", "M21-2", "M21-3", "M21-4", "P-5", "P-5a"}
    for carriers in subjects.carriers.values():
        assert all(one.is_current == (one.department_code not in drafted) for one in carriers)
    for code in drafted:
        page = Links(site[Path(f"departments/{code}.html")])
        assert not any("indicators/" in address for address in page.addresses), code
        assert "未联合印发现行文件" in page.text


def test_a_draft_takes_nothing_from_the_version_in_force() -> None:
    plans = {
        "final": {"plan_version": "final", "issued_on": "2025-07-15", "is_in_force": "true"},
        "draft": {"plan_version": "draft", "issued_on": "2026-01-01", "is_in_force": "false"},
    }
    row = {"measure": "1", "indicator_code": "", "role": "carries"}
    named = [{**row, "plan_version": "final", "department_code": "hrss"},
             {**row, "plan_version": "draft", "department_code": "finance"},
             {**row, "measure": "", "plan_version": "final", "department_code": "hrss", "role": "signs"}]  # fmt: skip
    departments = {code: {"is_collective": "false"} for code in ("hrss", "finance")}
    carried = plan_departments.PlanDepartments(named, plans, departments)
    assert [one.department_code for one in carried.of_measure("1")] == ["hrss"]
    nobody = {"indicator_code": "X-1", "measure": "", "departments_of_measure": ""}
    with pytest.raises(ValueError, match="X-1"):
        carried.of_indicator(nobody)


def test_a_page_that_is_no_longer_made_is_found(tmp_path: Path) -> None:
    for name in ("index.html", "indicators/M99-9.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert left_over(tmp_path, [Path("index.html")]) == [tmp_path / "indicators/M99-9.html"]


def test_an_expired_form_warns_on_every_page_that_uses_it_and_on_no_other(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "expectations", tmp_path / "expectations")
    (tmp_path / "dbt_project").symlink_to(ROOT / "dbt_project")
    path = tmp_path / "expectations" / "statistics" / "resident_income.odcs.yaml"
    text = path.read_text(encoding="utf-8")
    for example, real in (
        ('"2027-12-31"', '"2026-03-31"'), ("示例表号(未查得)", "甲1表"), ("示例文号(未查得)", "某统制〔2025〕1号"),
        ("isExample: true", 'sourceZh: "表头"'),
    ):  # fmt: skip
        assert example in text
        text = text.replace(example, real)
    path.write_text(text, encoding="utf-8")
    subjects = Subjects(tmp_path)
    users = {row["indicator_code"] for row in subjects.indicators if path.name[:15] in str(subjects.feeds_of(row))}
    assert len(users) > 3
    for day, is_expired in ((dt.date(2026, 3, 31), False), (dt.date(2026, 4, 1), True)):
        pages = render(subjects, day=day)
        warned = {
            page.as_posix() for page, text in pages.items()
            if 'data-valid-until="2026-03-31">' in text and page.suffix == ".html"
        }  # fmt: skip
        wanted = {f"indicators/{code}.html" for code in users} | {"feeds/statistics-resident_income.html"}
        assert warned == (wanted if is_expired else set())
        # hidden until the reader's own day is past it
        assert all('data-valid-until="2026-03-31" hidden' in pages[Path(page)] for page in wanted - warned)


def test_a_page_shows_what_the_release_covers_or_how_to_have_it(subjects: Subjects, site: dict[Path, str]) -> None:
    assert "没有可连的发布" in site[Path("indicators/M07-1.html")]
    cells = {"cells": 90, "shown": 81, "percent": "90.0", "suppressed": 9, "immature": 0, "not_supplied": 0,
             "not_applicable": 0, "first_period": "2024", "last_period": "2025", "last_shown": "2025"}  # fmt: skip
    live = Live(
        release_id=7,
        as_of=dt.date(2026, 6, 30),
        released_at=dt.datetime(2026, 7, 1, tzinfo=dt.UTC),
        is_synthetic=True,
        is_demonstration=False,
        coverage={"M07-1": [{"area_level": "county", "period_type": "year", **cells}]},
        revisions={"M07-1": [{"area_level": "province", "period_type": "year", "figures": 40, "revised": 2,
                              "percent": "5.00", "largest_relative": "0.1200"}]},
    )  # fmt: skip
    pages = render(subjects, day=dt.date(2026, 6, 30), live=live)
    text = " ".join(Links(pages[Path("indicators/M07-1.html")]).text.split())
    for said in ("第7次发布", "合成数据", "81 / 90", "90.0 %", "隐去 suppressed 9", "5.00 %", "0.1200 %"):
        assert said in text
    assert "未到观察期" not in text
    assert "没有它的数" in pages[Path("indicators/M08-1.html")]
    assert "没有可连的发布" not in text
