"""What follows from the indicators' models and their catalogue: what is built, the union, the wide marts.

An indicator is built when it has a model, ``models/marts/*/ind_<code>.yml``; its ``meta.catalogue`` says what its row
of ``indicators_of_the_plan.csv`` leaves empty, or the whole row of one that the plan does not call for. Of both
``seeds/seed_indicator.csv`` is made; nothing stands in two places.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import yaml

from threegaps.labels import AREA_LEVELS, MATURITIES, PERIOD_TYPES, VALUE_STATUSES, coded_zh

SEEDS = Path("dbt_project") / "seeds"
MARTS = Path("dbt_project") / "models" / "marts"
PLAN = Path("dbt_project") / "indicators_of_the_plan.csv"

Row = Mapping[str, str]

_AREA_COLUMNS = (
    ("area_code", "text", "地区代码 | area"),
    (
        "area_level",
        "text",
        f"地区层级({coded_zh(AREA_LEVELS)}) | level of the area",
    ),
    ("area_name_zh", "text", "地区名称 | name of the area"),
    ("area_name_en", "text", "地区英文名称 | name of the area in English"),
    ("parent_name_zh", "text", "上级地区名称(县为其设区市) | the area that it lies in: of a county its city"),
    ("parent_name_en", "text", "上级地区英文名称 | the area that it lies in, in English"),
    ("period_type", "text", f"期别({coded_zh(PERIOD_TYPES)}) | type of period"),
    ("period_start", "date", "期初 | first day of the period"),
    ("period_end", "date", "期末 | last day of the period"),
    ("period_label", "text", "期的写法(2026-06、2026Q2、2026年上半年、2026) | label of the period"),
)
_WHY_MISSING = ("suppressed", "immature", "not_supplied", "not_applicable")
# What the columns of an indicator show of its cell: ending of the name, type, and what is said of it.
_SHOWN = {
    "final": ("", "numeric(20,4)", ",定稿值;为空时原因见同名 _status 列", ", settled; else see its _status"),
    "provisional": (
        "_provisional",
        "numeric(20,4)",
        ",暂定值,以后还会变,不与定稿值相比",
        ", provisional: it will still change, and does not compare with settled values",
    ),
    "status": (
        "_status",
        "text",
        f":取值状态({coded_zh(MATURITIES)},{coded_zh(VALUE_STATUSES, *_WHY_MISSING)},not_computed不按此地区或期别计算)",
        ": final, provisional, or why there is no value; not_computed: not for such areas or periods",
    ),
}
# What an indicator that the plan does not call for must say of itself, and what holds where it does not.
_NEEDED = frozenset({
    "action_code", "measure", "name_zh", "name_en", "formula_zh", "formula_en", "method", "unit_zh", "unit_scale",
    "direction", "area_basis", "period_types", "levels", "source_clause", "audience", "disclosure",
})  # fmt: skip
_UNLESS_SAID = {"wide_breakdown": "total", "wide_breakdown_values": "total"}
_WIDE_KEY = "[area_code, period_type, period_end]"
_LAST_COLUMN = ("data_as_of", "date", "数据截至日(各列中最晚者) | data as of, the latest of the columns")


def render(root: Path) -> dict[Path, str]:
    """Every file of the project at *root* that follows from its indicators, by its path below *root*.

    Raises:
        ValueError: A model's indicator has no row in the catalogue and its YAML does not say what one needs, its YAML
            names a column that the catalogue does not have, or a part that a wide mart shows has no name.
    """
    indicators = indicator_catalogue(root)
    actions = read_seed(root, "seed_action")
    part_names = _part_names(root)
    files = {
        SEEDS / "seed_indicator.csv": seed_text(indicators),
        MARTS / "indicator_base.sql": _indicator_base(indicators),
    }
    for mart in dict.fromkeys(action["mart"] for action in actions):
        files[MARTS / mart / f"{mart}.yml"] = _wide_mart(mart, actions, indicators, part_names)
        files[MARTS / mart / f"{mart}.sql"] = "{{ wide_mart() }}\n"
    return files


def read_seed(root: Path, name: str) -> list[dict[str, str]]:
    """The rows of a seed of the dbt project below *root*."""
    return _rows(root / SEEDS / f"{name}.csv")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def indicator_catalogue(root: Path) -> list[dict[str, str]]:
    """The rows of ``seed_indicator``, with what the models say of themselves.

    Raises:
        ValueError: See `render`.
    """
    rows = _rows(root / PLAN)
    slices = _slices(root)
    for code in sorted(slices.keys() - {row["indicator_code"] for row in rows}):
        _insert(rows, code, slices[code])
    for row in rows:
        meta = slices.get(row["indicator_code"])
        for name, value in (meta or {}).get("catalogue", {}).items():
            if name not in row:
                raise ValueError(f"{row['indicator_code']}: the catalogue has no column {name}")
            if row[name] not in {"", _UNLESS_SAID.get(name)}:
                raise ValueError(f"{row['indicator_code']}: {name} stands in {PLAN.name} and in the YAML of its model")
            row[name] = str(value)
        row["is_built"] = "false" if meta is None else "true"
    return rows


def _insert(rows: list[dict[str, str]], code: str, meta: dict[str, Any]) -> None:
    """A row for an indicator of one's own: behind that which it stands beside (M05-3a, M05-3), else its measure's.

    Its model says all that it must hold.
    """
    missing = _NEEDED - meta.get("catalogue", {}).keys()
    if missing:
        raise ValueError(f"no row in {PLAN.name} for {code}, whose YAML leaves out {', '.join(sorted(missing))}")
    row = dict.fromkeys(rows[0], "") | {"indicator_code": code, **_UNLESS_SAID}
    first, stem = code.rstrip(ascii_lowercase), code.rpartition("-")[0]
    codes = list(enumerate((other["indicator_code"] for other in rows), 1))
    beside = [place for place, other in codes if first != code and other.rstrip(ascii_lowercase) == first]
    places = beside or [place for place, other in codes if other.rpartition("-")[0] == stem]
    rows.insert(places[-1] if places else len(rows), row)


def _slices(root: Path) -> dict[str, dict[str, Any]]:
    """The meta of every indicator slice, by the indicator's code."""
    metas: dict[str, dict[str, Any]] = {}
    for path in sorted((root / MARTS).glob("*/ind_*.yml")):
        for model in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["models"]:
            meta = model["config"]["meta"]
            metas[meta["indicator"]] = {**meta, "model": model["name"]}
    return metas


