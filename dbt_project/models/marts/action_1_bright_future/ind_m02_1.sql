{{ indicator_config() }}

with

places as (
    select * from {{ ref('dim_place') }}
    where tier is not null
),

open_sites as (
    select * from {{ ref('int_open_site') }}
),

slices as (
    {{ affected_slices() }}
),

-- a site that names its place covers that one; of one that does not only the township is known
sites_at_places as (
    select distinct
        period_end,
        place_code
    from open_sites
    where place_code is not null
),

sites_in_townships as (
    select distinct
        period_end,
        county_code,
        township_name
    from open_sites
    where place_code is null
),

axis_places as (
    select
        places.tier,
        slices.area_code,
        slices.period_type,
        slices.period_end,
        sites_at_places.place_code is not null or sites_in_townships.township_name is not null as is_covered
    from places
    inner join slices
        on
            places.county_code = slices.area_code
            and places.valid_from <= slices.period_end
            and (places.valid_until >= slices.period_end or places.valid_until is null)
    left join sites_at_places
        on
            slices.period_end = sites_at_places.period_end
            and places.place_code = sites_at_places.place_code
    left join sites_in_townships
        on
            slices.period_end = sites_in_townships.period_end
            and places.county_code = sites_in_townships.county_code
            and places.township_name = sites_in_townships.township_name
),

broken_down as (
    {{ total_and_parts('axis_places', ['tier']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_covered) as numerator,
        count(*) as denominator
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator']) }}
