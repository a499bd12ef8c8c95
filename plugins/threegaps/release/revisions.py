"""What later became of what was said: a view of revised figures, and how large revisions are.

A figure that was said as final and says something else afterwards is revised (修订); what happens to a figure while it
is provisional is counted apart. That a figure is suppressed, or is shown again, or in tens instead of exactly, is no
change of it. A figure in tens that moves by one ten is revised as it is read, though one person may have done it: the
rates are worked out over figures that are shown exactly, and of which a later release could say something else. What a
release said that was undone counts as never said: neither it nor the way back is a revision.

The rates are those of the ESS guidelines for quality and performance indicators (A6, data revision, average size),
after McKenzie and Gamba, *Interpreting the results of revision analyses: recommended summary statistics* (OECD and
Eurostat, 2008): over the figures that were said as final, with P the first and L the latest of each, mean revision
Σ(L−P)/n, mean absolute revision Σ|L−P|/n, relative mean absolute revision Σ|L−P|/Σ|P|. The last is in per cent.
"""

from __future__ import annotations

from typing import Any

import psycopg

from threegaps.marts.manifest import Manifest
from threegaps.release.rights import READERS
from threegaps.release.views import ViewColumn, ensure_view_of

# Every statement of a cell in the order of releases: the replaced ones, and the one that serves.
_FIGURES = """
with undone as (
    select undoes_release_id as release_id from marts.dim_release where undoes_release_id is not null
),
standing_release as (
    select release_id from marts.dim_release
    where kind <> 'undo' and release_id not in (select release_id from undone)
),
said as (
    select indicator_code, area_code, area_level, period_type, period_start, period_end, period_label, breakdown,
           breakdown_value, audience, value, value_status, maturity, rounding, release_from, false as is_served
    from history.indicator_value
    union all
    select indicator_code, area_code, area_level, period_type, period_start, period_end, period_label, breakdown,
           breakdown_value, audience, value, value_status, maturity, rounding, value_release_id, true
    from marts.indicator_value_stored
),
shown as (
    select said.*, release.released_at,
           lag(said.value) over statements as value_before,
           lag(said.maturity) over statements as maturity_before,
           lag(said.rounding) over statements as rounding_before
    from said join marts.dim_release as release on release.release_id = said.release_from
    where said.value_status <> 'suppressed'
      and (said.is_served or said.release_from in (select release_id from standing_release))
    window statements as (
        partition by said.indicator_code, said.area_code, said.period_type, said.period_end, said.breakdown,
                     said.breakdown_value
        order by said.release_from
    )
),
compared as (
    select shown.*,
           is_another and maturity_before = 'final' as is_revision,
           is_another and maturity_before <> 'final' as is_provisional_change
    from (
        select shown.*,
               value_before is not null and value is distinct from value_before
               and rounding is not distinct from rounding_before as is_another
        from shown
    ) as shown
),
figure as (
    select indicator_code, area_code, period_type, period_end, breakdown, breakdown_value,
           (array_agg(area_level order by release_from desc))[1] as area_level,
           (array_agg(period_start order by release_from desc))[1] as period_start,
           (array_agg(period_label order by release_from desc))[1] as period_label,
           (array_agg(audience order by release_from desc))[1] as audience,
           (array_agg(value order by release_from) filter (where value is not null))[1] as first_value,
           min(released_at) filter (where value is not null) as first_said_at,
           (array_agg(value order by release_from) filter (where value is not null and maturity = 'final'))[1]
               as first_final_value,
           min(released_at) filter (where value is not null and maturity = 'final') as first_final_at,
           min(release_from) filter (where value is not null and maturity = 'final') as first_final_release_id,
           max(value) filter (where is_served) as value_now,
           bool_and(rounding = 'none') filter (where is_served or maturity = 'final') as is_exact,
           count(*) filter (where is_revision) as revisions,
           count(*) filter (where is_provisional_change) as provisional_changes,
           max(released_at) filter (where is_revision) as last_revised_at
    from compared
    group by indicator_code, area_code, period_type, period_end, breakdown, breakdown_value
)
"""
_REVISION = (
    ("indicator_code", "f.indicator_code", "指标代码 | indicator"),
    ("area_code", "f.area_code", "地区代码 | area"),
    ("area_level", "f.area_level", "地区层级 | level of the area"),
    ("period_type", "f.period_type", "期别 | type of period"),
    ("period_start", "f.period_start", "期初 | first day of the period"),
    ("period_end", "f.period_end", "期末 | last day of the period"),
    ("period_label", "f.period_label", "期的写法 | label of the period"),
    ("breakdown", "f.breakdown", "分组 | breakdown"),
    ("breakdown_value", "f.breakdown_value", "分组值 | value of the breakdown"),
    ("first_value", "f.first_value", "最初公布的值,暂定的也算 | what was said first, provisional or not"),
    ("first_said_at", "f.first_said_at", "最初公布时间 | when it was said first"),
    ("first_final_value", "f.first_final_value", "最初的定稿值 | what was said first as final"),
    ("first_final_at", "f.first_final_at", "最初定稿公布的时间 | when it was said first as final"),
    ("value_now", "f.value_now", "现值;已不提供时为空 | what is said now, null when nothing is"),
    (
        "revision",
        "f.value_now - f.first_final_value",
        "修订量:现值减最初的定稿值(指标单位) | the revision: now less the first final, in the unit",
    ),
    (
        "revision_percent",
        "round((f.value_now - f.first_final_value) / nullif(abs(f.first_final_value), 0) * 100, 2)",
        "修订幅度(%) | the revision in per cent of the first final",
    ),
    ("revisions", "f.revisions", "修订次数:定稿以后的变化 | number of changes after it was final"),
    (
        "provisional_changes",
        "f.provisional_changes",
        "暂定期间的变化次数,不算修订 | number of changes while it was provisional, which are no revisions",
    ),
    ("last_revised_at", "f.last_revised_at", "最近一次修订时间 | when it was last revised"),
    (
        "days_until_last",
        "round(extract(epoch from f.last_revised_at - f.first_final_at)::numeric / 86400, 1)",
        "从最初定稿到最近一次修订的天数 | days from the first final to the last revision",
    ),
    ("audience", "f.audience", "受众(public公开,internal内部) | audience"),
)
_RATE = (
    ("indicator_code", "f.indicator_code", "指标代码 | indicator"),
    ("area_level", "f.area_level", "地区层级 | level of the area"),
    ("period_type", "f.period_type", "期别 | type of period"),
    ("breakdown", "f.breakdown", "分组 | breakdown"),
    (
        "figures",
        "count(*)",
        "定稿后又有过发布、仍有值且未取整的数(个) | figures that were said as final in an earlier release, still are,"
        " and are shown exactly",
    ),
    ("revised", "count(*) filter (where f.revisions > 0)", "其中修订过的(个) | those that were revised"),
    (
        "revised_percent",
        "round(count(*) filter (where f.revisions > 0) * 100.0 / count(*), 2)",
        "修订过的占比(%) | share of those that were revised (%)",
    ),
    (
        "mean_revision",
        "round(avg(f.value_now - f.first_final_value), 4)",
        "平均修订量 Σ(L−P)/n(指标单位) | mean revision, in the unit",
    ),
    (
        "mean_absolute_revision",
        "round(avg(abs(f.value_now - f.first_final_value)), 4)",
        "平均绝对修订量 Σ|L−P|/n(指标单位) | mean absolute revision, in the unit",
    ),
    (
        "relative_mean_absolute_revision",
        "round(sum(abs(f.value_now - f.first_final_value)) / nullif(sum(abs(f.first_final_value)), 0) * 100, 4)",
        "相对平均绝对修订率 Σ|L−P|/Σ|P|(%) | relative mean absolute revision (%)",
    ),
)