def indicator_models(root: Path) -> dict[str, str]:
    """The model of each indicator that is built, by the indicator's code."""
    return {code: str(meta["model"]) for code, meta in _slices(root).items()}


def seed_text(rows: list[dict[str, str]]) -> str:
    """The rows of a seed as its file."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _model_name(code: str) -> str:
    return code.lower().replace("-", "_")


def _indicator_base(indicators: Iterable[Row]) -> str:
    """The union of all indicator slices, as SQL."""
    parts = [
        f"select\n    {{{{ base_columns() }}}}\nfrom {{{{ ref('ind_{_model_name(row['indicator_code'])}') }}}}"
        for row in indicators
        if row["is_built"] == "true"
    ]
    return "{{ config(materialized='view') }}\n\n" + "\n\nunion all\n\n".join(parts) + "\n"


def _column(name: str, data_type: str, description: str, meta: dict[str, str] | None = None) -> list[str]:
    lines = [
        f"      - name: {name}",
        f"        data_type: {data_type}",
        f"        description: {json.dumps(description, ensure_ascii=False)}",
    ]
    if meta:
        lines += [
            "        config:",
            "          meta:",
            *(f'            {key}: "{value}"' for key, value in meta.items()),
        ]
    return lines


Part = tuple[str, str]
"""A breakdown and its value."""


def _part_names(root: Path) -> dict[Part, tuple[str, str]]:
    """Names of the parts, in Chinese and in English."""
    return {
        (row["breakdown"], row["breakdown_value"]): (row["name_zh"], row["name_en"])
        for row in read_seed(root, "seed_breakdown_value")
    }


def _indicator_columns(row: Row, part_names: Mapping[Part, tuple[str, str]]) -> list[str]:
    lines: list[str] = []
    values = row["wide_breakdown_values"].split(",")
    for value in values:
        # the total may stand before the parts of a breakdown
        is_total = value == "total"
        name = _model_name(row["indicator_code"]) + ("" if is_total else f"_{value.lower()}")
        part = ("total" if is_total else row["wide_breakdown"], value)
        if part not in part_names:
            raise ValueError(f"{row['indicator_code']}: seed_breakdown_value.csv has no row for {' '.join(part)}")
        name_zh, name_en = part_names[part] if len(values) > 1 else ("", "")
        label_zh = row["name_zh"] + (f"·{name_zh}" if name_zh else "")
        label_en = row["name_en"] + (f", {name_en}" if name_en else "")
        # Where the departments are synthetic, the table says so, and its columns which figures are not.
        published = "【真实公布数 published】" if row["method"] == "published" else ""
        for shows, (suffix, data_type, zh, en) in _SHOWN.items():
            unit = "" if shows == "status" else f"({row['unit_zh']})"
            lines += _column(
                name + suffix,
                data_type,
                f"{row['indicator_code']} {label_zh}{unit}{zh} | {label_en}{en}{published}",
                {
                    "indicator_code": row["indicator_code"],
                    "breakdown": part[0],
                    "breakdown_value": value,
                    "shows": shows,
                },
            )
    return lines


def _wide_mart(
    mart: str, actions: Iterable[Row], indicators: Iterable[Row], part_names: Mapping[Part, tuple[str, str]]
) -> str:
    """The YAML of one wide mart: its contract, its key and, in the meta of each column, the cell it shows."""
    own = [action for action in actions if action["mart"] == mart]
    codes = {action["action_code"] for action in own}
    shown = [
        line
        for row in indicators
        if row["is_built"] == "true" and row["audience"] != "internal" and row["action_code"] in codes
        for line in _indicator_columns(row, part_names)
    ]
    title_zh = "、".join(action["name_zh"] for action in own)
    title_en = "; ".join(action["name_en"] for action in own)
    description = (
        f"宽表:{title_zh}。一行一地区一期;一指标三列:定稿值、暂定值、取值状态;分组指标一组三列;"
        "月、季、年等期别同在一表,作图先选定期别"
        f" | wide mart: {title_en}; one row per area and period, three columns per indicator: settled, provisional,"
        " status; types of periods stand side by side: choose one"
    )
    lines = [
        "# Written by `make docs` from seeds/seed_indicator.csv; do not edit.",
        "version: 2",
        "",
        "models:",
        f"  - name: {mart}",
        f"    description: {json.dumps(description, ensure_ascii=False)}",
        "    config:",
        f"      access: {'public' if shown else 'protected'}",
        "      contract: {enforced: true}",
        "      meta:",
        # Without an indicator there is nothing to read; the first that is built has it served.
        f"        served: {'true' if shown else 'false'}",
        f"        action: {mart}",
        f"        key: {_WIDE_KEY}",
        "        indexes: [[period_type, period_end, area_level]]",
        "        row_policy: county",
        "        audience: public",
        "        synthetic_in_sandbox: true",
        "    constraints:",
        f"      - {{type: primary_key, columns: {_WIDE_KEY}}}",
        "    columns:",
    ]
    for name, data_type, text in _AREA_COLUMNS:
        lines += _column(name, data_type, text)
    lines += shown
    lines += _column(*_LAST_COLUMN)
    return "\n".join(lines) + "\n"
