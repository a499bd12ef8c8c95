{{ indicator_config() }}

with

listed as (
    select * from {{ ref('int_hrss_subsidised_training') }}
),

shortages as (
    select * from {{ ref('dim_directory_entry') }}
    where directory_kind = '03'
),

slices as (
    {{ affected_slices() }}
),

placed as (
    {{ in_slices('listed', area='handling_area_code', day='completion_date') }}
),

-- a list counts on the first day of the course: the province's, and that of the city which handles it
matched as (
    select
        placed.record_id,
        placed.area_code,
        placed.period_type,
        placed.period_end,
        placed.person_id,
        placed.occupation_code is not null as is_coded,
        coalesce(bool_or(shortages.area_code = '330000'), false) as is_on_provincial_list,
        coalesce(bool_or(shortages.area_code != '330000'), false) as is_on_city_list
    from placed
    left join shortages
        on
            placed.occupation_code = shortages.occupation_code
            and placed.start_date >= shortages.valid_from
            and (shortages.valid_until is null or placed.start_date <= shortages.valid_until)
            and shortages.area_code in ('330000', left(placed.handling_area_code, 4) || '00')
    group by
        placed.record_id,
        placed.area_code,
        placed.period_type,
        placed.period_end,
        placed.person_id,
        placed.occupation_code
),

-- of the coded records; of all of them where it is asked how many are not coded
sides as (
    select
        matched.area_code,
        matched.period_type,
        matched.period_end,
        matched.person_id,
        part.breakdown,
        part.breakdown_value,
        part.is_hit,
        matched.is_coded or part.breakdown = 'uncoded' as is_in_it
    from matched
    cross join lateral (
        values
        ('total', 'total', matched.is_on_provincial_list or matched.is_on_city_list),
        ('shortage_list', 'provincial', matched.is_on_provincial_list),
        ('shortage_list', 'city', matched.is_on_city_list),
        ('uncoded', 'uncoded', not matched.is_coded)
    ) as part (breakdown, breakdown_value, is_hit)
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_hit) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where is_hit) as n_numerator_persons,
        count(distinct person_id) filter (where not is_hit) as n_complement_persons
    from sides
    where is_in_it
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
