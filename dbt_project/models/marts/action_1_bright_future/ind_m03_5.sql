{{ indicator_config() }}

with

technician_programmes as (
    select * from {{ ref('dim_technician_programme') }}
),

vocational_programmes as (
    select * from {{ ref('dim_vocational_programme') }}
),

slices as (
    {{ affected_slices() }}
),

days as (
    select distinct
        period_type,
        period_end
    from slices
),

listed as (
    select
        school_code,
        programme_code,
        school_area_code,
        is_new_occupation,
        is_new_manufacturing,
        is_digital,
        valid_from,
        valid_until,
        true as is_of_human_resources
    from technician_programmes
    union all
    select
        school_code,
        programme_code,
        school_county_code as school_area_code,
        is_new_occupation,
        is_new_manufacturing,
        is_digital,
        valid_from,
        valid_until,
        false as is_of_human_resources
    from vocational_programmes
),

-- the same specialty of a school may stand in both lists; a school code is one school's on any day
specialties as (
    select
        days.period_type,
        days.period_end,
        listed.school_code,
        listed.programme_code,
        coalesce(
            min(listed.school_area_code) filter (where listed.is_of_human_resources),
            min(listed.school_area_code)
        ) as school_area_code,
        bool_or(listed.is_new_occupation) as is_new_occupation,
        bool_or(listed.is_new_manufacturing) as is_new_manufacturing,
        bool_or(listed.is_digital) as is_digital
    from listed
    inner join days
        on
            listed.valid_from <= days.period_end
            and (listed.valid_until is null or listed.valid_until >= days.period_end)
    group by days.period_type, days.period_end, listed.school_code, listed.programme_code
),

placed as (
    {{ in_slices('specialties', area='school_area_code', match=['period_type', 'period_end']) }}
),

-- one specialty may have several flags
flagged as (
    select
        placed.area_code,
        placed.period_type,
        placed.period_end,
        part.breakdown,
        part.breakdown_value,
        part.is_in_it
    from placed
    cross join lateral (
        values
        ('total', 'total', placed.is_new_occupation or placed.is_new_manufacturing or placed.is_digital),
        ('specialty_flag', 'new_occupation', placed.is_new_occupation),
        ('specialty_flag', 'new_manufacturing', placed.is_new_manufacturing),
        ('specialty_flag', 'digital', placed.is_digital)
    ) as part (breakdown, breakdown_value, is_in_it)
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator
    from flagged
    where is_in_it
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator']) }}
