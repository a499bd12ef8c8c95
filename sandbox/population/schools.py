"""Schools that train skilled workers, as several departments list them: technician schools, secondary and higher
vocational schools.

A few technician schools were merged into others, and their codes went to new schools later: a school code is one
school's at a time, its unified social credit code is its own for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from sandbox import areas, identifiers
from sandbox.population.codes import NOT_A_DATE, days

SCHOOLS_STREAM = 92
# 技师学院, 高级技工学校, 技工学校, 中等职业学校, 高等职业院校: about as many as there are (assumed).
NUMBERS = {"technician_college": 36, "senior_technician": 28, "technician": 36, "secondary": 240, "higher": 60}
LABELS = {
    "technician_college": "技师学院", "senior_technician": "高级技工学校", "technician": "技工学校",
    "secondary": "职业技术学校", "higher": "职业技术学院",
}  # fmt: skip
TECHNICIAN_KINDS = ("technician_college", "senior_technician", "technician")
# First two digits of a school code (学校标识码), by kind: 37 is made up for technician schools.
FIRST_DIGITS = {"secondary": "36", "higher": "41"} | dict.fromkeys(TECHNICIAN_KINDS, "37")
MERGED = 6
# Behind all employers, so that no school has a firm's unified social credit code.
FIRST_CREDIT_NUMBER = 9_000_000
SHARE_LISTED_BY_EDUCATION = 0.2


@dataclass(frozen=True, slots=True)
class Programme:
    """A specialty (专业) that schools may teach.

    Args:
        code: Six digits.
        name: In Chinese.
        flags: Of `new_occupation`, `new_manufacturing`, `digital`, `rural_industry`.
    """

    code: str
    name: str
    flags: tuple[str, ...] = ()


PROGRAMMES = (
    Programme("660101", "机械设计与制造"),
    Programme("660103", "数控加工", ("new_manufacturing",)),
    Programme("660108", "模具制造"),
    Programme("660301", "机电一体化", ("new_manufacturing",)),
    Programme("660303", "智能控制", ("new_manufacturing", "digital")),
    Programme("660305", "工业机器人", ("new_occupation", "new_manufacturing")),
    Programme("660704", "新能源汽车", ("new_manufacturing",)),
    Programme("600402", "无人机应用", ("new_occupation",)),
    Programme("670102", "纺织"),
    Programme("640301", "建筑施工"),
    Programme("610205", "软件技术", ("digital",)),
    Programme("610209", "人工智能", ("new_occupation", "digital")),
    Programme("610215", "大数据技术", ("digital",)),
    Programme("630701", "电子商务", ("digital",)),
    Programme("630702", "直播电商", ("new_occupation", "digital", "rural_industry")),
    Programme("630903", "物流管理"),
    Programme("640105", "烹饪", ("rural_industry",)),
    Programme("640101", "民宿管理", ("rural_industry",)),
    Programme("610102", "茶叶生产与加工", ("rural_industry",)),
    Programme("610105", "果蔬园艺", ("rural_industry",)),
    Programme("620201", "护理"),
    Programme("690302", "养老服务", ("new_occupation",)),
)


@cache
def schools(seed: int) -> pl.DataFrame:
    """Every school of the province, gone ones and new ones too.

    Returns:
        `school` (index), `school_code` (ten digits), `uscc`, `school_name`, `kind` (a key of `NUMBERS`), `county`
        (index), `opened_on`, `merged_on` and `merged_into` (index; both missing of schools that still are), and
        `is_listed_by_education`: all vocational schools, and some technician schools under the same code.
    """
    rng = np.random.default_rng([seed, SCHOOLS_STREAM])
    area = areas.load()
    kind = np.repeat(np.array(list(NUMBERS)), list(NUMBERS.values()))
    number = len(kind)
    county = rng.choice(len(area.codes), number, p=area.weight)
    # Each county has a secondary vocational school.
    county[np.flatnonzero(kind == "secondary")[: len(area.codes)]] = np.arange(len(area.codes))
    technician = np.flatnonzero(np.isin(kind, TECHNICIAN_KINDS))
    gone = np.sort(rng.choice(np.flatnonzero(np.isin(kind, TECHNICIAN_KINDS[1:])), MERGED, replace=False))
    staying = np.setdiff1d(technician, gone)
    merged_into = np.full(number, -1)
    merged_into[gone] = rng.choice(staying, MERGED, replace=False)
    merged_on = np.full(number, NOT_A_DATE)
    merged_on[gone] = days(rng, "2024-09-15", "2025-06-30", MERGED)
    codes = np.array([f"{FIRST_DIGITS[str(one)]}33{serial:06d}" for serial, one in enumerate(kind, 1)])
    listed = ~np.isin(kind, TECHNICIAN_KINDS) | (rng.random(number) < SHARE_LISTED_BY_EDUCATION)
    # Whoever opens next autumn takes a code that has become free.
    new_kind, new_county = np.full(MERGED, "technician"), rng.choice(len(area.codes), MERGED, p=area.weight)
    both_kinds, both_counties = np.concatenate([kind, new_kind]), np.concatenate([county, new_county])
    index = np.arange(number + MERGED)
    return pl.DataFrame(
        {
            "school": index,
            "school_code": np.concatenate([codes, codes[gone]]),
            "uscc": identifiers.social_credit_codes(FIRST_CREDIT_NUMBER + index),
            "school_name": [
                f"{area.names[place]}合成{LABELS[str(one)]}{serial}"
                for serial, (place, one) in enumerate(zip(both_counties, both_kinds, strict=True), 1)
            ],
            "kind": both_kinds,
            "county": both_counties,
            "opened_on": np.concatenate(
                [days(rng, "1978-09-01", "2018-09-01", number), np.full(MERGED, np.datetime64("2025-09-01"))]
            ),
            "merged_on": np.concatenate([merged_on, np.full(MERGED, NOT_A_DATE)]),
            "merged_into": np.concatenate([merged_into, np.full(MERGED, -1)]),
            "is_listed_by_education": np.concatenate([listed, np.zeros(MERGED, dtype=bool)]),
        }
    ).with_columns(merged_into=pl.when(pl.col("merged_into") >= 0).then("merged_into"))


def technician_schools(seed: int) -> pl.DataFrame:
    """The technician schools (技工院校) among them, gone ones and new ones too."""
    return schools(seed).filter(pl.col("kind").is_in(TECHNICIAN_KINDS))
