"""What the reference speaks of: indicators, feeds, measures and departments, and how they belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from threegaps.contracts.document import ContractDocument
from threegaps.contracts.loader import load_contracts
from threegaps.contracts.model import Contract
from threegaps.contracts.platforms import PLATFORMS, Platform
from threegaps.generate.files import described_indicators, document_of
from threegaps.generate.lineage import Lineage, lineage_of, read_models
from threegaps.generate.marts import MARTS, read_seed
from threegaps.generate.plan_departments import Carrier, PlanDepartments, measure_numbers, precedence
from threegaps.release.asked import LATEST

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Definition:
    """An indicator's definition in both languages, where it comes from, and the model that computes it."""

    model: str
    zh: str
    en: str
    source: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's contract, as it works and as it is written."""

    contract: Contract
    document: ContractDocument


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of the plan, as the version that holds titles it, and who carries it by the one that says so."""

    number: str
    row: Row
    plan: Row
    carriers: tuple[Carrier, ...]


class Subjects:
    """All that the reference of the project at *root* is made from.

    Args:
        root: The project's folder.

    Raises:
        ContractError: A contract cannot be read.
        ValueError: A model does not fit the catalogue of indicators.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seeds: dict[str, list[dict[str, str]]] = {}

    def seed(self, name: str) -> list[dict[str, str]]:
        """The rows of a seed."""
        if name not in self._seeds:
            self._seeds[name] = read_seed(self.root, name)
        return self._seeds[name]

    @cached_property
    def feeds(self) -> tuple[Feed, ...]:
        """Every feed."""
        contracts = load_contracts(self.root / "expectations")
        return tuple(Feed(contract, document_of(self.root, contract)) for contract in contracts)

    @cached_property
    def contracts(self) -> tuple[Contract, ...]:
        """The contract of every feed."""
        return tuple(feed.contract for feed in self.feeds)

    @cached_property
    def platforms(self) -> dict[str, tuple[Platform, tuple[Contract, ...]]]:
        """The platforms that the plan names, by code, each with the feeds that come from it."""
        found = {}
        for code, platform in PLATFORMS.items():
            own = (one for one in self.contracts if one.source_platform and one.source_platform.name == code)
            found[code] = (platform, tuple(own))
        return found

    @cached_property
    def indicators(self) -> tuple[Row, ...]:
        """The rows of the catalogue, those too that are not built, with the caveats that methods bring."""
        return tuple(described_indicators(self.root))

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """The definitions of the indicators that are built, by code."""
        found = {}
        for path in sorted((self.root / MARTS).glob("*/ind_*.yml")):
            for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
                lines = [line.strip() for line in model["description"].strip().splitlines() if line.strip()]
                source = next((line for line in lines if line.startswith("出处")), "")
                text = [line for line in lines if line != source]
                code = model["config"]["meta"]["indicator"]
                said_by = source.removeprefix("出处 Source: ")
                found[code] = Definition(model["name"], text[0], " ".join(text[1:]), said_by)
        return found

    @cached_property
    def lineages(self) -> dict[str, Lineage]:
        """What each indicator that is built is made of, by code."""
        models = read_models(self.root)
        return {code: lineage_of(one.model, models, self.contracts) for code, one in self.definitions.items()}

    @cached_property
    def plans(self) -> dict[str, Row]:
        """Versions of the plan and other documents that targets come from, by their code, the one that holds last."""
        return {row["plan_version"]: row for row in sorted(self.seed("seed_plan_version"), key=precedence)}

    @cached_property
    def plan_versions(self) -> tuple[Row, ...]:
        """The versions of the action plan itself, which measures or departments are drawn from, the oldest first."""
        titled = {row["plan_version"] for row in self.seed("seed_plan_measure")}
        drawn = titled | {row["plan_version"] for row in self.seed("seed_plan_department")}
        return tuple(row for version, row in self.plans.items() if version in drawn)

    @cached_property
    def titling_versions(self) -> frozenset[str]:
        """Of the versions of the plan those that measures are titled by."""
        return frozenset(measure.row["plan_version"] for measure in self.measures)

    @cached_property
    def departments(self) -> dict[str, Row]:
        """Departments by code."""
        return {row["department_code"]: row for row in self.seed("seed_department")}

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """The plan's measures: what holds of a version's title and departments takes the place of an earlier one's."""
        order = list(self.plans)
        titled = sorted(self.seed("seed_plan_measure"), key=lambda row: order.index(row["plan_version"]))
        rows = {row["measure"]: row for row in titled}
        measures = []
        for number in sorted(rows, key=int):
            carriers = self._carried.of_measure(number)
            version = carriers[0].plan_version if carriers else rows[number]["plan_version"]
            measures.append(Measure(number, rows[number], self.plans[version], carriers))
        return tuple(measures)

    @cached_property
    def _carried(self) -> PlanDepartments:
        return PlanDepartments(self.seed("seed_plan_department"), self.plans, self.departments)

    @cached_property
    def signatories(self) -> tuple[Row, tuple[Row, ...]]:
        """The version of the plan that holds among those that say who signs, and these."""
        plan, signing = self._carried.signatories()
        return plan, tuple(self.departments[code] for code in signing)

    @cached_property
    def carriers(self) -> dict[str, tuple[Carrier, ...]]:
        """Who carries each indicator, by its code."""
        return {row["indicator_code"]: self._carried.of_indicator(row) for row in self.indicators}

    def departments_named_in(self, text: str) -> tuple[str, ...]:
        """Codes of the departments whose name stands in *text*."""
        return tuple(code for code, row in self.departments.items() if row["name_zh"] in text)

    def feeds_of(self, indicator: Row) -> tuple[str, ...]:
        """The feeds that an indicator needs: by its lineage, or none while it is not built."""
        lineage = self.lineages.get(indicator["indicator_code"])
        return () if lineage is None else tuple(lineage.columns)

    def forms_of(self, indicator: Row) -> tuple[Contract, ...]:
        """The feeds of an indicator that are statistical forms."""
        feeds = self.feeds_of(indicator)
        return tuple(contract for contract in self.contracts if contract.feed in feeds and contract.form is not None)

    def question(self, indicator: Row) -> str:
        """The command that explains an indicator's newest figure: of the whole of the province, where there is one."""
        area = "330000"
        if "province" not in indicator["levels"].split(","):
            level = indicator["levels"].split(",")[0]
            area = next(row["area_code"] for row in self.seed("seed_area") if row["area_level"] == level)
        code = indicator["indicator_code"]
        parts = [row for row in self.seed("seed_indicator_breakdown") if row["indicator_code"] == code]
        if not parts or any(row["breakdown"] == "total" for row in parts):
            return f"threegaps explain {code} {area} {LATEST}"
        breakdown, value = parts[0]["breakdown"], parts[0]["breakdown_values"].split(",")[0]
        if value == "any":
            values = (row for row in self.seed("seed_breakdown_value") if row["breakdown"] == breakdown)
            value = next(row["breakdown_value"] for row in values)
        return f"threegaps explain {code} {area} {LATEST} --part {breakdown}={value}"

    def measure_numbers(self, indicator: Row) -> tuple[str, ...]:
        """The measures that an indicator belongs to; none for the gaps and what was added."""
        return measure_numbers(indicator)
