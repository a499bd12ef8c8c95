{{ config(materialized='view') }}

with

area_member as (
    select * from {{ ref('area_member') }}
),

dim_area as (
    select * from {{ ref('dim_area') }}
),

seed_county_list as (
    select * from {{ ref('seed_county_list') }}
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

seed_breakdown as (
    select * from {{ ref('seed_breakdown') }}
),

seed_breakdown_value as (
    select * from {{ ref('seed_breakdown_value') }}
),

seed_measure as (
    select * from {{ ref('seed_measure') }}
),

seed_composition as (
    select * from {{ ref('seed_composition') }}
),

seed_subset as (
    select * from {{ ref('seed_subset') }}
),

-- the days on which the members of an area change cut its time into stretches of one list each
stretches as (
    select
        area_code,
        day as valid_from,
        lead(day, 1, '9999-12-31'::date) over (partition by area_code order by day asc) as valid_to
    from (
        select
            area_code,
            valid_from as day
        from area_member
        where area_level in ('city', 'province', 'group')
        union
        select
            area_code,
            valid_to as day
        from area_member
        where area_level in ('city', 'province', 'group')
    ) as days
),

members as (
    select
        'area' as kind,
        'members' as partition,
        area_member.area_code as whole,
        area_member.county_code as part,
        stretches.valid_from,
        stretches.valid_to
    from stretches
    inner join area_member
        on
            stretches.area_code = area_member.area_code
            and stretches.valid_from >= area_member.valid_from
            and stretches.valid_from < area_member.valid_to
    where stretches.valid_from < stretches.valid_to
),

-- the province is its cities and the areas outside of them
cities as (
    select
        'area' as kind,
        'cities' as partition,
        parent_code as whole,
        area_code as part,
        valid_from,
        valid_to
    from dim_area
    where
        area_level in ('city', 'other')
        and parent_code = '330000'
),

-- a list, the counties that are not on it, and what is no county
lists as (
    select
        'area' as kind,
        seed_county_list.list_code as partition,
        '330000' as whole,
        side.area_code as part,
        listed.valid_from,
        listed.valid_to
    from seed_county_list
    inner join dim_area as listed
        on seed_county_list.group_code = listed.area_code
    inner join dim_area as side
        on
            side.area_code in (seed_county_list.group_code, seed_county_list.rest_code)
            or side.area_level = 'other'
),

-- a quarter is three months, a year four quarters; a year to date is the one before and what came since
spans as (
    select
        longer.period_type || ' ' || longer.period_end as whole,
        shorter.period_type || ' ' || shorter.period_end as part,
        longer.period_type || ' of ' || shorter.period_type as partition
    from dim_period as longer
    inner join dim_period as shorter
        on
            longer.period_start <= shorter.period_start
            and longer.period_end >= shorter.period_end
            and (
                (longer.period_type = 'quarter' and shorter.period_type = 'month')
                or (longer.period_type in ('year', 'ytd') and shorter.period_type in ('quarter', 'month'))
            )
    where
        longer.period_type in ('quarter', 'year')
        or shorter.period_type = 'month'
        or extract(month from longer.period_end) in (3, 6, 9)
),

steps as (
    select
        longer.period_type || ' ' || longer.period_end as whole,
        earlier.period_type || ' ' || earlier.period_end as earlier_part,
        rest.period_type || ' ' || rest.period_end as later_part,
        longer.period_type || ' and ' || rest.period_type as partition
    from dim_period as longer
    inner join dim_period as earlier
        on
            earlier.period_type = 'ytd'
            and longer.period_start = earlier.period_start
    inner join dim_period as rest
        on
            earlier.period_end + 1 = rest.period_start
            and longer.period_end = rest.period_end
            and rest.period_type in ('month', 'quarter')
    where longer.period_type in ('ytd', 'year')
),

summed as (
    select
        partition,
        whole,
        part
    from spans
    union all
    select
        partition,
        whole,
        earlier_part as part
    from steps
    union all
    select
        partition,
        whole,
        later_part as part
    from steps
),

periods as (
    select
        'period' as kind,
        partition,
        whole,
        part,
        '1900-01-01'::date as valid_from,
        '9999-12-31'::date as valid_to
    from summed
),

-- parts that do not overlap add up to the total, or only their numerators do: each is a share of all persons then
parts as (
    select
        case when seed_breakdown.parts_add_up then 'part' else 'numerator' end as kind,
        seed_breakdown.breakdown as partition,
        seed_breakdown.breakdown as whole,
        seed_breakdown_value.breakdown_value as part,
        '1900-01-01'::date as valid_from,
        '9999-12-31'::date as valid_to
    from seed_breakdown
    inner join seed_breakdown_value
        on seed_breakdown.breakdown = seed_breakdown_value.breakdown
    where
        seed_breakdown.numerators_add_up_to = 'numerator'
        and seed_breakdown.breakdown != 'total'
),

-- shares that are together 100: their numerators add up to what each is a share of
shares as (
    select distinct
        seed_breakdown.breakdown as partition,
        denominator.measure || ' ' || denominator.part as whole,
        numerator.measure || ' ' || numerator.part as part
    from seed_breakdown
    inner join seed_measure as numerator
        on
            seed_breakdown.breakdown = numerator.breakdown
            and numerator.side = 'numerator'
    inner join seed_measure as denominator
        on
            numerator.indicator_code = denominator.indicator_code
            and numerator.breakdown = denominator.breakdown
            and numerator.breakdown_value = denominator.breakdown_value
            and denominator.side = 'denominator'
    where seed_breakdown.numerators_add_up_to = 'denominator'
),

composed as (
    select
        partition,
        whole,
        part
    from shares
    union all
    select
        'composition' as partition,
        measure || ' ' || whole as whole,
        measure || ' ' || part as part
    from seed_composition
),

counts as (
    select
        'count' as kind,
        partition,
        whole,
        part,
        '1900-01-01'::date as valid_from,
        '9999-12-31'::date as valid_to
    from composed
),

-- which of them is never more than which: every part within all of its measure, and what is declared
nested as (
    select distinct
        'any' as partition,
        whole.measure || ' ' || whole.part as whole,
        seed_measure.measure || ' ' || seed_measure.part as part
    from seed_measure
    inner join seed_measure as whole
        on seed_measure.measure = whole.measure
    where
        whole.part = 'all'
        and seed_measure.part != 'all'
    union all
    select
        period_types as partition,
        whole_measure || ' ' || whole_part as whole,
        measure || ' ' || part as part
    from seed_subset
    where whole_measure != 'none'
),

subsets as (
    select
        'subset' as kind,
        partition,
        whole,
        part,
        '1900-01-01'::date as valid_from,
        '9999-12-31'::date as valid_to
    from nested
)

select * from members
union all
select * from cities
union all
select * from lists
union all
select * from periods
union all
select * from parts
union all
select * from counts
union all
select * from subsets
