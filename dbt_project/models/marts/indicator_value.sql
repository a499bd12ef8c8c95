{{ config(indexes=[
    {'columns': ['indicator_code', 'area_code', 'period_type', 'period_start', 'breakdown', 'breakdown_value'],
     'unique': true}
]) }}

with

cell as (
    select
        cell.*,
        suppressed.reason is not null as is_suppressed,
        prior_suppressed.reason is not null as is_prior_suppressed
    from {{ ref('indicator_cell') }} as cell
    left join {{ source('build_step', 'suppressed_cell') }} as suppressed
        on
            cell.indicator_code = suppressed.indicator_code
            and cell.area_code = suppressed.area_code
            and cell.period_type = suppressed.period_type
            and cell.period_start = suppressed.period_start
            and cell.breakdown = suppressed.breakdown
            and cell.breakdown_value = suppressed.breakdown_value
    -- with this year's value and the change, last year's would follow
    left join {{ source('build_step', 'suppressed_cell') }} as prior_suppressed
        on
            cell.indicator_code = prior_suppressed.indicator_code
            and cell.area_code = prior_suppressed.area_code
            and cell.period_type = prior_suppressed.period_type
            and (cell.period_start - interval '1 year')::date = prior_suppressed.period_start
            and cell.breakdown = prior_suppressed.breakdown
            and cell.breakdown_value = prior_suppressed.breakdown_value
)

select
    indicator_code,
    area_code,
    area_level,
    period_type,
    period_start,
    period_end,
    period_label,
    breakdown,
    breakdown_value,
    case when not is_suppressed then numerator end as numerator,
    case when not is_suppressed then denominator end as denominator,
    case when not is_suppressed then value end as value,
    case when not is_suppressed then n_persons end as n_persons,
    case when not is_suppressed then n_employers end as n_employers,
    target_value,
    case when not is_suppressed then target_progress end as target_progress,
    case when is_suppressed then 'no_target' else status end as status,
    case when not is_suppressed and not is_prior_suppressed then change_on_year end as change_on_year,
    maturity,
    case when is_suppressed then 'suppressed' else value_status end as value_status,
    audience,
    data_as_of
from cell
