"""education/rural_teaching (送教入乡与技能竞赛): the activities of a school term, CSV in GB18030.

How many took part is said as schools say it: 64, 近700, 60余.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, terms
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    full_width,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import not_refused, spoil
from sandbox.feeds.model import Consignment, Due, Feed, File, Scene, Sftp
from sandbox.feeds.texts import county_code, day, said
from sandbox.writers.csv_file import CsvLayout, write_csv

NAME = "education/rural_teaching"
LAYOUT = CsvLayout(
    {
        "activity_id": "活动编号", "activity_kind": "活动类别", "county_code": "活动地行政区划代码",
        "held_on": "活动日期", "provider_type": "承办机构类型", "participants": "参加人数",
        "teacher_entries": "教师参赛数", "student_entries": "学生参赛数",
    },
    encoding="gb18030", line_end="\r\n", quoted=True,
)  # fmt: skip
TEACHING, CONTEST = "01", "02"
A_TERM_IN_PROVINCE, LEAST_A_TERM = 6_000, 400
SHARE_CONTESTS = 0.15


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    teaching = pl.col("activity_kind") == TEACHING
    plain = pl.col("participants").str.contains(r"^\d+$")
    return [
        *county_kinds("county_code"),
        *date_kinds("held_on"),
        required_kind("activity_id"),
        required_kind("county_code"),
        Kind("activity_id_pattern", ("activity_id_pattern",), each_text("activity_id", lambda text: text[:-1]), ANY),
        code_kind("activity_kind", "09"),
        code_kind("provider_type", "07"),
        Kind("participants_no_number", ("participants_type",), put(participants="若干"), teaching),
        Kind("participants_beyond_bound", ("participants_range",), put(participants="700000"), teaching),
        Kind("participants_missing", ("participants_required",), put(participants=""), teaching),
        Kind("participants_full_width", (), full_width("participants"), plain, 1, "full_width"),
        Kind("entries_missing", ("student_entries_required",), put(student_entries=""), ~teaching, 3),
        Kind("entries_no_number", ("teacher_entries_type",), put(teacher_entries="多"), ~teaching, 3),
        *missing_word_kinds("teacher_entries"),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind(
            "conflicting_duplicate", ("key_unique",), put(participants="77"), filled("participants"), 2, "", "conflict"
        ),
    ]


def activities(scene: Scene, term: Span, order: int) -> pl.DataFrame:
    """The activities of a term, typed; `bound` is what stands beside `participants` when they are said."""
    rng = scene.stream(NAME, 1, order)
    area = areas.load()
    number = max(round(A_TERM_IN_PROVINCE * scene.parameters.scale), LEAST_A_TERM)
    # Where many live in villages there is more of it; each county has some.
    weight = 0.6 * area.weight * area.rural_share / (area.weight * area.rural_share).sum() + 0.4 / len(area.codes)
    is_contest = rng.random(number) < SHARE_CONTESTS
    held = np.datetime64(term.first) + rng.integers(0, (term.last - term.first).days + 1, number)
    return pl.DataFrame(
        {
            "serial": np.arange(1, number + 1),
            "activity_kind": np.where(is_contest, CONTEST, TEACHING),
            "county": rng.choice(len(area.codes), number, p=weight),
            "held_on": held,
            "provider_type": rng.choice(np.array(["01", "02", "03", "04"]), number, p=[0.6, 0.3, 0.06, 0.04]),
            "participants": np.round(np.exp(rng.normal(4.2, 0.7, number))).astype(int) + 8,
            "bound": rng.choice(np.array(["", "近", "余"]), number, p=[0.72, 0.14, 0.14]),
            "teacher_entries": rng.integers(0, 12, number),
            "student_entries": rng.integers(2, 60, number),
        }
    ).with_columns(
        pl.when(~pl.Series(is_contest)).then("participants").alias("participants"),
        pl.when(pl.Series(is_contest)).then(pl.col("teacher_entries", "student_entries")),
    )


def rows(frame: pl.DataFrame, term: Span) -> pl.DataFrame:
    """Activities as the department writes them."""
    return frame.select(
        activity_id=pl.format(f"SJ{term.last:%Y%m}{{}}", pl.col("serial").cast(pl.String).str.zfill(6)),
        activity_kind="activity_kind",
        county_code=county_code("county"),
        held_on=day("held_on"),
        provider_type="provider_type",
        participants=said(pl.col("participants"), pl.col("bound")).fill_null(""),
        teacher_entries=pl.col("teacher_entries").cast(pl.String).fill_null(""),
        student_entries=pl.col("student_entries").cast(pl.String).fill_null(""),
        _serial="serial",
    )


def make(scene: Scene) -> Iterator[Consignment]:
    """Term after term the activities held in it."""
    accepted = []
    for order, term in enumerate(terms(scene.horizon)):
        held = activities(scene, term, order)
        spoilt = spoil(rows(held, term), kinds(), scene.parameters.dirt, scene.stream(NAME, order))
        accepted.append(not_refused(held, spoilt, "serial").with_columns(reported_on=pl.lit(term.last)))
        yield Consignment(Due(term.last, term.key), spoilt, _files(term))
    scene.accepted[NAME] = pl.concat(accepted)


def _files(term: Span) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        path = f"rural_teaching/rural_teaching_{term.key}.csv"
        return [File(path, lambda target: write_csv(rows, target, LAYOUT), pl.col("activity_id"))]

    return files


FEED = Feed(NAME, Sftp(), make, lambda last: [Due(term.last, term.key) for term in terms(last)])
