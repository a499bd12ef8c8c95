with

base_steps as (
    select
        feed,
        step_month,
        to_char(step_month, 'YYYY-MM') as step_label,
        to_char(back_paid_until, 'YYYY-MM') as paid_label,
        is_assumed
    from {{ ref('seed_contribution_base_step') }}
),

-- a wage figure says when contribution wages step: a change in these months is one of the base
step_caveat as (
    select
        feed,
        '缴费基数调整月:' || string_agg(
            step_label || '(差额补缴至' || paid_label || case when is_assumed then ',月份为假定' else '' end || ')',
            '、' order by step_month asc
        ) as caveat_zh,
        'contribution bases step in ' || string_agg(
            step_label || ' (difference paid until ' || paid_label
            || case when is_assumed then ', month assumed' else '' end || ')',
            ', ' order by step_month asc
        ) as caveat_en
    from base_steps
    group by feed
),

-- as the plan in force has it; who was named before and did not sign it stands apart
departments as (
    select
        indicator_code,
        string_agg(
            department_zh || case role when 'leads' then '(牵头)' else '' end, ';'
            order by position asc
        ) filter (where is_current) as departments_zh,
        string_agg(department_zh, ';' order by position asc)
        filter (where not is_current) as former_departments_zh,
        max(plan_version) as departments_plan_version
    from {{ ref('seed_indicator_department') }}
    group by indicator_code
),

-- a figure made of a form past its validity says so
form_caveat as (
    select
        used.indicator_code,
        string_agg(
            '所用统计报表「' || feed.name_zh || '」(表号' || feed.form_number || ')的有效期已于'
            || feed.form_valid_until || '届满', ';' order by feed.feed asc
        ) as caveat_zh,
        string_agg(
            'the statistical form behind ' || feed.name_en || ' expired on ' || feed.form_valid_until,
            '; ' order by feed.feed asc
        ) as caveat_en
    from {{ ref('dim_feed') }} as feed
    cross join string_to_table(feed.indicator_codes, ',') as used (indicator_code)
    where feed.is_form_expired
    group by used.indicator_code
)

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
    method.numerator_is in ('count', 'amount') as has_summable_sides,
    indicator.direction,
    indicator.area_basis,
    indicator.period_types,
    indicator.levels,
    departments.departments_zh,
    departments.former_departments_zh,
    departments.departments_plan_version,
    indicator.source_clause,
    concat_ws(';', indicator.caveat_zh, step_caveat.caveat_zh, form_caveat.caveat_zh) as caveat_zh,
    concat_ws('; ', indicator.caveat_en, step_caveat.caveat_en, form_caveat.caveat_en) as caveat_en,
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
inner join {{ ref('seed_unit') }} as unit
    on indicator.unit_zh = unit.unit_zh
inner join {{ ref('seed_method') }} as method
    on indicator.method = method.method
-- a count of who has a record of wages does not depend on how much they are
left join step_caveat
    on
        method.numerator_is != 'count'
        and step_caveat.feed = any(string_to_array(indicator.horizon_feeds, ','))
left join departments
    on indicator.indicator_code = departments.indicator_code
left join form_caveat
    on indicator.indicator_code = form_caveat.indicator_code
where indicator.is_built
