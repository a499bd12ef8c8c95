"""Views for those who read with a BI tool: names instead of codes, one kind of period, no parts beside their total.

``marts.indicator_named`` has a row a cell of ``indicator_value``. ``monthly``, ``quarterly``, ``yearly``,
``cumulative`` and ``as_of_day`` have the totals of one kind of period; in them ``value`` is a settled figure or null,
and a provisional one stands in a column of its own, so that a chart cannot show the one as the other.
"""

from __future__ import annotations

from typing import Any

import psycopg

from threegaps.labels import (
    AREA_LEVELS,
    AUDIENCES,
    CHANGE_UNITS,
    MATURITIES,
    PERIOD_TYPES,
    TARGET_STATUSES,
    VALUE_STATUSES,
    Labels,
    coded_zh,
)
from threegaps.marts.manifest import Manifest
from threegaps.release.rights import READERS
from threegaps.release.views import ViewColumn, ensure_view_of

NEEDED = frozenset({"indicator_value", "indicator_latest", "dim_indicator", "dim_area", "dim_breakdown"})
"""Served tables that the views join."""

PERIOD_VIEWS = {
    "monthly": ("month", "月度", "months"),
    "quarterly": ("quarter", "季度", "quarters"),
    "yearly": ("year", "年度", "years"),
    "cumulative": ("ytd", "本年累计(一月至当月)", "the running year, from January on"),
    "as_of_day": ("day", "某日(非年末的时点公布数)", "days that published figures speak of, but for a year's last"),
}
"""The views that have one kind of period each, with it and what they hold, in Chinese and in English."""


# The expressions of columns name: v the cell, i its indicator, a its area, p the area above,
# b its part, l the newest period.
def _label(column: str, labels: Labels, language: int) -> str:
    whens = " ".join(f"when '{code}' then '{names[language]}'" for code, names in labels.items())
    return f"case {column} {whens} else {column} end"


def _both(name: str, column: str, labels: Labels, meaning_zh: str, meaning_en: str) -> tuple[ViewColumn, ViewColumn]:
    return (
        (f"{name}_zh", _label(column, labels, 0), f"{meaning_zh} | {meaning_en}, in Chinese"),
        (f"{name}_en", _label(column, labels, 1), f"{meaning_zh}(英文) | {meaning_en}, in English"),
    )


# Of the release that serves: asked once a statement, not once a row.
_IS_DEMONSTRATION = "(select r.is_demonstration from marts.dim_release as r order by r.release_id desc limit 1)"

# As people write it: as many decimals as the unit has, 1.90 times as well as 1.86; of what is made of counts in tens no
# more than the value has, which is only as precise as it is known.
_DECIMALS = (
    "case when v.rounding = 'tens' and i.has_summable_sides then least(i.decimals, scale(trim_scale(v.value)))"
    " else i.decimals end"
)
_WRITTEN = (
    f"to_char(round(v.value, {_DECIMALS}), 'FM999,999,999,999,990' || case when {_DECIMALS} > 0"
    f" then '.' || repeat('0', {_DECIMALS}) else '' end)"
)
_VALUE_TEXT = (
    f"case when v.value_status <> 'reported' then {_label('v.value_status', VALUE_STATUSES, 0)}"
    f" else case when v.rounding = 'tens' then '约' else '' end || {_WRITTEN} || i.unit_zh"
    " || case when v.source_kind = 'derived' then '(推算)' else '' end"
    " || case when v.maturity = 'provisional' then '(暂定)' else '' end"
    " || case when v.is_revised then '(修订)' else '' end"
    f" || case when {_IS_DEMONSTRATION} then '(演示)' else '' end end"
)
_VALUE_TEXT_EN = (
    f"case when v.value_status <> 'reported' then {_label('v.value_status', VALUE_STATUSES, 1)}"
    f" else case when v.rounding = 'tens' then 'about ' else '' end || {_WRITTEN}"
    " || case when i.unit_en in ('%', '‰') then i.unit_en when i.unit_en = 'number' then '' else ' ' || i.unit_en end"
    " || case when v.source_kind = 'derived' then ' (derived)' else '' end"
    " || case when v.maturity = 'provisional' then ' (provisional)' else '' end"
    " || case when v.is_revised then ' (revised)' else '' end"
    f" || case when {_IS_DEMONSTRATION} then ' (demonstration)' else '' end end"
)

