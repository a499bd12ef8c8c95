{{ indicator_config() }}

with

returns as (
    select * from {{ ref('fct_state_enterprise_year') }}
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

slices as (
    {{ affected_slices() }}
),

-- an enterprise that returned nothing this year stands where it stood the year before
states as (
    select
        returns.uscc,
        returns.registration_area_code,
        returns.year_end as period_end,
        case when before.uscc is null then 'new' else 'both' end as return_state
    from returns
    left join returns as before
        on
            returns.uscc = before.uscc
            and returns.year_start = before.year_end + 1
    union all
    select
        before.uscc,
        before.registration_area_code,
        (before.year_end + interval '1 year')::date as period_end,
        'lost' as return_state
    from returns as before
    left join returns as later
        on
            before.uscc = later.uscc
            and before.year_end + 1 = later.year_start
    where later.uscc is null
),

with_base as (
    select
        slices.area_code,
        slices.area_level,
        slices.period_type,
        slices.period_end,
        base.period_end is not null as has_base
    from slices
    left join covered_periods as base
        on
            slices.indicator_code = base.indicator_code
            and slices.period_type = base.period_type
            and slices.period_start - 1 = base.period_end
),

with_two_returns as (
    select *
    from with_base
    where has_base
),

-- without returns of the year before every enterprise would look new
with_one_return as (
    select *
    from with_base
    where not has_base
),

in_period as (
    select
        with_two_returns.area_code,
        with_two_returns.period_type,
        with_two_returns.period_end,
        states.return_state
    from states
    inner join with_two_returns
        on
            states.registration_area_code = with_two_returns.area_code
            and states.period_end = with_two_returns.period_end
),

broken_down as (
    {{ total_and_parts('in_period', ['return_state']) }}
),

counted as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator,
        count(*) as n_employers,
        1.0 / count(*) as largest_employer_share
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

unknown as (
    {{ unknown_cells('with_one_return') }}
),

cells as (
    select * from counted
    union all
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        null as numerator,
        null as n_employers,
        null as largest_employer_share
    from unknown
)

{{ base_cells(['numerator', 'n_employers', 'largest_employer_share']) }}
