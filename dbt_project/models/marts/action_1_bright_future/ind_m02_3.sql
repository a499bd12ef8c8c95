{{ indicator_config() }}

with

townships as (
    select * from {{ ref('dim_place') }}
    where place_kind in ('1', '2', '3')
),

travel_times as (
    select * from {{ ref('int_site_travel_time') }}
),

open_sites as (
    select * from {{ ref('int_open_site') }}
),

minutes as (
    select
        breakdown_value,
        breakdown_value::integer as at_most
    from {{ ref('seed_breakdown_value') }}
    where breakdown = 'minutes'
),

slices as (
    {{ affected_slices() }}
),

placed as (
    select
        townships.place_code,
        townships.valid_from,
        townships.population,
        townships.longitude is not null as is_located,
        slices.area_code,
        slices.period_type,
        slices.period_end
    from townships
    inner join slices
        on
            townships.county_code = slices.area_code
            and townships.valid_from <= slices.period_end
            and (townships.valid_until >= slices.period_end or townships.valid_until is null)
),

-- to the nearest site that is open then, in whatever county
nearest as (
    select
        travel_times.place_code,
        travel_times.valid_from,
        open_sites.period_end,
        min(travel_times.minutes) as minutes
    from travel_times
    inner join open_sites
        on travel_times.site_id = open_sites.site_id
    group by travel_times.place_code, travel_times.valid_from, open_sites.period_end
),

reached as (
    select
        placed.area_code,
        placed.period_type,
        placed.period_end,
        placed.population,
        placed.is_located or nearest.minutes is not null as is_located,
        nearest.minutes
    from placed
    left join nearest
        on
            placed.place_code = nearest.place_code
            and placed.valid_from = nearest.valid_from
            and placed.period_end = nearest.period_end
),

by_minutes as (
    select
        reached.area_code,
        reached.period_type,
        reached.period_end,
        minutes.breakdown_value,
        coalesce(sum(reached.population) filter (where reached.minutes <= minutes.at_most), 0) as numerator,
        sum(reached.population) as denominator
    from reached
    cross join minutes
    where reached.is_located
    group by reached.area_code, reached.period_type, reached.period_end, minutes.breakdown_value
),

without_coordinates as (
    select
        area_code,
        period_type,
        period_end,
        coalesce(sum(population) filter (where not is_located), 0) as numerator,
        sum(population) as denominator
    from reached
    group by area_code, period_type, period_end
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'minutes' as breakdown,
        breakdown_value,
        numerator,
        denominator
    from by_minutes
    union all
    -- the circle of the plan
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        numerator,
        denominator
    from by_minutes
    where breakdown_value = '30'
    union all
    select
        area_code,
        period_type,
        period_end,
        'unlocated' as breakdown,
        'unlocated' as breakdown_value,
        numerator,
        denominator
    from without_coordinates
)

{{ base_cells(['numerator', 'denominator']) }}
