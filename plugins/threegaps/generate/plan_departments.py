"""Which departments carry a measure and an indicator, by the plan in force: the seed ``seed_indicator_department``.

The versions of the plan are dated rows (``seed_plan_version``, ``seed_plan_department``): what a version in force says
takes the place of what a draft said, a newer one that of an older one, and no indicator names a department itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from threegaps.generate.marts import SEEDS, read_seed, seed_text

Row = Mapping[str, str]

PATH = SEEDS / "seed_indicator_department.csv"
SIGNS = "signs"
_OF_THE_PLAN = frozenset({"leads", "carries"})
_ROLES = ("leads", "carries", "compiles", SIGNS)


@dataclass(frozen=True, slots=True)
class Carrier:
    """A department that carries a measure or an indicator.

    Args:
        department_code: The department.
        role: ``leads`` or ``carries`` a measure, or ``compiles`` the figures of what the plan gives to nobody.
        plan_version: The version of the plan that says so.
        is_current: Whether it carries it still: not where it signed no later version of the plan.
    """

    department_code: str
    role: str
    plan_version: str
    is_current: bool


def precedence(plan: Row) -> tuple[bool, str]:
    """By which versions of the plan are ordered, the one that holds last: in force or not, then by their day."""
    return plan["is_in_force"] == "true", plan["issued_on"]


def measure_numbers(indicator: Row) -> tuple[str, ...]:
    """The measures that an indicator belongs to; none for the gaps and what was added."""
    return tuple(part for part in indicator["measure"].replace("、", ",").split(",") if part)


class PlanDepartments:
    """Who carries what.

    Args:
        named: Rows of ``seed_plan_department``.
        plans: Versions of the plan by their code.
        departments: Departments by their code.
    """

    def __init__(self, named: Sequence[Row], plans: Mapping[str, Row], departments: Mapping[str, Row]) -> None:
        self.named = named
        self.plans = plans
        self.departments = departments

    def signatories(self) -> tuple[Row, tuple[str, ...]]:
        """The version of the plan that holds among those that say who signs, and these."""
        rows = [row for row in self.named if row["role"] == SIGNS]
        version = self._newest(rows)
        return self.plans[version], tuple(row["department_code"] for row in rows if row["plan_version"] == version)

    def of_measure(self, number: str) -> tuple[Carrier, ...]:
        """Who carries a measure."""
        return self._carriers([row for row in self.named if row["measure"] == number])

    def of_indicator(self, indicator: Row) -> tuple[Carrier, ...]:
        """Who carries an indicator: its measures' departments, unless the same version names some for it alone.

        Raises:
            ValueError: Nobody carries it.
        """
        code = indicator["indicator_code"]
        measures = [indicator["departments_of_measure"]] if indicator["departments_of_measure"] else []
        measures = measures or list(measure_numbers(indicator))
        own = [row for row in self.named if row["indicator_code"] == code]
        shared = [row for row in self.named if row["measure"] in measures]
        if not own and not shared:
            raise ValueError(f"{code}: no version of the plan in seed_plan_department.csv says who carries it")
        version = self._newest([*own, *shared])
        is_own = any(row["plan_version"] == version for row in own)
        return self._carriers(own if is_own else shared)

    def _carriers(self, rows: Sequence[Row]) -> tuple[Carrier, ...]:
        if not rows:
            return ()
        version = self._newest(rows)
        found = {row["department_code"]: row["role"] for row in rows if row["plan_version"] == version}
        return tuple(
            Carrier(code, role, version, self._is_current(code, role, version)) for code, role in found.items()
        )

    def _is_current(self, code: str, role: str, version: str) -> bool:
        signed, signing = self.signatories()
        is_later = precedence(signed) > precedence(self.plans[version])
        is_collective = self.departments[code]["is_collective"] == "true"
        return not is_later or role not in _OF_THE_PLAN or is_collective or code in signing

    def _newest(self, rows: Iterable[Row]) -> str:
        return max((row["plan_version"] for row in rows), key=lambda version: precedence(self.plans[version]))


def plan_departments(root: Path) -> PlanDepartments:
    """Who carries what, by the seeds of the project at *root*.

    Raises:
        ValueError: A row names a plan, a department or a role that there is not, or a plan's day or force is none.
    """
    versions = read_seed(root, "seed_plan_version")
    named = read_seed(root, "seed_plan_department")
    plans = {row["plan_version"]: row for row in versions}
    departments = {row["department_code"]: row for row in read_seed(root, "seed_department")}
    _check("seed_plan_version", versions, _VERSION_CHECKS)
    _check("seed_plan_department", named, {
        "plan_version": (plans.__contains__, "write a version of seed_plan_version.csv, or add it there first"),
        "department_code": (departments.__contains__, "write a code of seed_department.csv, or add it there first"),
        "role": (_ROLES.__contains__, f"write one of {', '.join(_ROLES)}"),
    })  # fmt: skip
    return PlanDepartments(named, plans, departments)


def _check(seed: str, rows: Iterable[Row], checks: Mapping[str, tuple[Callable[[str], bool], str]]) -> None:
    """Refuse the first value that is none of its column's.

    Args:
        seed: Its name, for the message.
        rows: Its rows.
        checks: By the column: whether a value may stand there, and what to write instead.
    """
    for line, row in enumerate(rows, 2):
        for column, (is_right, advice) in checks.items():
            # A row that ends early has no value.
            value = row[column] or ""
            if not is_right(value):
                raise ValueError(f"{seed}.csv, row {line}: {column} is {value!r}: {advice}")


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_VERSION_CHECKS = {
    "issued_on": (_is_day, "write a day like 2025-05-31"),
    "is_in_force": (("true", "false").__contains__, "write true or false"),
}


def render(root: Path, indicators: Iterable[Row]) -> dict[Path, str]:
    """The seed of the project at *root*, by its path below it.

    Args:
        root: The project's folder.
        indicators: Rows of the catalogue of indicators.

    Raises:
        ValueError: Nobody carries one of them; or see `plan_departments`.
    """
    carried = plan_departments(root)
    rows = [
        {
            "indicator_code": indicator["indicator_code"],
            "position": str(position),
            "department_code": carrier.department_code,
            "department_zh": carried.departments[carrier.department_code]["name_zh"],
            "role": carrier.role,
            "plan_version": carrier.plan_version,
            "is_current": "true" if carrier.is_current else "false",
        }
        for indicator in indicators
        for position, carrier in enumerate(carried.of_indicator(indicator), 1)
    ]
    return {PATH: seed_text(rows)}


def in_words(carriers: Iterable[Carrier], departments: Mapping[str, Row]) -> str:
    """Those who carry something still, in Chinese, as ``dim_indicator`` has them."""
    return ";".join(
        departments[one.department_code]["name_zh"] + ("(牵头)" if one.role == "leads" else "")
        for one in carriers
        if one.is_current
    )
