{{ config(indexes=[
    {'columns': ['indicator_code', 'area_code', 'period_type', 'period_start', 'breakdown', 'breakdown_value'],
     'unique': true}
]) }}

with

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

-- the counties that a cell speaks of: those of its area, or those on the list that it compares with the rest
paired as (
    select
        cell.*,
        before.value as value_before,
        before.period_end as period_end_before,
        coalesce(county_list.group_code, cell.area_code) as members_code
    from {{ ref('indicator_measured') }} as cell
    left join {{ ref('indicator_measured') }} as before
        on
            cell.indicator_code = before.indicator_code
            and cell.area_code = before.area_code
            and cell.period_type = before.period_type
            and cell.prior_year_start = before.period_start
            and cell.breakdown = before.breakdown
            and cell.breakdown_value = before.breakdown_value
    left join {{ ref('seed_county_list') }} as county_list
        on
            cell.breakdown = 'list'
            and cell.breakdown_value = county_list.list_code
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
            paired.members_code = list_now.area_code
            and paired.period_end = list_now.period_end
    left join member_list as list_before
        on
            paired.members_code = list_before.area_code
            and paired.period_end_before = list_before.period_end
),

-- where two versions of the plan state the same target, the later one's counts
stated_target as (
    select
        stated.*,
        row_number() over (
            partition by stated.indicator_code, stated.area_code, stated.period_type, stated.target_date
            order by plan_version.issued_on desc
        ) as choice
    from {{ ref('seed_target') }} as stated
    inner join {{ ref('seed_plan_version') }} as plan_version
        on stated.plan_version = plan_version.plan_version
),

-- the baseline is the seed's, or the indicator itself in the period that ends on the day of the baseline
target as (
    select
        stated_target.indicator_code,
        stated_target.area_code,
        stated_target.period_type,
        stated_target.baseline_date,
        stated_target.target_date,
        stated_target.target_value,
        coalesce(stated_target.baseline_value, own.value) as baseline_value
    from stated_target
    left join {{ ref('indicator_measured') }} as own
        on
            stated_target.indicator_code = own.indicator_code
            and stated_target.area_code = own.area_code
            and stated_target.period_type = own.period_type
            and stated_target.baseline_date = own.period_end
            and own.breakdown = 'total'
    where stated_target.choice = 1
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
