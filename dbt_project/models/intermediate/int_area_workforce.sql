with

stock as (
    select * from {{ ref('int_employment_stock') }}
),

slices as (
    {{ slices_of_readers() }}
),

area_member as (
    select * from {{ ref('area_member') }}
),

areas as (
    select distinct
        area_code,
        period_end
    from slices
),

-- membership and stock are those at the end of the period
members as (
    select
        areas.area_code,
        areas.period_end,
        area_member.county_code
    from areas
    inner join area_member
        on
            areas.area_code = area_member.area_code
            and areas.period_end >= area_member.valid_from
            and areas.period_end < area_member.valid_to
),

-- persons of one county add up over counties; those of several are told apart in each area
county_counts as (
    select
        period_end,
        work_area_code,
        registration_kind,
        count(*) as n_employed,
        count(*) filter (where is_certified) as n_certified,
        count(*) filter (where is_high_skilled) as n_high_skilled
    from stock
    where is_in_one_county
    group by period_end, work_area_code, registration_kind
),

several_counties as (
    select
        members.area_code,
        members.period_end,
        stock.registration_kind,
        stock.is_certified,
        stock.is_high_skilled,
        row_number() over (
            partition by members.area_code, members.period_end, stock.person_id
            order by stock.start_date desc, stock.employer_code collate "C" desc
        ) as spell_rank
    from stock
    inner join members
        on
            stock.period_end = members.period_end
            and stock.work_area_code = members.county_code
    where not stock.is_in_one_county
),

parts as (
    select
        members.area_code,
        members.period_end,
        county_counts.registration_kind,
        county_counts.n_employed,
        county_counts.n_certified,
        county_counts.n_high_skilled
    from county_counts
    inner join members
        on
            county_counts.period_end = members.period_end
            and county_counts.work_area_code = members.county_code
    union all
    select
        area_code,
        period_end,
        registration_kind,
        count(*) as n_employed,
        count(*) filter (where is_certified) as n_certified,
        count(*) filter (where is_high_skilled) as n_high_skilled
    from several_counties
    where spell_rank = 1
    group by area_code, period_end, registration_kind
),

workforce as (
    select
        area_code,
        period_end,
        sum(n_employed)::bigint as n_employed,
        sum(n_certified)::bigint as n_certified,
        sum(n_high_skilled)::bigint as n_high_skilled,
        sum(case when registration_kind = '1' then n_employed else 0 end)::bigint as n_urban,
        sum(case when registration_kind = '1' then n_certified else 0 end)::bigint as n_urban_certified,
        sum(case when registration_kind = '2' then n_employed else 0 end)::bigint as n_rural,
        sum(case when registration_kind = '2' then n_certified else 0 end)::bigint as n_rural_certified
    from parts
    group by area_code, period_end
)

select * from workforce
