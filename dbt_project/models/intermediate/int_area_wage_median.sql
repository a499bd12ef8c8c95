with

wages as (
    select * from {{ ref('fct_wage') }}
),

holders as (
    select * from {{ ref('int_holder_level') }}
),

affected_slices as (
    select * from {{ ref('int_affected_slice') }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

areas as (
    select distinct
        area_code,
        period_type,
        period_start,
        period_end,
        reference_date
    from affected_slices
    where
        indicator_code in ('M14-2', 'M14-4', 'G3-1')
        and period_start <= horizon_date
),

members as (
    select
        areas.area_code,
        areas.period_type,
        areas.period_start,
        area_member.county_code
    from areas
    inner join area_member
        on
            areas.area_code = area_member.area_code
            and area_member.valid_from <= areas.period_end
            and areas.period_end < area_member.valid_to
),

period_months as (
    select distinct
        areas.period_type,
        areas.period_start,
        areas.reference_date,
        dim_period.period_start as wage_month
    from areas
    inner join dim_period
        on
            dim_period.period_type = 'month'
            and dim_period.period_start between areas.period_start and areas.period_end
),

month_wages as (
    select
        person_id,
        work_county_code,
        wage_month,
        sum(wage_cny_month) as wage_cny_month
    from wages
    where
        scheme = '110'
        and payment_type = '01'
        and wage_month in (select period_months.wage_month from period_months)
    group by person_id, work_county_code, wage_month
),

placed as (
    select
        period_months.period_type,
        period_months.period_start,
        period_months.reference_date,
        month_wages.person_id,
        month_wages.work_county_code,
        month_wages.wage_month,
        month_wages.wage_cny_month
    from month_wages
    inner join period_months
        on month_wages.wage_month = period_months.wage_month
),

person_periods as (
    select
        period_type,
        period_start,
        reference_date,
        person_id,
        min(work_county_code) as first_county_code,
        max(work_county_code) as last_county_code,
        sum(wage_cny_month) as wage_sum_cny,
        count(*) as n_rows
    from placed
    group by period_type, period_start, reference_date, person_id
),

levelled as (
    select
        person_periods.*,
        holders.level_rank,
        coalesce(holders.level_code, 'none') as skill_level
    from person_periods
    left join holders
        on
            person_periods.reference_date = holders.reference_date
            and person_periods.person_id = holders.person_id
),

one_county_wages as (
    select
        members.area_code,
        levelled.period_type,
        levelled.period_start,
        levelled.skill_level,
        levelled.level_rank,
        levelled.wage_sum_cny / levelled.n_rows as wage_cny_month
    from levelled
    inner join members
        on
            levelled.period_type = members.period_type
            and levelled.period_start = members.period_start
            and levelled.first_county_code = members.county_code
    where levelled.first_county_code = levelled.last_county_code
),

-- a month with wages in two counties of an area is one month of the area
several_counties_wages as (
    select
        members.area_code,
        levelled.period_type,
        levelled.period_start,
        levelled.skill_level,
        levelled.level_rank,
        sum(placed.wage_cny_month) / count(distinct placed.wage_month) as wage_cny_month
    from levelled
    inner join placed
        on
            levelled.period_type = placed.period_type
            and levelled.period_start = placed.period_start
            and levelled.person_id = placed.person_id
    inner join members
        on
            placed.period_type = members.period_type
            and placed.period_start = members.period_start
            and placed.work_county_code = members.county_code
    where levelled.first_county_code <> levelled.last_county_code
    group by
        members.area_code,
        levelled.period_type,
        levelled.period_start,
        levelled.skill_level,
        levelled.level_rank,
        levelled.person_id
),

area_wages as (
    select * from one_county_wages
    union all
    select * from several_counties_wages
),

grouped as (
    select
        area_code,
        period_type,
        period_start,
        skill_level as level_group,
        wage_cny_month
    from area_wages
    union all
    select
        area_code,
        period_type,
        period_start,
        case when level_rank >= 3 then 'high' else 'basic' end as level_group,
        wage_cny_month
    from area_wages
    where
        period_type = 'year'
        and level_rank is not null
),

medians as (
    select
        area_code,
        period_type,
        period_start,
        level_group,
        (percentile_cont(0.5) within group (order by wage_cny_month::double precision))::numeric as median_cny_month,
        count(*) as n_persons
    from grouped
    group by area_code, period_type, period_start, level_group
)

select * from medians
