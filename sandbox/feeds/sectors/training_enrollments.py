"""sectors/training_enrollments (行业主管部门培训): one file a department each month on SFTP, in four layouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.calendar import Span, months
from sandbox.dirt.kinds import (
    ANY,
    RESIDENT,
    Kind,
    code_kind,
    county_kinds,
    each_text,
    fifteen,
    filled,
    full_width,
    identity_kinds,
    outside_kinds,
    put,
    required_kind,
    restyle,
)
from sandbox.dirt.spoil import not_refused, spoil
from sandbox.feeds.model import Consignment, Due, Feed, File, Scene, Sftp
from sandbox.feeds.texts import county_code, day, flag
from sandbox.writers.csv_file import CsvLayout, write_csv

NAME = "sectors/training_enrollments"
A_MONTH_IN_PROVINCE, LEAST_A_MONTH = 25_000, 280
SHARE_ALSO_WITH_HRSS = 0.3
SHARE_FIFTEEN_DIGITS = 0.15
DATES = ("start_date", "completion_date")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a group of departments writes its file; `date_style` as `restyle` takes it."""

    csv: CsvLayout
    date_style: str


@dataclass(frozen=True, slots=True)
class Sector:
    """A department: its part of the file's name, its name in the rows, the letters of its numbers."""

    file: str
    name: str
    letters: str
    layout: Layout
    share: float


A = Layout(
    CsvLayout(
        {
            "department": "主管部门", "enrollment_id": "报名编号", "id_type": "证件类型", "resident_id": "身份证件号码",
            "residence_county_code": "常住地行政区划", "handling_county_code": "经办地行政区划",
            "venue_county_code": "培训地行政区划", "course_name": "培训项目",
            "occupation_code": "职业代码", "start_date": "开班日期", "completion_date": "结业日期",
            "status": "培训状态", "duration_hours": "培训学时", "is_subsidised": "是否补贴性培训",
        },
        encoding="utf-8-sig",
    ),
    "%Y-%m-%d",
)  # fmt: skip
B = Layout(
    CsvLayout(
        {
            "enrollment_id": "学员编号", "department": "部门名称", "course_name": "课程名称", "id_type": "证件种类",
            "resident_id": "证件号", "start_date": "培训开始时间", "completion_date": "培训结束时间",
            "duration_hours": "课时数", "residence_county_code": "居住地区划代码",
            "handling_county_code": "经办地区划代码", "venue_county_code": "培训地区划代码",
            "occupation_code": "工种代码", "status": "培训结果", "is_subsidised": "是否享受补贴",
        },
        encoding="gb18030", line_end="\r\n",
    ),
    "slash",
)  # fmt: skip
C = Layout(
    CsvLayout(
        {
            "department": "归口部门", "enrollment_id": "培训流水号", "resident_id": "证照号码", "id_type": "证照类型",
            "course_name": "培训课程", "occupation_code": "职业编码", "status": "状态", "start_date": "开始日期",
            "completion_date": "完成日期", "duration_hours": "学时", "residence_county_code": "常住地代码",
            "handling_county_code": "经办地代码", "venue_county_code": "培训地代码", "is_subsidised": "补贴标志",
        },
        delimiter="|",
    ),
    "%Y%m%d",
)  # fmt: skip
D = Layout(
    CsvLayout(
        {
            "enrollment_id": "序列号", "id_type": "证件类别", "resident_id": "身份证号",
            "residence_county_code": "居住地", "venue_county_code": "培训地", "handling_county_code": "经办地",
            "course_name": "培训内容", "occupation_code": "工种", "start_date": "起",
            "completion_date": "止", "status": "结果", "duration_hours": "课时", "is_subsidised": "补贴",
            "department": "填报单位",
        },
        encoding="gb18030", delimiter="\t", line_end="\r\n",
    ),
    "serial",
)  # fmt: skip
SECTORS = (
    Sector("housing", "省建设厅", "JS", A, 0.3),
    Sector("transport", "省交通运输厅", "JT", A, 0.2),
    Sector("civil_affairs", "省民政厅", "MZ", B, 0.08),
    Sector("health", "省卫生健康委", "WJ", B, 0.17),
    Sector("emergency", "省应急管理厅", "YJ", C, 0.15),
    Sector("market", "省市场监管局", "SC", C, 0.05),
    Sector("post", "省邮政管理局", "YZ", D, 0.05),
)


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    completed = (pl.col("status") == "02") & filled("completion_date")
    return [
        *identity_kinds(),
        *county_kinds("residence_county_code"),
        Kind(
            "handled_elsewhere", ("handling_county_code_valid",), put(handling_county_code="341522"),
            filled("handling_county_code"),
        ),
        *outside_kinds("residence_county_code"),
        required_kind("enrollment_id"),
        Kind("department_unlisted", ("department_code",), put(department="省某某厅"), ANY),
        code_kind("status", "05"),
        Kind("start_bad_date", ("start_date_type",), put(start_date="2025-02-30"), ANY),
        Kind("ends_before_start", ("dates_in_order",), put(completion_date="2023-12-01"), completed),
        Kind("completed_without_date", ("completion_required",), put(completion_date=""), completed),
        Kind("hours_out_of_range", ("duration_hours_range",), put(duration_hours="5000"), ANY),
        Kind("hours_no_number", ("duration_hours_type",), put(duration_hours="约40"), ANY),
        Kind("hours_full_width", (), full_width("duration_hours"), ANY, 1, "full_width"),
        Kind(
            "too_many_columns", ("row_shape",),
            put(course_name=pl.concat_str("course_name", "_delimiter", pl.lit("多余"))), ANY,
        ),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(course_name="另一课程"), ANY, 2, "", "conflict"),
    ]  # fmt: skip