def apply_revisions(connection: psycopg.Connection[Any], manifest: Manifest, *, mark: str = "") -> None:
    """Make the views, once the project serves indicators; *mark* says in their comments what their figures are."""
    if not any((table.schema, table.name) == ("marts", "indicator_value") for table in manifest.served):
        return
    _view(
        connection,
        "indicator_revision",
        _REVISION,
        "where f.revisions > 0 or f.provisional_changes > 0",
        "公布后又有变化的指标值:最初说的、现在说的、变了几次、过了多少天;按指标筛选为宜"
        "(唯一键 indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)"
        " | figures that changed after they were said: first, now, how often, after how many days; ask by indicator"
        f"{mark}",
    )
    _view(
        connection,
        "indicator_revision_rate",
        _RATE,
        "where f.first_final_value is not null and f.value_now is not null and f.is_exact"
        " and f.first_final_release_id < (select max(release_id) from standing_release) group by 1, 2, 3, 4",
        "各指标的修订率(欧盟统计局A6口径:P为最初的定稿值,L为现值),只计未取整、定稿后又有过发布的指标值"
        "(唯一键 indicator_code, area_level, period_type, breakdown)"
        " | how far figures that are shown exactly, and were said again, are revised, by Eurostat's A6: P the first"
        " final, L what is said now"
        f"{mark}",
    )


def _view(
    connection: psycopg.Connection[Any],
    name: str,
    columns: tuple[ViewColumn, ...],
    condition: str,
    comment: str,
) -> None:
    ensure_view_of(
        connection,
        ("marts", name),
        columns,
        beginning=_FIGURES,
        source=f"from figure as f {condition}",
        comment=comment,
        readers=READERS,
    )
