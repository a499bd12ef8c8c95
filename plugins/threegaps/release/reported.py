"""What counties and cities report beside what is counted here, with the difference: a view.

What is reported is published and real, with its source and with how its definition and day differ; what is counted is
the figure that is shown, so that no difference tells more of persons than the figure does.
"""

from __future__ import annotations

from typing import Any

import psycopg

from threegaps.labels import MATURITIES, coded_zh
from threegaps.marts.manifest import Manifest
from threegaps.release import named
from threegaps.release.rights import READERS
from threegaps.release.views import ViewColumn, ensure_view_of

_COLUMNS: tuple[ViewColumn, ...] = (
    ("indicator_code", "r.indicator_code", "指标代码 | indicator"),
    ("indicator_name_zh", "i.name_zh", "指标名称 | name of the indicator"),
    ("indicator_name_en", "i.name_en", "指标英文名称 | name of the indicator in English"),
    ("unit_zh", "i.unit_zh", "计量单位 | unit"),
    ("unit_en", "i.unit_en", "计量单位(英文) | unit in English"),
    ("area_code", "r.area_code", "地区代码 | area"),
    ("area_name_zh", "a.name_zh", "地区名称 | name of the area"),
    ("area_name_en", "a.name_en", "地区英文名称 | name of the area in English"),
    ("period_type", "r.period_type", "对照期别代码 | type of the period compared"),
    ("period_end", "r.period_end", "对照期末 | last day of the period compared"),
    ("breakdown", "r.breakdown", "分组代码(total合计) | breakdown, total when none"),
    ("breakdown_value", "r.breakdown_value", "分组值代码(total合计) | value of the breakdown"),
    ("reported_value", "r.reported_value", "报送或公布的数(指标单位) | what is reported, in the unit"),
    (
        "reported_bound",
        "r.reported_bound",
        "报送数的界限(exact确数,above以上,below不足,about约数),差数同此 | whether it is the number itself or a"
        " bound of it, and so the difference",
    ),
    ("reported_on", "r.reported_on", "报送或报道之日 | day of the report"),
    ("counted_value", "v.value", "本系统统计的数,按列示精度 | what is counted here, as it is shown"),
    ("counted_text", "v.value_text", "统计数的写法;没有值时写明原因 | as it is written; else why there is none"),
    ("value_status", "v.value_status", "统计数的取值状态;没有该单元格的为空 | why it is there or missing"),
    ("maturity", "v.maturity", f"统计数的成熟度({coded_zh(MATURITIES)}) | final or provisional"),
    ("rounding", "v.rounding", "统计数的列示精度(none照列,tens以十为单位) | none, or tens"),
    ("is_synthetic", "v.is_synthetic", "统计数是否合成数据 | what is counted here is synthetic"),
    # between a real figure and a synthetic one a difference says nothing
    (
        "difference",
        "case when not v.is_synthetic then r.reported_value - v.value end",
        "报送数减统计数;统计数为合成数据的不相减 | reported less counted; null where what is counted is synthetic",
    ),
    (
        "difference_pct",
        "case when not v.is_synthetic then round((r.reported_value / nullif(v.value, 0) - 1) * 100, 2) end",
        "报送数较统计数(%);统计数为合成数据的不比 | reported over counted, in per cent more or less; null where what is"
        " counted is synthetic",
    ),
    ("note_zh", "r.note_zh", "口径与时点的差别 | how definition and day differ, in Chinese"),
    ("note_en", "r.note_en", "口径与时点的差别(英文) | how definition and day differ"),
    ("source", "r.source", "报送数的来源 | source of what is reported"),
    ("source_url", "r.source_url", "来源地址 | address of the source"),
)
_FROM = """
from marts.dim_reported_figure as r
left join marts.dim_indicator as i using (indicator_code)
left join marts.dim_area as a using (area_code)
left join marts.indicator_named as v
    using (indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)
"""


def apply_reported(connection: psycopg.Connection[Any], manifest: Manifest, *, mark: str = "") -> None:
    """Make the view, once the project serves what it joins; *mark* says in its comment what the figures are."""
    served = {table.name for table in manifest.served if table.schema == "marts"}
    if not served >= named.NEEDED | {"dim_reported_figure"}:
        return
    ensure_view_of(
        connection,
        ("marts", "indicator_reported"),
        _COLUMNS,
        source=_FROM,
        comment="各地报送或公布的数(真实数据,注明来源)与本系统统计的数对照及差数"
        "(唯一键 indicator_code, area_code, period_type, period_end, breakdown, breakdown_value, source)"
        f" | what counties and cities report, real, beside what is counted here, with the difference{mark}",
        readers=READERS,
    )
