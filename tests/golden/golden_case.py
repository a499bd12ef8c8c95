"""Golden cases: rows in the core facts and the cells of one indicator that a person worked out from them by hand.

The format is described in README.md beside this file. Everything here only reads and checks the case files; nothing
computes an expected value.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from threegaps.standards.areas import codes_in_force, successor

CASES_FOLDER = Path(__file__).parent / "cases"
WORLDS_FOLDER = Path(__file__).parent / "worlds"
# What a row has where the case does not say otherwise; every other column of the table is null.
ROW_DEFAULTS: dict[str, dict[str, Any]] = {
    "fct_training": {
        "residence_area_code": "UNK",
        "registration_area_code": "UNK",
        "registration_kind": "1",
        "handling_area_code": "UNK",
        "is_online": False,
        "is_order_based": False,
        "provider_type": "03",
        "ends_in_assessment": False,
        "status": "02",
    },
    "fct_sector_training": {
        "department": "省建设厅",
        "residence_area_code": "UNK",
        "handling_area_code": "UNK",
        "status": "02",
        "is_subsidised": True,
    },
    "fct_employment_spell": {
        "employer_code": "E1",
        "residence_area_code": "UNK",
        "registration_area_code": "UNK",
        "registration_kind": "1",
        "employer_type": "01",
        "industry_code": "C",
        "is_insured": True,
    },
    "fct_certificate": {
        "certificate_type": "01",
        "issuer_kind": "S",
        "is_revoked": False,
        "is_direct_recognition": False,
        "route": "01",
        "residence_area_code": "UNK",
    },
    "fct_employment_service": {"service_kind": "01"},
    "fct_technician_enrollment": {
        "origin_area_code": "UNK",
        "class_type": "01",
        "entrant_type": "01",
        "is_intake": True,
        "status": "01",
    },
    "fct_job_vacancy": {"status": "1"},
    "fct_subsidy_payment": {},
    "fct_wage": {
        "employer_code": "E1",
        "industry_code": "C",
        "scheme": "110",
        "payment_type": "01",
        "base_limit": "0",
    },
    "fct_skill_enterprise": {"recognition_round": "1", "status": "已认定"},
    "fct_skill_ecosystem": {},
    "fct_skill_chain": {},
    "fct_ecosystem_member": {},
    "dim_cluster_enterprise": {"is_chain_leader": True},
    "fct_assessment_body": {"status": "1"},
    "fct_skill_village": {"recognition_round": "第1批", "status": "已认定"},
    "fct_special_ability_item": {},
    "fct_rural_teaching": {"activity_kind": "01", "provider_type": "01", "participants_bound": "exact"},
    "fct_overseas_programme": {"staff_kind": "当地员工"},
    "fct_beautiful_workshop": {},
    "fct_prosperity_workshop": {"kind": "来料加工式", "is_running": True},
    "fct_resident_income": {"definition": "integrated", "basis": "printed"},
    "fct_collective_agreement": {"scope": "区域性", "is_skill_grade": True},
    "fct_incentive_plan": {"covers_high_skilled": True, "members": 50},
    "fct_state_enterprise_year": {"owner_level": "county", "in_scope": True, "has_skill_sequence": False},
    "fct_skill_finance": {"product": "01", "borrower_kind": "01"},
    "fct_demand_forecast": {"scope": "县域"},
    "fct_guide_channel": {"channel_kind": "政府网站"},
    "fct_technician_project": {"project_kind": "01", "status": "01"},
    "dim_technician_programme": {"is_new_occupation": False, "is_new_manufacturing": False, "is_digital": False},
    "dim_vocational_programme": {
        "is_new_occupation": False,
        "is_new_manufacturing": False,
        "is_digital": False,
        "is_rural_industry": False,
    },
    "dim_directory_entry": {"directory_kind": "01"},
    "dim_industry_college": {"kind": "01"},
    "dim_affected_enterprise": {},
    "dim_place": {"place_kind": "2"},
    "fct_apprenticeship": {"entrant_type": "01", "status": "01"},
    "dim_training_site": {"status": "1"},
    "fct_competition": {"contest_level": "02", "host_kind": "02"},
    "fct_competition_entry": {"contest_level": "02", "entrant_area_code": "UNK"},
    "fct_competition_result": {"kind": "教学标准"},
    "fct_dual_certificate": {"is_known_certificate": True},
    "fct_certificate_equivalence": {"issue_area_code": "339900"},
    "fct_leading_talent": {"honour": "全国技术能手", "honour_level": "国家级"},
    "fct_title_award": {"title_level": "3", "route": "01", "is_green_channel": False, "outcome": "1"},
    "fct_published_figure": {
        "source_url": "a",
        "as_of_printed": "2018-12",
        "value_bound": "exact",
        "is_conflicting": False,
    },
    "fct_skill_fund": {"spent_bound": "exact"},
    "fct_first_submission": {},
}
TABLES_OF_PERSONS = (
    "fct_training", "fct_sector_training", "fct_employment_spell", "fct_certificate", "fct_wage", "fct_apprenticeship",
    "fct_competition_entry", "fct_leading_talent", "fct_title_award",
    "fct_employment_service", "fct_technician_enrollment",
)  # fmt: skip
# The skill order of level codes: 5 is the lowest of the eight grades that have certificates, S the highest.
LEVEL_RANKS = {"5": 1, "4": 2, "3": 3, "2": 4, "1": 5, "T": 6, "S": 7}
NUMBERS = ("numerator", "denominator", "value", "n_persons", "target_value", "target_progress", "change_on_year")
FACT_KEYS = ("maturity", "value_status", "status", *NUMBERS)
CELL_KEYS = ("areas", "period", "breakdown", "breakdown_value", "shown", "said_before", *FACT_KEYS)
SHOWN_NUMBERS = ("numerator", "denominator", "value")
SHOWN_KEYS = (*SHOWN_NUMBERS, "text")
CELL_DEFAULTS: dict[str, str] = {
    "breakdown": "total",
    "breakdown_value": "total",
    "maturity": "final",
    "value_status": "reported",
    "status": "no_target",
}
ANY = "any"
Rows = dict[str, tuple[dict[str, Any], ...]]
"""Fixture rows by core table."""
Facts = dict[str, Decimal | str | None]
"""What a cell must say, by column."""
_PERSONS = re.compile(r"^(?P<stem>[a-z]+)(?:(?P<one>\d+)|\[(?P<first>\d+)-(?P<last>\d+)\])$")
_PERIODS = (
    ("month", re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")),
    ("quarter", re.compile(r"^\d{4}Q[1-4]$")),
    ("ytd", re.compile(r"^\d{4}年(1月|一季度|上半年|前三季度|1—(2|4|5|7|8|10|11)月)$")),
    ("year", re.compile(r"^\d{4}$")),
    ("day", re.compile(r"^截至\d{4}年\d{1,2}月(底|\d{1,2}日)$")),
)


class CaseError(Exception):
    """A case file that breaks the format, with the file and the place in it."""


@dataclass(frozen=True, slots=True)
class ExpectedCell:
    """One cell that must come out; the numbers are exact, None means null and `any` is not compared.

    What a reader sees of it stands in `shown`, where the case says it: parts and value after disclosure, and the text
    that a report prints. `said_before` is the value that was shown before a correction, where there was one.
    """

    area_code: str
    period_label: str
    breakdown: str
    breakdown_value: str
    facts: Facts
    shown: Facts | None
    said_before: Decimal | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Area, period, breakdown and its value."""
        return self.area_code, self.period_label, self.breakdown, self.breakdown_value


