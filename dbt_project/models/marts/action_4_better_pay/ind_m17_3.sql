{{ indicator_config() }}

with

finance as (
    select * from {{ ref('fct_skill_finance') }}
),

slices as (
    {{ affected_slices() }}
),

cells as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        sum(finance.insured_persons) as numerator,
        sum(finance.insured_persons) as n_persons
    from finance
    inner join slices
        on
            finance.county_code = slices.area_code
            and finance.month = date_trunc('month', slices.period_end::timestamp)::date
    where finance.product = '02'
    group by slices.area_code, slices.period_type, slices.period_end
)

{{ base_cells(['numerator', 'n_persons']) }}
