select
    indicator.indicator_code,
    indicator.action_code,
    action.name_zh as action_name_zh,
    action.name_en as action_name_en,
    action.mart,
    indicator.measure,
    indicator.name_zh,
    indicator.name_en,
    indicator.formula_zh,
    indicator.formula_en,
    indicator.method,
    indicator.unit_zh,
    unit.unit_en,
    unit.decimals,
    method.is_value_additive as is_additive_over_areas,
    method.is_value_additive and indicator.time_basis = 'flow' as is_additive_over_periods,
    indicator.direction,
    indicator.area_basis,
    indicator.period_types,
    indicator.levels,
    indicator.departments_zh,
    indicator.source_clause,
    indicator.caveat_zh,
    indicator.caveat_en,
    indicator.audience,
    indicator.disclosure,
    indicator.matures_after_months,
    indicator.time_basis,
    indicator.window_months,
    indicator.settles_zh,
    indicator.settles_en,
    indicator.method = 'published' as is_published_figure
from {{ ref('seed_indicator') }} as indicator
inner join {{ ref('seed_action') }} as action
    on indicator.action_code = action.action_code
left join {{ ref('seed_unit') }} as unit
    on indicator.unit_zh = unit.unit_zh
left join {{ ref('seed_method') }} as method
    on indicator.method = method.method
where indicator.is_built