@dataclass(frozen=True, slots=True)
class World:
    """Fixture rows by core table that the cases of several indicators share."""

    name: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class Case:
    """One case file: its world, rows of its own, the periods that belong to it, and all cells in these periods."""

    indicator: str
    path: Path
    world: World | None
    periods: tuple[str, ...]
    rows: Rows
    expected: tuple[ExpectedCell, ...]
    # What every other area has in each period, where the indicator has a cell for each: nothing is zero there.
    elsewhere: dict[str, Facts]


def load_world(path: Path) -> World:
    """Reads and checks one file of a world; raises CaseError saying file, place and fault."""
    content = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    if not isinstance(content, dict):
        raise CaseError(f"{path.name}: a world is a mapping with the keys world and rows.")
    _check_keys(path, "world", content, allowed=("world", "rows"), needed=("world", "rows"))
    name = str(content["world"])
    if path.stem != name:
        raise CaseError(f"{path.name}: the world {name} belongs in {name}.yml.")
    return World(name, _rows(path, f"world {name}", content["rows"]))


def load_case(path: Path, worlds: Path = WORLDS_FOLDER) -> Case:
    """Reads and checks one case file and its world; raises CaseError saying file, place and fault."""
    content = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    if not isinstance(content, dict):
        raise CaseError(f"{path.name}: a case is a mapping with the keys indicator, periods, rows, expected.")
    needed = ("indicator", "periods", "expected")
    _check_keys(path, "case", content, allowed=(*needed, "world", "rows", "elsewhere"), needed=needed)
    indicator = str(content["indicator"])
    if path.stem != indicator.lower():
        raise CaseError(f"{path.name}: the case of {indicator} belongs in {indicator.lower()}.yml.")
    periods = tuple(_period(path, "periods", entry) for entry in content["periods"])
    world = _world(path, content.get("world"), worlds)
    # A person of a world is the same one in the case's own rows.
    owner = indicator if world is None else f"world {world.name}"
    rows = _rows(path, owner, content.get("rows") or {}, beside=indicator)
    cells: list[ExpectedCell] = []
    for position, entry in enumerate(content["expected"], start=1):
        cells.extend(_cells(path, f"expected[{position}]", entry, periods))
    keys = [cell.key for cell in cells]
    for key in keys:
        if keys.count(key) > 1:
            raise CaseError(f"{path.name}: the cell {key} is expected twice.")
    elsewhere = _elsewhere(path, content.get("elsewhere"), periods)
    return Case(indicator, path, world, periods, rows, tuple(cells), elsewhere)


