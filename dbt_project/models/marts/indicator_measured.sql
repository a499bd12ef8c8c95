{{ config(indexes=[
    {'columns': ['indicator_code', 'area_code', 'period_type', 'period_start']}
]) }}

with

indicator as (
    select
        *,
        method in ('count', 'sum', 'ratio_of_sums') as is_additive
    from {{ ref('seed_indicator') }}
    where is_built
),

horizon as (
    select * from {{ ref('int_indicator_horizon') }}
),

made as (
    select * from {{ ref('indicator_base') }}
    union all
    select * from {{ ref('indicator_rollup') }}
),

-- an additive indicator has a cell for every area once its feeds cover the period: nothing counted is a true zero
spine as (
    select
        indicator.indicator_code,
        area.area_code,
        period.period_type,
        period.period_start,
        indicator.method
    from indicator
    inner join horizon
        on indicator.indicator_code = horizon.indicator_code
    inner join {{ ref('dim_period') }} as period
        on
            period.period_type = any(string_to_array(indicator.period_types, ','))
            and indicator.first_period <= period.period_end
            and horizon.horizon_date >= period.period_start
    inner join {{ ref('dim_area') }} as area
        on
            area.area_level = any(string_to_array(indicator.levels, ','))
            and period.period_end >= area.valid_from
            and period.period_end < area.valid_to
    where indicator.is_additive
),

candidates as (
    select
        made.*,
        1 as preference
    from made

    union all

    select
        spine.indicator_code,
        spine.area_code,
        spine.period_type,
        spine.period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        0::numeric as numerator,
        case when spine.method = 'ratio_of_sums' then 0::numeric end as denominator,
        null::numeric as value,
        0::bigint as n_persons,
        null::bigint as n_employers,
        true as is_supplied,
        2 as preference
    from spine
),

-- sorted, not joined: the planner knows nothing of how many cells a spine has
base as (
    select
        candidates.*,
        row_number() over (
            partition by
                candidates.indicator_code,
                candidates.area_code,
                candidates.period_type,
                candidates.period_start,
                candidates.breakdown,
                candidates.breakdown_value
            order by candidates.preference asc
        ) as choice
    from candidates
),

described as (
    select
        base.*,
        area.area_level,
        period.period_end,
        period.period_label,
        period.prior_year_start,
        indicator.method,
        indicator.unit_scale,
        indicator.direction,
        indicator.audience,
        horizon.horizon_date,
        -- the end of the month that lies so many months after the period
        (period.period_end + 1 + make_interval(months => indicator.matures_after_months))::date - 1 as mature_on,
        indicator.outcome_after_months > 0
        and (base.period_start + make_interval(months => indicator.outcome_after_months))::date > horizon.horizon_date
            as is_immature
    from base
    inner join indicator
        on base.indicator_code = indicator.indicator_code
    inner join horizon
        on base.indicator_code = horizon.indicator_code
    inner join {{ ref('dim_period') }} as period
        on
            base.period_type = period.period_type
            and base.period_start = period.period_start
    inner join {{ ref('dim_area') }} as area
        on base.area_code = area.area_code
    where
        base.choice = 1
        and period.period_start <= horizon.horizon_date
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
        prior_year_start,
        breakdown,
        breakdown_value,
        case when not is_immature then numerator end as numerator,
        denominator,
        case
            when is_immature or not is_supplied then null
            when value is not null then round(value, 4)
            when method in ('count', 'sum') then round(numerator * unit_scale, 4)
            when denominator != 0 then round(numerator / denominator * unit_scale, 4)
        end as value,
        n_persons,
        n_employers,
        direction,
        audience,
        is_supplied,
        is_immature,
        case when mature_on <= horizon_date then 'final' else 'provisional' end as maturity,
        least(mature_on, horizon_date) as data_as_of
    from described
)

select * from valued
