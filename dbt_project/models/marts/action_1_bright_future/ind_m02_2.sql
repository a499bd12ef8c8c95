{{ indicator_config() }}

with

trainings as (
    select * from {{ ref('fct_training') }}
),

slices as (
    {{ affected_slices() }}
),

-- the districts of a city are one place to learn in (GB/T 2260: 01 to 20 at the end of the code)
records as (
    select
        person_id,
        residence_area_code,
        start_date,
        {{ urban_rural('urban_rural_code') }} as urban_rural,
        case
            when is_online then 'online'
            when residence_area_code = 'OUT' then 'outside'
            when residence_area_code = 'UNK' or venue_county_code is null then 'unstated'
            else 'compared'
        end as left_out,
        venue_county_code = residence_area_code
        or (
            right(residence_area_code, 2) between '01' and '20'
            and right(venue_county_code, 2) between '01' and '20'
            and left(venue_county_code, 4) = left(residence_area_code, 4)
        ) as is_held_there
    from trainings
    where status in ('01', '02', '03')
),

placed as (
    {{ in_slices('records', area='residence_area_code', day='start_date') }}
),

compared as (
    select *
    from placed
    where left_out = 'compared'
),

parts as (
    {{ total_and_parts('compared', ['urban_rural']) }}
),

held as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_held_there) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where is_held_there) as n_numerator_persons,
        count(distinct person_id) filter (where not is_held_there) as n_complement_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

kinds as (
    select breakdown_value
    from {{ ref('seed_breakdown_value') }}
    where breakdown = 'left_out'
),

-- what cannot be compared, as shares of all records
beside as (
    select
        placed.area_code,
        placed.period_type,
        placed.period_end,
        'left_out' as breakdown,
        kinds.breakdown_value,
        count(*) filter (where placed.left_out = kinds.breakdown_value) as numerator,
        count(*) as denominator,
        count(distinct placed.person_id) as n_persons,
        count(distinct placed.person_id) filter (where placed.left_out = kinds.breakdown_value) as n_numerator_persons,
        count(distinct placed.person_id) filter (where placed.left_out != kinds.breakdown_value)
            as n_complement_persons
    from placed
    cross join kinds
    group by placed.area_code, placed.period_type, placed.period_end, kinds.breakdown_value
),

cells as (
    select * from held
    union all
    select * from beside
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