def load_cases(folder: Path = CASES_FOLDER) -> tuple[Case, ...]:
    """All cases of a folder, sorted by file; raises CaseError at the first that breaks the format."""
    return tuple(load_case(path) for path in sorted(folder.glob("*.yml")))


def all_rows(cases: Iterable[Case]) -> tuple[Rows, ...]:
    """The rows of each world that *cases* name, once, and those of each case."""
    cases = tuple(cases)
    worlds = {case.world.name: case.world for case in cases if case.world is not None}
    return (*(world.rows for world in worlds.values()), *(case.rows for case in cases))


def _world(path: Path, name: object, folder: Path) -> World | None:
    if name is None:
        return None
    file = folder / f"{name}.yml"
    if not file.is_file():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.yml"))) or "none"
        raise CaseError(f"{path.name}: world: there is no world '{name}'; known: {known}.")
    return load_world(file)


def _check_keys(
    path: Path, place: str, entry: dict[str, Any], *, allowed: tuple[str, ...], needed: tuple[str, ...] = ()
) -> None:
    for key in entry:
        if key not in allowed:
            raise CaseError(f"{path.name}: {place}: unknown key '{key}'; allowed: {', '.join(allowed)}.")
    for key in needed:
        if key not in entry:
            raise CaseError(f"{path.name}: {place}: the key '{key}' is missing.")


def _period(path: Path, place: str, entry: object) -> str:
    label = str(entry)
    if not any(pattern.match(label) for _, pattern in _PERIODS):
        raise CaseError(f"{path.name}: {place}: '{label}' is no period; write 2016-03, 2016Q1, 2016年上半年 or 2016.")
    return label


def _persons(path: Path, place: str, entry: object) -> list[str]:
    match = _PERSONS.match(str(entry))
    if not match:
        raise CaseError(f"{path.name}: {place}: person '{entry}' is neither like a3 nor like a[1-12].")
    if match["one"]:
        return [str(entry)]
    return [f"{match['stem']}{number}" for number in range(int(match["first"]), int(match["last"]) + 1)]


def _rows(path: Path, owner: str, tables: dict[str, Any], *, beside: str = "") -> Rows:
    """Spreads out rows; persons are *owner*'s, identifiers those of *beside* where the rows stand beside a world's."""
    result: Rows = {}
    for table, entries in tables.items():
        if table not in ROW_DEFAULTS:
            raise CaseError(f"{path.name}: rows: unknown table '{table}'; known: {', '.join(ROW_DEFAULTS)}.")
        made: list[dict[str, Any]] = []
        for position, entry in enumerate(entries, start=1):
            place = f"rows.{table}[{position}]"
            if not isinstance(entry, dict):
                raise CaseError(f"{path.name}: {place}: a row is a mapping of columns.")
            entry = {column: _as_loaded(path, place, value) for column, value in entry.items()}
            if table not in TABLES_OF_PERSONS:
                made.append({**ROW_DEFAULTS[table], **entry})
                continue
            if "person" not in entry:
                raise CaseError(f"{path.name}: {place}: the key 'person' is missing.")
            columns = {key: value for key, value in entry.items() if key != "person"}
            for person in _persons(path, place, entry["person"]):
                row = {**ROW_DEFAULTS[table], **columns}
                row["person_id"] = uuid.uuid5(uuid.NAMESPACE_OID, f"{owner}/{person}")
                made.append(_identified(table, row, f"{beside or owner}/{position:04d}/{person}"))
        result[table] = tuple(made)
    return result