_INDICATOR: tuple[ViewColumn, ...] = (
    ("indicator_code", "v.indicator_code", "指标代码 | indicator"),
    ("indicator_name_zh", "i.name_zh", "指标名称 | name of the indicator"),
    ("indicator_name_en", "i.name_en", "指标英文名称 | name of the indicator in English"),
    ("action_code", "i.action_code", "行动或差距代码 | action or gap"),
    ("action_name_zh", "i.action_name_zh", "行动或差距名称 | name of the action or gap"),
    ("action_name_en", "i.action_name_en", "行动或差距英文名称 | name of the action or gap in English"),
)
_AREA: tuple[ViewColumn, ...] = (
    ("area_code", "v.area_code", "地区代码 | area"),
    ("area_level", "v.area_level", "地区层级代码 | level of the area"),
    *_both("area_level", "v.area_level", AREA_LEVELS, "地区层级", "level of the area"),
    ("area_name_zh", "coalesce(a.name_zh, v.area_code)", "地区名称 | name of the area"),
    ("area_name_en", "coalesce(a.name_en, v.area_code)", "地区英文名称 | name of the area in English"),
    (
        "city_name_zh",
        "case when v.area_level = 'city' then a.name_zh end",
        "设区市名称:仅设区市自身的行有,按它汇总不会与县重复 | the city, in its own rows alone: grouped by it, no county"
        " counts twice",
    ),
    (
        "city_name_en",
        "case when v.area_level = 'city' then a.name_en end",
        "设区市英文名称:仅设区市自身的行有 | the city in English, in its own rows alone",
    ),
    (
        "county_name_zh",
        "case when v.area_level = 'county' then a.name_zh end",
        "县(市、区)名称:仅县自身的行有 | the county, in its own rows alone",
    ),
    (
        "county_name_en",
        "case when v.area_level = 'county' then a.name_en end",
        "县(市、区)英文名称:仅县自身的行有 | the county in English, in its own rows alone",
    ),
    ("parent_name_zh", "p.name_zh", "上级地区名称 | the area that it lies in"),
    ("parent_name_en", "p.name_en", "上级地区英文名称 | the area that it lies in, in English"),
    ("area_order", "a.sort_order", "地区排列顺序 | order of the areas"),
)
_PERIOD: tuple[ViewColumn, ...] = (
    ("period_start", "v.period_start", "期初 | first day of the period"),
    ("period_end", "v.period_end", "期末 | last day of the period"),
    ("period_label", "v.period_label", "期的写法 | label of the period"),
)
_STATE: tuple[ViewColumn, ...] = (
    ("unit_zh", "i.unit_zh", "计量单位 | unit"),
    ("unit_en", "i.unit_en", "计量单位(英文) | unit in English"),
    (
        "value_text",
        _VALUE_TEXT,
        "值的写法,带单位;没有值时写明原因 | the value as it is written, with its unit; else why there is none",
    ),
    ("value_text_en", _VALUE_TEXT_EN, "值的写法(英文) | the value as it is written, in English"),
    ("value_status", "v.value_status", "取值状态代码 | why a value is there or missing"),
    *_both("value_status", "v.value_status", VALUE_STATUSES, "取值状态", "why a value is there or missing"),
    ("maturity", "v.maturity", f"成熟度代码({coded_zh(MATURITIES)}) | final or provisional"),
    *_both("maturity", "v.maturity", MATURITIES, "成熟度", "final or provisional"),
    ("is_revised", "v.is_revised", "是否修订:定稿后又有变化 | revised: it changed after it was said as final"),
    (
        "is_latest",
        "coalesce(v.period_end = l.period_end and v.maturity = 'final', false)",
        "是否该指标同级同类期别中最新的定稿期;尚无定稿期的没有最新期,暂定数不算 | the newest"
        " settled period of the indicator at this level and type of period; of one that has none yet no row is: what is"
        " provisional never is",
    ),
    (
        "is_additive_over_areas",
        "i.is_additive_over_areas",
        "值能否按地区相加;有已隐去的单元格时,相加之和少于上级地区的数,应取上级地区的行 | whether values may be added"
        " over areas of one level; where cells are hidden such a sum falls short of the larger area: take its own row",
    ),
    (
        "is_additive_over_periods",
        "i.is_additive_over_periods and v.period_type <> 'ytd'",
        "值能否按期相加(本年累计数从不相加);有已隐去的单元格时,相加之和少于较长一期的数 | whether values may be added"
        " over periods of one type, of the running year never; where cells are hidden such a sum falls short of the"
        " longer period",
    ),
    ("target_value", "v.target_value", "目标值(指标单位) | target, in the unit"),
    ("status", "v.status", "目标状态代码 | status against the target"),
    *_both("status", "v.status", TARGET_STATUSES, "目标状态", "status against the target"),
    ("target_progress", "v.target_progress", "完成率(%) | progress towards the target (%)"),
    (
        "due_progress",
        "v.due_progress",
        "应达完成率(%):按基线至目标的直线 | progress that is due by the straight line from baseline to target (%)",
    ),
    ("time_progress", "v.time_progress", "时间进度(%) | share of the time to the target that is gone (%)"),
    (
        # from a baseline above zero part of the progress was there before any time had gone
        "progress_gap",
        "v.target_progress - v.due_progress",
        "完成率减应达完成率(百分点),负数为落后;基线为零的,应达完成率即时间进度 | progress less what is due, in points;"
        " negative: behind. From a baseline of zero, what is due is the share of the time that is gone",
    ),
    ("change_on_year", "v.change_on_year", "较上年同期变化 | change on the same period a year before"),
    ("change_unit", "v.change_unit", "变化的单位代码 | unit of the change"),
    (
        "change_unit_zh",
        f"case when v.change_unit = 'unit' then i.unit_zh else {_label('v.change_unit', CHANGE_UNITS, 0)} end",
        "变化的单位 | unit of the change, in Chinese",
    ),
    (
        "change_unit_en",
        f"case when v.change_unit = 'unit' then i.unit_en else {_label('v.change_unit', CHANGE_UNITS, 1)} end",
        "变化的单位(英文) | unit of the change, in English",
    ),
    ("audience", "v.audience", f"受众({coded_zh(AUDIENCES, 'public', 'internal')}) | audience"),
    ("covered_from", "v.covered_from", "数据覆盖起 | covered from"),
    ("covered_to", "v.covered_to", "数据覆盖止 | covered to"),
    ("rounding", "v.rounding", "列示精度(none照列,tens以十为单位) | none, or tens: persons are shown in tens"),
    (
        "source_kind",
        "v.source_kind",
        "来源类别(computed由两项公布数算出,printed公布的比值,derived由其他公布数推算) | computed, printed or derived",
    ),
    ("data_as_of", "v.data_as_of", "数据截至日 | data as of"),
    ("release_id", "v.release_id", "发布号 | the serving release"),
    (
        "is_demonstration",
        _IS_DEMONSTRATION,
        "是否演示:未作披露控制,不得引用 | a demonstration without disclosure control: not to be quoted",
    ),
)
_NAMED: tuple[ViewColumn, ...] = (
    *_INDICATOR,
    *_AREA,
    ("period_type", "v.period_type", "期别代码 | type of period"),
    *_both("period_type", "v.period_type", PERIOD_TYPES, "期别", "type of period"),
    *_PERIOD,
    ("breakdown", "v.breakdown", "分组代码(total合计) | breakdown, total when none"),
    ("breakdown_zh", "coalesce(b.breakdown_name_zh, v.breakdown)", "分组 | breakdown, in Chinese"),
    ("breakdown_en", "coalesce(b.breakdown_name_en, v.breakdown)", "分组(英文) | breakdown, in English"),
    ("breakdown_value", "v.breakdown_value", "分组值代码(total合计) | value of the breakdown"),
    ("breakdown_value_zh", "coalesce(b.name_zh, v.breakdown_value)", "分组值 | value of the breakdown, in Chinese"),
    (
        "breakdown_value_en",
        "coalesce(b.name_en, v.breakdown_value)",
        "分组值(英文) | value of the breakdown, in English",
    ),
    ("breakdown_order", "b.sort_order", "分组值排列顺序 | order of the values"),
    (
        "parts_overlap",
        "coalesce(b.parts_overlap, false)",
        "各组是否重叠:一人可在几组 | the parts overlap: a person may be in several",
    ),
    (
        "parts_add_up",
        # medians, their ratios and what is made of other figures have no sides that add up
        "coalesce(b.parts_add_up and i.has_summable_sides, false)",
        "各组的分子、分母相加是否等于合计(比率本身不相加) | numerators and denominators of the parts add up to the"
        " total's; ratios themselves never do",
    ),
    ("numerator", "v.numerator", "分子(单位见指标公式) | numerator"),
    ("denominator", "v.denominator", "分母(单位见指标公式) | denominator"),
    ("value", "v.value", "指标值,未定的也在内,见maturity | value, a provisional one too: see maturity"),
    *_STATE,
    ("value_release_id", "v.value_release_id", "最先给出此值的发布号 | the release that first said this value"),
)
_SETTLED: tuple[ViewColumn, ...] = (
    *_INDICATOR,
    *_AREA,
    *_PERIOD,
    (
        "value",
        "case when v.maturity = 'final' then v.value end",
        "定稿值;暂定时为空,见provisional_value | the settled value; null while it is provisional",
    ),
    (
        "provisional_value",
        "case when v.maturity = 'provisional' then v.value end",
        "暂定值,以后还会变 | the provisional value, which will still change",
    ),
    (
        "numerator",
        "case when v.maturity = 'final' then v.numerator end",
        "定稿值的分子(单位见指标公式) | numerator of the settled value",
    ),
    (
        "denominator",
        "case when v.maturity = 'final' then v.denominator end",
        "定稿值的分母(单位见指标公式) | denominator of the settled value",
    ),
    *_STATE,
)
_FROM = """
from marts.indicator_value as v
left join marts.dim_indicator as i using (indicator_code)
left join marts.dim_area as a using (area_code)
left join marts.dim_area as p on a.parent_code = p.area_code
left join marts.dim_breakdown as b on v.breakdown = b.breakdown and v.breakdown_value = b.breakdown_value
left join marts.indicator_latest as l
    on v.indicator_code = l.indicator_code and v.area_level = l.area_level and v.period_type = l.period_type
"""


