{{ config(indexes=[{'columns': ['place_code', 'valid_from']}]) }}

with

townships as (
    select * from {{ ref('dim_place') }}
    where place_kind in ('1', '2', '3')
),

sites as (
    select * from {{ ref('dim_training_site') }}
),

terrains as (
    select
        of_county.county_code,
        terrain.detour_factor,
        terrain.speed_km_per_hour,
        terrain.ferry_minutes
    from {{ ref('seed_county_terrain') }} as of_county
    inner join {{ ref('seed_travel_terrain') }} as terrain
        on of_county.terrain = terrain.terrain
),

asked as (
    select max(breakdown_value::integer) as minutes
    from {{ ref('seed_breakdown_value') }}
    where breakdown = 'minutes'
),

-- the longest time that is asked for, and the degrees that it reaches at most: one of longitude is 94 km or more here
farthest as (
    select
        asked.minutes,
        asked.minutes * max(terrains.speed_km_per_hour / terrains.detour_factor) / 60 / 94 as degrees
    from asked
    cross join terrains
    group by asked.minutes
),

near as (
    select
        townships.place_code,
        townships.valid_from,
        sites.site_id,
        -- great circle (haversine) on a sphere of the earth's mean radius
        2 * 6371.0088 * asin(sqrt(
            sin(radians(sites.latitude - townships.latitude) / 2) ^ 2
            + cos(radians(townships.latitude)) * cos(radians(sites.latitude))
            * sin(radians(sites.longitude - townships.longitude) / 2) ^ 2
        )) as distance_km,
        here.detour_factor,
        here.speed_km_per_hour,
        case
            when
                townships.county_code = sites.county_code
                and townships.township_name = sites.township_name
                then 0
            else greatest(here.ferry_minutes, there.ferry_minutes)
        end as ferry_minutes
    from townships
    cross join farthest
    inner join sites
        on
            abs(sites.latitude - townships.latitude) <= farthest.degrees
            and abs(sites.longitude - townships.longitude) <= farthest.degrees
    inner join terrains as here
        on townships.county_code = here.county_code
    inner join terrains as there
        on sites.county_code = there.county_code
    where
        townships.longitude is not null
        and sites.longitude is not null
),

estimated as (
    select
        place_code,
        valid_from,
        site_id,
        distance_km * detour_factor / speed_km_per_hour * 60 + ferry_minutes as minutes
    from near
),

measured as (
    select
        townships.place_code,
        townships.valid_from,
        sites.site_id,
        travel_time.minutes
    from {{ ref('seed_travel_time') }} as travel_time
    inner join townships
        on travel_time.place_code = townships.place_code
    inner join sites
        on travel_time.site_id = sites.site_id
),

-- what is measured takes the place of its estimate, even where it is longer than anybody asks for
known as (
    select
        coalesce(measured.place_code, estimated.place_code) as place_code,
        coalesce(measured.valid_from, estimated.valid_from) as valid_from,
        coalesce(measured.site_id, estimated.site_id) as site_id,
        coalesce(measured.minutes, estimated.minutes) as minutes,
        measured.site_id is not null as is_measured
    from estimated
    full outer join measured
        on
            estimated.place_code = measured.place_code
            and estimated.valid_from = measured.valid_from
            and estimated.site_id = measured.site_id
)

select
    known.place_code,
    known.valid_from,
    known.site_id,
    known.minutes,
    known.is_measured
from known
inner join farthest
    on known.minutes <= farthest.minutes