def _as_loaded(path: Path, place: str, value: object) -> object:
    """The county that a load makes of a code as it was sent: `{sent: "330103", day: 2021-04-08}`."""
    if not isinstance(value, dict):
        return value
    _check_keys(path, place, value, allowed=("sent", "day"), needed=("sent", "day"))
    code = str(value["sent"])
    loaded = code if code in codes_in_force() else successor(code, value["day"])
    if loaded is None:
        raise CaseError(f"{path.name}: {place}: a row of {code} is refused, and reaches no indicator.")
    return loaded


def _identified(table: str, row: dict[str, Any], name: str) -> dict[str, Any]:
    """Gives a row the identifiers that a case need not write."""
    if table in ("fct_training", "fct_sector_training", "fct_technician_enrollment"):
        row.setdefault("enrollment_id", name)
        if row.get("completion_date"):
            row.setdefault("start_date", row["completion_date"] - dt.timedelta(days=30))
    if table == "fct_title_award":
        row.setdefault("award_id", name)
    if table == "fct_employment_service":
        row.setdefault("service_id", name)
    if table == "fct_apprenticeship":
        row.setdefault("apprenticeship_id", name)
    if table == "fct_certificate":
        row.setdefault("certificate_number", name)
        row["level_rank"] = LEVEL_RANKS.get(str(row.get("level_code")))
        if row["certificate_type"] != "01":
            row["issuer_kind"] = None
    return row


def _elsewhere(path: Path, entries: Any, periods: tuple[str, ...]) -> dict[str, Facts]:
    """One entry for all periods, or several of which the later ones name theirs."""
    facts: dict[str, Facts] = {}
    for entry in entries if isinstance(entries, list) else [entries] if entries is not None else []:
        _check_keys(path, "elsewhere", entry, allowed=("periods", *FACT_KEYS))
        for label in entry.get("periods", periods):
            if _period(path, "elsewhere", label) not in periods:
                raise CaseError(f"{path.name}: elsewhere: period {label} is not among the periods of the case.")
            facts[str(label)] = _facts(path, "elsewhere", entry)
    return facts


def _cells(path: Path, place: str, entry: object, periods: tuple[str, ...]) -> list[ExpectedCell]:
    if not isinstance(entry, dict):
        raise CaseError(f"{path.name}: {place}: an expected cell is a mapping.")
    _check_keys(path, place, entry, allowed=CELL_KEYS, needed=("areas", "period"))
    # Several periods may share one expectation: the only quarter of a year is also the year.
    labels = entry["period"] if isinstance(entry["period"], list) else [entry["period"]]
    facts = _facts(path, place, entry)
    shown = _shown(path, place, entry.get("shown"))
    said_before = entry.get("said_before")
    if said_before is not None and shown is None:
        raise CaseError(f"{path.name}: {place}: what was said before stands beside what is shown now.")
    cells = []
    for label in (_period(path, place, label) for label in labels):
        if label not in periods:
            raise CaseError(f"{path.name}: {place}: period {label} is not among the periods of the case.")
        cells.extend(
            ExpectedCell(
                str(area),
                label,
                str(entry.get("breakdown", CELL_DEFAULTS["breakdown"])),
                str(entry.get("breakdown_value", CELL_DEFAULTS["breakdown_value"])),
                facts,
                shown,
                None if said_before is None else Decimal(str(said_before)),
            )
            for area in entry["areas"]
        )
    return cells


def _facts(path: Path, place: str, entry: dict[str, Any]) -> Facts:
    facts: Facts = {key: str(entry.get(key, CELL_DEFAULTS[key])) for key in ("maturity", "value_status", "status")}
    for key in NUMBERS:
        facts[key] = _number(path, place, key, entry.get(key, ANY if key == "n_persons" else None))
    return facts


def _shown(path: Path, place: str, entry: Any) -> Facts | None:
    if entry is None:
        return None
    _check_keys(path, f"{place}.shown", entry, allowed=SHOWN_KEYS, needed=("text",))
    numbers = {key: _number(path, f"{place}.shown", key, entry.get(key)) for key in SHOWN_NUMBERS}
    return {**numbers, "text": str(entry["text"])}


def _number(path: Path, place: str, key: str, value: object) -> Decimal | str | None:
    if value is None or value == ANY:
        return None if value is None else ANY
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise CaseError(f"{path.name}: {place}: {key} '{value}' is no number.") from error
