{{ config(indexes=[
    {'columns': ['indicator_code', 'area_code', 'period_type', 'period_start', 'breakdown', 'breakdown_value'],
     'unique': true}
]) }}

with

indicator as (
    select
        *,
        method in ('count', 'sum', 'ratio_of_sums') as is_additive,
        string_to_array(horizon_feeds, ',') as horizon_feed_list
    from {{ ref('seed_indicator') }}
    where is_built
),

-- an indicator reaches as far as the least complete of its feeds, and nowhere while one of them has nothing
horizon as (
    select
        indicator.indicator_code,
        min(data_horizon.horizon_date) as horizon_date
    from indicator
    inner join {{ ref('data_horizon') }} as data_horizon
        on data_horizon.feed = any(indicator.horizon_feed_list)
    group by indicator.indicator_code, indicator.horizon_feed_list
    having count(*) = cardinality(indicator.horizon_feed_list)
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

zeros as (
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
        true as is_supplied
    from spine
    left join made
        on
            spine.indicator_code = made.indicator_code
            and spine.area_code = made.area_code
            and spine.period_type = made.period_type
            and spine.period_start = made.period_start
            and made.breakdown = 'total'
    where made.indicator_code is null
),

base as (
    select * from made
    union all
    select * from zeros
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
    where period.period_start <= horizon.horizon_date
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
),

-- a list of members that changed makes two years incomparable
period_ends as (
    select distinct period_end
    from {{ ref('dim_period') }}
),

member_list as (
    select
        member.area_code,
        period_ends.period_end,
        md5(string_agg(member.county_code, ',' order by member.county_code asc)) as list_hash
    from period_ends
    inner join {{ ref('area_member') }} as member
        on
            period_ends.period_end >= member.valid_from
            and period_ends.period_end < member.valid_to
    where member.area_level = 'group'
    group by member.area_code, period_ends.period_end
),

-- the list that a cell speaks of: the group itself, or the list in force behind a comparison with it
paired as (
    select
        cell.*,
        before.value as value_before,
        before.period_end as period_end_before,
        case
            when cell.breakdown = 'list' and cell.breakdown_value = 'in_force' then 'G-MI'
            else cell.area_code
        end as list_code
    from valued as cell
    left join valued as before
        on
            cell.indicator_code = before.indicator_code
            and cell.area_code = before.area_code
            and cell.period_type = before.period_type
            and cell.prior_year_start = before.period_start
            and cell.breakdown = before.breakdown
            and cell.breakdown_value = before.breakdown_value
),

compared as (
    select
        paired.*,
        case
            when coalesce(list_now.list_hash = list_before.list_hash, true) then paired.value - paired.value_before
        end as change_on_year
    from paired
    left join member_list as list_now
        on
            paired.list_code = list_now.area_code
            and paired.period_end = list_now.period_end
    left join member_list as list_before
        on
            paired.list_code = list_before.area_code
            and paired.period_end_before = list_before.period_end
),

-- the baseline is the seed's, or the indicator itself in the period that ends on the day of the baseline
target as (
    select
        seed_target.indicator_code,
        seed_target.area_code,
        seed_target.period_type,
        seed_target.baseline_date,
        seed_target.target_date,
        seed_target.target_value,
        coalesce(seed_target.baseline_value, own.value) as baseline_value
    from {{ ref('seed_target') }} as seed_target
    left join valued as own
        on
            seed_target.indicator_code = own.indicator_code
            and seed_target.area_code = own.area_code
            and seed_target.period_type = own.period_type
            and seed_target.baseline_date = own.period_end
            and own.breakdown = 'total'
),

aimed as (
    select
        compared.*,
        target.target_value,
        target.baseline_value
        + (target.target_value - target.baseline_value)
        * least(1, (compared.period_end - target.baseline_date)::numeric / (target.target_date - target.baseline_date))
            as expected_value
    from compared
    left join target
        on
            compared.indicator_code = target.indicator_code
            and compared.area_code = target.area_code
            and compared.period_type = target.period_type
            and compared.breakdown = 'total'
            and compared.period_end > target.baseline_date
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
    numerator,
    denominator,
    value,
    n_persons,
    n_employers,
    target_value,
    case
        when direction = 'down' then round(target_value / nullif(value, 0) * 100, 2)
        else round(value / nullif(target_value, 0) * 100, 2)
    end as target_progress,
    {{ target_status('value', 'target_value', 'expected_value', 'direction') }} as status,
    round(change_on_year, 4) as change_on_year,
    maturity,
    case
        when not is_supplied then 'not_supplied'
        when is_immature then 'immature'
        when value is null then 'not_applicable'
        else 'reported'
    end as value_status,
    audience,
    data_as_of
from aimed
