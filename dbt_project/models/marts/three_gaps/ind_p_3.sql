{{ indicator_config() }}

with

newly_skilled as (
    select * from {{ ref('int_newly_skilled') }}
),

slices as (
    {{ affected_slices() }}
),

in_period as (
    {{ in_slices('newly_skilled', area='issue_area_code', day='issued_on') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        case kind when 'skilled' then 'total' else 'newly_high_skilled' end as breakdown,
        case kind when 'skilled' then 'total' else 'newly_high_skilled' end as breakdown_value,
        count(*) as numerator,
        count(*) as n_persons
    from in_period
    group by area_code, period_type, period_end, kind
)

{{ base_cells(['numerator', 'n_persons']) }}