def enrollments(scene: Scene, month: Span, number: int) -> pl.DataFrame:
    """Trainings that began in the month, typed; some of them are the human resources department's too."""
    people = scene.people
    rng = np.random.default_rng([scene.parameters.seed, 91, month.first.year, month.first.month])
    shared = people.trainings.filter(
        (pl.col("version") == 1) & pl.col("start_date").is_between(month.first, month.last)
    ).select("person", "start_date", "occupation_code")
    shared = shared.sample(min(int(number * SHARE_ALSO_WITH_HRSS), len(shared)), seed=int(rng.integers(2**31)))
    rest = number - len(shared)
    length = rng.choice([1, 3, 5, 10, 20], number, p=[0.2, 0.3, 0.25, 0.15, 0.1])
    span = (month.last - month.first).days + 1
    own = pl.DataFrame(
        {
            "person": rng.integers(0, len(people.persons), rest),
            "start_date": np.datetime64(month.first) + rng.integers(0, span, rest),
            "occupation_code": rng.choice(people.persons["occupation"].to_numpy().astype(str), rest),
        }
    ).with_columns(pl.col("start_date").cast(pl.Date))
    base = pl.concat([shared, own.select(shared.columns)]).with_columns(length=pl.Series(length))
    sector = rng.choice(len(SECTORS), number, p=[sector_share.share for sector_share in SECTORS])
    ended = pl.col("start_date") + pl.duration(days="length")
    running = ended > month.last
    broken_off = pl.Series(rng.random(number) < 0.07)
    area = areas.load()
    residence = people.persons["residence"].to_numpy()[base["person"].to_numpy()]
    venue = np.where(rng.random(number) < 0.8, residence, rng.choice(len(area.codes), number, p=area.weight))
    return base.with_columns(
        sector=pl.Series(sector),
        completion_date=pl.when(~running & ~broken_off).then(ended),
        status=pl.when(running).then(pl.lit("01")).when(broken_off).then(pl.lit("03")).otherwise(pl.lit("02")),
        venue=pl.Series(np.where(rng.random(number) < 0.93, venue, -1)),
        handling=pl.Series(np.where(rng.random(number) < 0.9, residence, -1)),
        hours=pl.col("length") * 6,
        is_subsidised=pl.Series(rng.random(number) < 0.5),
        has_fifteen=pl.Series(rng.random(number) < SHARE_FIFTEEN_DIGITS),
        serial=pl.int_range(1, number + 1),
    ).join(people.persons.select("person", "id_type", "resident_id", "lives_in"), on="person", maintain_order="left")


def rows(frame: pl.DataFrame, sector: Sector, month: Span) -> pl.DataFrame:
    """The rows of one department as it writes them, dates still as 2025-06-01."""
    written = frame.select(
        department=pl.lit(sector.name),
        enrollment_id=pl.format(
            f"{sector.letters}{month.first:%Y%m}{{}}", pl.col("serial").cast(pl.String).str.zfill(6)
        ),
        id_type="id_type",
        resident_id="resident_id",
        residence_county_code="lives_in",
        handling_county_code=county_code("handling"),
        venue_county_code=county_code("venue"),
        course_name=pl.format("合成课程{}", pl.col("occupation_code")),
        occupation_code="occupation_code",
        start_date=day("start_date"),
        completion_date=day("completion_date"),
        status="status",
        duration_hours=pl.col("hours").cast(pl.String),
        is_subsidised=flag("is_subsidised"),
        _serial="serial",
        _delimiter=pl.lit(sector.layout.csv.delimiter),
        _old_number=pl.col("has_fifteen")
        & RESIDENT
        & (pl.col("resident_id").str.slice(6, 2) == "19")
        & pl.col("resident_id").str.starts_with("339900"),
    )
    old = each_text("resident_id", fifteen)(written.filter("_old_number"))
    kept = written.filter(~pl.col("_old_number"))
    return pl.concat([kept, old]).sort("enrollment_id").drop("_old_number")


def make(scene: Scene) -> Iterator[Consignment]:
    """Month after month a file of each department."""
    number = max(round(A_MONTH_IN_PROVINCE * scene.parameters.scale), LEAST_A_MONTH)
    accepted = []
    for order, month in enumerate(months(scene.horizon)):
        begun = enrollments(scene, month, number)
        for index, sector in enumerate(SECTORS):
            own = begun.filter(pl.col("sector") == index)
            spoilt = spoil(rows(own, sector, month), kinds(), scene.parameters.dirt, scene.stream(NAME, order, index))
            accepted.append(not_refused(own, spoilt, "serial").with_columns(reported_on=pl.lit(month.last)))
            for column in DATES:
                spoilt = restyle(column, sector.layout.date_style)(spoilt)
            yield Consignment(Due(month.last, month.key, sector.file), spoilt, _files(sector, month))
    scene.accepted[NAME] = pl.concat(accepted)


def _files(sector: Sector, month: Span) -> Callable[[pl.DataFrame], list[File]]:
    def files(rows: pl.DataFrame) -> list[File]:
        path = f"sector_training/{month.first:%Y%m}/{sector.file}_{month.first:%Y%m}.csv"
        key = pl.concat_str("department", "enrollment_id", separator="|")
        return [File(path, lambda target: write_csv(rows, target, sector.layout.csv), key)]

    return files


def dues(last: date) -> list[Due]:
    """A consignment of each department every month."""
    return [Due(month.last, month.key, sector.file) for month in months(last) for sector in SECTORS]


FEED = Feed(NAME, Sftp(), make, dues)
