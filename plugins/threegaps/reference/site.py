"""The reference as a static site: every page and asset by its path, all links relative so that it opens from a file."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from threegaps.contracts.labels import mark_en, mark_zh, platform_en, platform_zh
from threegaps.generate.catalogue import feed_page, merged_targets, revisions_page
from threegaps.labels import OF_THE_CATALOGUE, STATUTORY_MARKS, VALUE_STATUSES, labelled
from threegaps.reference.full_width import full_width_page
from threegaps.reference.live import Live
from threegaps.reference.subjects import Feed, Measure, Row, Subjects
from threegaps.release.target_text import target_text

_TEMPLATES = Path(__file__).with_name("templates")
_ASSETS = ("style.css", "search.js")
_ROLES = {"leads": ("牵头", "leads"), "carries": ("承担", "carries"), "compiles": ("编制", "compiles")}


@dataclass(frozen=True, slots=True)
class View:
    """What is asked first and is no indicator of its own: the relations and the page that have it."""

    name_zh: str
    name_en: str
    meaning_zh: str
    meaning_en: str
    relations: tuple[str, ...]
    page: str = ""


_VIEWS = {
    "P-1": View(
        "完成率与应达完成率之差",
        "Progress against what is due",
        "有目标的各指标的完成率减按时间应达的完成率(百分点),负数为落后",
        "of every figure with a target: progress less what is due by then, in points; negative is behind",
        ("marts.indicator_named", "progress_gap"),
    ),
    "P-8": View(
        "各地报送数与统计数对照",
        "Reported beside counted",
        "各地报送或公布的数与本系统统计数对照及差数,报送数逐条带日期和来源",
        "what counties and cities report beside what is counted here, with the difference, each with day and source",
        ("marts.indicator_reported", "seed_reported_figure"),
    ),
    "P-10": View(
        "修订",
        "Revisions",
        "定稿以后变过的数和各指标的修订率",
        "figures that changed after they were final, and the rates of each indicator",
        ("marts.indicator_revision", "marts.indicator_revision_rate"),
        "revisions.html",
    ),
}
"""By their codes; the other codes of these questions are indicators."""


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the search index; *words* are looked in, and not shown."""

    path: str
    title_zh: str
    title_en: str
    kind: str
    words: str = ""


def render(subjects: Subjects, *, day: dt.date, live: Live | None = None) -> dict[Path, str]:
    """Every file of the site, by its path below the site's folder.

    Args:
        subjects: What it speaks of.
        day: The day on which it is made: forms that had expired by then are warned of. Pages that are read later warn
            by themselves of those that expire meanwhile.
        live: What the release that serves says of the indicators; left out, the pages say how it is had.
    """
    return dict(_Site(subjects, day, live).files())


