{{ config(
    indexes=[
        {'columns': ['indicator_code', 'area_code', 'period_type', 'period_end', 'breakdown', 'breakdown_value'],
         'unique': true}
    ],
    pre_hook=hash_joins()
) }}

with

-- read three times: copied once, it would be without statistics
cells as not materialized (
    select * from {{ ref('indicator_shown') }}
),

{{ compared_cells() }}

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
    side_numerator as numerator,
    side_denominator as denominator,
    value,
    target_value,
    target_progress,
    due_progress,
    time_progress,
    status,
    change_on_year,
    change_unit,
    maturity,
    value_status,
    covered_from,
    covered_to,
    source_kind,
    case
        when is_suppressed then null
        when is_exact then 'none'
        else 'tens'
    end as rounding,
    audience,
    data_as_of
from compared
