{{ config(indexes=[{'columns': ['place_code', 'valid_from']}]) }}

with

townships as (
    select * from {{ ref('dim_place') }}
    where
        place_kind in ('1', '2', '3')
        and longitude is not null
),

sites as (
    select * from {{ ref('dim_training_site') }}
    where longitude is not null
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
),

-- an estimate: a table of measured times takes the place of this model
estimated as (
    select
        place_code,
        valid_from,
        site_id,
        distance_km * detour_factor / speed_km_per_hour * 60 + ferry_minutes as minutes
    from near
)

select
    estimated.place_code,
    estimated.valid_from,
    estimated.site_id,
    estimated.minutes
from estimated
inner join farthest
    on estimated.minutes <= farthest.minutes