class _Site:
    def __init__(self, subjects: Subjects, day: dt.date, live: Live | None) -> None:
        self.subjects = subjects
        self.live = live
        self.found: list[Found] = []
        self.environment = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self.environment.filters["feed_path"] = _feed_path
        self.environment.filters["breakable"] = _breakable
        self.environment.globals |= {"subjects": subjects, "roles": _ROLES, "named": self._named, "labelled": labelled}
        self.environment.globals |= {
            "of_the_catalogue": OF_THE_CATALOGUE, "statutory_marks": STATUTORY_MARKS, "value_statuses": VALUE_STATUSES,
        }  # fmt: skip
        self.environment.globals |= {"day": day, "live": live, "mark_zh": mark_zh, "mark_en": mark_en}
        self.environment.globals |= {"platform_zh": platform_zh, "platform_en": platform_en}
        self.environment.globals["target_text"] = target_text

    def files(self) -> Iterator[tuple[Path, str]]:
        yield from self._indicators()
        yield from self._feeds()
        yield from self._measures()
        yield from self._departments()
        yield from self._platforms()
        yield from self._asked_first()
        yield self._page("matrix.html", "matrix.html", "措施与指标总表", "Measures and indicators", rows=self.matrix)
        yield self._page("index.html", "index.html", "三大差距指标手册", "ThreeGaps reference", rows=self.matrix)
        for asset in _ASSETS:
            yield Path(asset), (_TEMPLATES / asset).read_text(encoding="utf-8")
        index = [[one.path, one.title_zh, one.title_en, one.kind, one.words] for one in self.found]
        yield Path("search-index.js"), f"var SEARCH_INDEX = {json.dumps(index, ensure_ascii=False)};\n"

    def _indicators(self) -> Iterator[tuple[Path, str]]:
        subjects = self.subjects
        methods = {row["method"]: row for row in subjects.seed("seed_method")}
        actions = {row["action_code"]: row for row in subjects.seed("seed_action")}
        breakdowns = {row["breakdown"]: row for row in subjects.seed("seed_breakdown")}
        by_breakdown = subjects.seed("seed_indicator_breakdown")
        targets = subjects.seed("seed_target")
        units = {row["unit_zh"]: row["unit_en"] for row in subjects.seed("seed_unit")}
        bases = {row["area_basis"]: row["name_zh"] for row in subjects.seed("seed_area_basis")}
        areas = {row["area_code"]: row["name_zh"] for row in subjects.seed("seed_area")}
        parts = {
            (row["breakdown"], row["breakdown_value"]): row["name_zh"] for row in subjects.seed("seed_breakdown_value")
        }
        for row in subjects.indicators:
            code = row["indicator_code"]
            own = dict.fromkeys(one["breakdown"] for one in by_breakdown if one["indicator_code"] == code)
            yield self._page(
                f"indicators/{code}.html",
                "indicator.html",
                f"{code} {row['name_zh']}",
                row["name_en"],
                kind="指标 indicator",
                row=row,
                action=actions.get(row["action_code"], {"name_zh": row["action_code"], "name_en": ""}),
                method=methods[row["method"]],
                definition=subjects.definitions.get(code),
                lineage=subjects.lineages.get(code),
                forms=subjects.forms_of(row),
                marks={contract.feed: contract.statutory_mark for contract in subjects.contracts},
                coverage=self.live.coverage.get(code, ()) if self.live else (),
                revisions=self.live.revisions.get(code, ()) if self.live else (),
                breakdowns=[breakdowns[name] for name in own if name in breakdowns],
                basis=bases[row["area_basis"]],
                areas=areas,
                parts=parts,
                targets=merged_targets([target for target in targets if target["indicator_code"] == code]),
                units=units,
                carriers=subjects.carriers[code],
            )

    def _feeds(self) -> Iterator[tuple[Path, str]]:
        for feed in self.subjects.feeds:
            contract = feed.contract
            users = [row for row in self.subjects.indicators if contract.feed in self.subjects.feeds_of(row)]
            # Heading and title stand above already.
            body = "\n".join(list(feed_page(contract, feed.document))[4:])
            yield self._page(
                f"feeds/{_feed_path(contract.feed)}.html",
                "feed.html",
                contract.title_zh,
                contract.title_en,
                kind="数据源 feed",
                words=" ".join([contract.feed, *(column.name for column in contract.columns)]),
                contract=contract,
                body=_html(body),
                users=users,
                departments=self._departments_of(feed),
            )

    def _measures(self) -> Iterator[tuple[Path, str]]:
        for measure in self.subjects.measures:
            yield self._page(
                f"measures/{measure.number}.html",
                "measure.html",
                f"措施{measure.number} {measure.row['name_zh']}",
                measure.row["name_en"],
                kind="措施 measure",
                measure=measure,
                indicators=self._indicators_of(measure),
            )

    def _departments(self) -> Iterator[tuple[Path, str]]:
        subjects = self.subjects
        plan, signing = subjects.signatories
        for code, department in subjects.departments.items():
            yield self._page(
                f"departments/{code}.html",
                "department.html",
                department["name_zh"],
                department["name_en"],
                kind="部门 department",
                department=department,
                signs=plan if department in signing else None,
                measures=[
                    (measure, one) for measure in subjects.measures for one in measure.carriers
                    if one.department_code == code
                ],
                feeds=[feed for feed in subjects.feeds if department in self._departments_of(feed)],
                indicators=[row for row in subjects.indicators if code in self._current_carriers(row)],
            )  # fmt: skip

    def _platforms(self) -> Iterator[tuple[Path, str]]:
        for code, (platform, contracts) in self.subjects.platforms.items():
            own = {contract.feed for contract in contracts}
            yield self._page(
                f"platforms/{code}.html",
                "platform.html",
                platform.name_zh,
                platform.name_en,
                kind="平台 platform",
                platform=platform,
                contracts=contracts,
                indicators=[row for row in self.subjects.indicators if own & set(self.subjects.feeds_of(row))],
            )

    def _asked_first(self) -> Iterator[tuple[Path, str]]:
        """What is asked before all else, and the page of what is final and what was revised."""
        asked = {row["indicator_code"]: row for row in self.subjects.indicators if row["action_code"] == "P"}
        entries: dict[str, Any] = {**asked, **_VIEWS}
        for code, view in _VIEWS.items():
            title, words = f"{code} {view.name_zh}", " ".join(view.relations)
            self.found.append(Found(view.page or "asked.html", title, view.name_en, "先问先看 asked first", words))
        yield self._page(
            "asked.html",
            "asked.html",
            "先问先看",
            "Asked first",
            kind="说明 page",
            entries=sorted(entries.items(), key=lambda entry: _number_of(entry[0])),
        )
        lines = revisions_page(self.subjects.indicators, lambda code: f"indicators/{code}.html")
        yield self._page(
            "revisions.html",
            "revisions.html",
            "定稿与修订",
            "Final and revised",
            kind="说明 page",
            words="history.indicator_value marts.indicator_revision marts.indicator_revision_rate",
            # Heading stands above already.
            body=_html("\n".join(list(lines)[2:])),
        )

    @cached_property
    def matrix(self) -> list[tuple[Measure | None, list[Row]]]:
        """Each measure with its indicators; last those of no measure."""
        rows: list[tuple[Measure | None, list[Row]]] = [
            (measure, self._indicators_of(measure)) for measure in self.subjects.measures
        ]
        return [*rows, (None, [row for row in self.subjects.indicators if not row["measure"]])]

    def _indicators_of(self, measure: Measure) -> list[Row]:
        return [row for row in self.subjects.indicators if measure.number in self.subjects.measure_numbers(row)]

    def _departments_of(self, feed: Feed) -> list[Row]:
        codes = self.subjects.departments_named_in(feed.contract.owner_zh)
        return [self.subjects.departments[code] for code in codes]

    def _current_carriers(self, indicator: Row) -> set[str]:
        return {one.department_code for one in self.subjects.carriers[indicator["indicator_code"]] if one.is_current}

    def _named(self, feed: str) -> str:
        return next(one.title_zh for one in self.subjects.contracts if one.feed == feed)

    def _page(
        self, path: str, template: str, title_zh: str, title_en: str, *, kind: str = "", words: str = "", **values: Any
    ) -> tuple[Path, str]:
        if kind:
            self.found.append(Found(path, title_zh, title_en, kind, words))
        text = self.environment.get_template(template).render(
            title_zh=title_zh, title_en=title_en, up="../" * path.count("/"), **values
        )
        return Path(path), full_width_page(text)


def _html(markdown: str) -> Markup:
    """Made from contracts and seeds, which are ours; markdown-it leaves HTML in them as text."""
    return Markup(MarkdownIt("commonmark").enable("table").render(markdown))  # noqa: S704


def _number_of(code: str) -> tuple[int, str]:
    """P-2a stands behind P-2 and before P-10."""
    number = code.removeprefix("P-").rstrip("ab")
    return int(number), code


def _breakable(name: str) -> Markup:
    """A name that may be broken behind a slash or an underscore, and nowhere else."""
    return Markup("{}").format(name).replace("/", Markup("/<wbr>")).replace("_", Markup("_<wbr>"))


def _feed_path(feed: str) -> str:
    return feed.replace("/", "-")


def left_over(folder: Path, files: Sequence[Path]) -> list[Path]:
    """Files below *folder* that the site no longer has."""
    kept = set(files)
    return [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder) not in kept]