def apply_named(connection: psycopg.Connection[Any], manifest: Manifest, *, mark: str = "") -> None:
    """Make the views, once the project serves what they join; *mark* says in their comments what their figures are."""
    if not {table.name for table in manifest.served if table.schema == "marts"} >= NEEDED:
        return
    _view(
        connection,
        "indicator_named",
        _NAMED,
        "",
        "指标值,代码均附名称,一行一单元格;期别、分组、层级混在一起,求和前须各选其一"
        "(唯一键 indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)"
        " | values of indicators with the names of their codes, a row a cell; types of periods, breakdowns and levels"
        f" stand side by side: choose one of each before adding up{mark}",
        is_synthetic=bool(mark),
    )
    for name, (period_type, meaning_zh, meaning_en) in PERIOD_VIEWS.items():
        _view(
            connection,
            name,
            _SETTLED,
            f"where v.period_type = '{period_type}' and v.breakdown = 'total'",
            f"{meaning_zh}指标值,仅合计,附名称;一个指标加一个地区名称列即可作图,不会重复计算"
            "(唯一键 indicator_code, area_code, period_end)"
            f" | totals of {meaning_en} with names: one indicator and one column of names make a chart, nothing twice"
            f"{mark}",
            is_synthetic=bool(mark),
        )


def _origin(*, is_synthetic: bool) -> tuple[ViewColumn, ...]:
    """What a row's figure is made of: published figures are real, in the sandbox as well."""
    of_departments = ("合成数据", "synthetic data") if is_synthetic else ("部门数据", "departments' data")
    written = "case when i.is_published_figure then '{}' else '{}' end"
    return (
        (
            "is_synthetic",
            f"not i.is_published_figure and {str(is_synthetic).lower()}",
            "是否合成数据:不得引用 | synthetic: not to be quoted",
        ),
        ("data_origin_zh", written.format("真实公布数", of_departments[0]), "数据性质 | what it is made of"),
        ("data_origin_en", written.format("published figures", of_departments[1].replace("'", "''")),
         "数据性质(英文) | what it is made of, in English"),
    )  # fmt: skip


def _view(
    connection: psycopg.Connection[Any],
    name: str,
    columns: tuple[ViewColumn, ...],
    condition: str,
    comment: str,
    *,
    is_synthetic: bool,
) -> None:
    columns = (*columns, *_origin(is_synthetic=is_synthetic))
    ensure_view_of(
        connection, ("marts", name), columns, source=f"{_FROM} {condition}", comment=comment, readers=READERS
    )
