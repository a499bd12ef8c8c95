{{ config(indexes=[
    {'columns': ['indicator_code', 'area_code', 'period_type', 'period_end']}
]) }}

with

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

seed_method as (
    select * from {{ ref('seed_method') }}
),

indicator_base as (
    select * from {{ ref('indicator_base') }}
),

indicator_rollup as (
    select * from {{ ref('indicator_rollup') }}
),

indicator_zero as (
    select * from {{ ref('indicator_zero') }}
),

indicator_part as (
    select * from {{ ref('indicator_part') }}
),

covered_periods as (
    select * from {{ ref('int_covered_period') }}
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

dim_area as (
    select * from {{ ref('dim_area') }}
),

candidates as (
    select
        indicator_base.*,
        1 as preference
    from indicator_base
    union all
    select
        indicator_rollup.*,
        1 as preference
    from indicator_rollup
    union all
    select
        indicator_zero.*,
        2 as preference
    from indicator_zero
),

-- sorted, not joined: the planner does not know how many zeros there are
chosen as (
    select
        candidates.*,
        row_number() over (
            partition by
                candidates.indicator_code,
                candidates.area_code,
                candidates.period_type,
                candidates.period_end,
                candidates.breakdown,
                candidates.breakdown_value
            order by candidates.preference asc
        ) as choice
    from candidates
),

-- what adds up has parts below the levels that it is served at
part_levels as (
    select
        indicator_code,
        breakdown,
        breakdown_value,
        array_agg(area_level) as area_levels
    from indicator_part
    group by indicator_code, breakdown, breakdown_value
),

described as (
    select
        chosen.*,
        dim_area.area_level,
        dim_period.period_start,
        dim_period.period_label,
        dim_period.prior_year_end,
        seed_method.value_from,
        seed_indicator.time_basis,
        seed_indicator.unit_scale,
        -- what is public of the province may be internal below it
        case
            when seed_indicator.audience != 'province' then seed_indicator.audience
            when dim_area.area_level = 'province' then 'public'
            else 'internal'
        end as audience,
        covered_periods.covered_to as feeds_covered_to,
        covered_periods.window_end,
        covered_periods.settles_on,
        covered_periods.is_window_open,
        covered_periods.is_settled
    from chosen
    inner join seed_indicator
        on chosen.indicator_code = seed_indicator.indicator_code
    inner join seed_method
        on seed_indicator.method = seed_method.method
    inner join covered_periods
        on
            chosen.indicator_code = covered_periods.indicator_code
            and chosen.period_type = covered_periods.period_type
            and chosen.period_end = covered_periods.period_end
    inner join dim_period
        on
            chosen.period_type = dim_period.period_type
            and chosen.period_end = dim_period.period_end
    inner join dim_area
        on chosen.area_code = dim_area.area_code
    left join part_levels
        on
            chosen.indicator_code = part_levels.indicator_code
            and chosen.breakdown = part_levels.breakdown
            and chosen.breakdown_value = part_levels.breakdown_value
    where
        chosen.choice = 1
        and dim_area.area_level = any(coalesce(part_levels.area_levels, string_to_array(seed_indicator.levels, ',')))
),

-- what is looked for in a window that has not ended cannot be known yet
known as (
    select
        indicator_code,
        area_code,
        area_level,
        period_type,
        period_start,
        period_end,
        period_label,
        prior_year_end,
        breakdown,
        breakdown_value,
        case when not is_window_open then numerator end as numerator,
        denominator,
        case when not is_window_open then comparison_numerator end as comparison_numerator,
        comparison_denominator,
        case when not is_window_open then value end as value,
        n_persons,
        case when not is_window_open then n_numerator_persons end as n_numerator_persons,
        case when not is_window_open then n_complement_persons end as n_complement_persons,
        n_employers,
        largest_employer_share,
        source_kind,
        is_supplied,
        is_window_open as is_immature,
        value_from,
        unit_scale,
        audience,
        case when is_settled then 'final' else 'provisional' end as maturity,
        case when time_basis in ('stock', 'published') then period_end else period_start end as covered_from,
        case when time_basis = 'cohort' then least(window_end, feeds_covered_to) else period_end end as covered_to,
        least(settles_on, feeds_covered_to) as data_as_of
    from described
),

valued as (
    select
        indicator_code,
        area_code,
        area_level,
        period_type,
        period_start,
        period_end,
        period_label,
        prior_year_end,
        breakdown,
        breakdown_value,
        numerator,
        denominator,
        comparison_numerator,
        comparison_denominator,
        case
            when is_supplied and not is_immature
                then {{ cell_value() }}
        end as value,
        n_persons,
        n_numerator_persons,
        n_complement_persons,
        n_employers,
        largest_employer_share,
        source_kind,
        is_supplied,
        is_immature,
        audience,
        maturity,
        covered_from,
        covered_to,
        data_as_of
    from known
)

select * from valued
