{{ indicator_config() }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

members as (
    {{ slice_members() }}
),

-- whoever has a wage record in the quarter, in however many of its months
paid as (
    select *
    from exits
    where has_wage_record_in_quarter_2
),

-- by the day of exit: the median of a year is that of the persons of its quarters
cohort as (
    {{ in_members('paid', county='residence_area_code', day='exit_on') }}
),

parts as (
    {{ total_and_parts('cohort', ['at_entry']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        round((percentile_cont(0.5) within group (order by quarter_2_wage_cny::double precision))::numeric, 4) as value,
        count(*) as n_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['value', 'n_persons']) }}
