{{ config(
    indexes=[
        {'columns': ['indicator_code', 'area_code', 'period_type', 'period_end', 'breakdown', 'breakdown_value'],
         'unique': true}
    ],
    pre_hook=hash_joins()
) }}

with

indicator_measured as (
    select * from {{ ref('indicator_measured') }}
),

-- read three times: copied once, it would be without statistics
cells as not materialized (
    select
        *,
        false as is_suppressed,
        true as is_exact,
        0 as rounding_error
    from indicator_measured
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
    n_persons,
    n_employers,
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
    audience,
    data_as_of
from compared
