{{ indicator_config() }}

with

subsidised as (
    select * from {{ ref('int_subsidised_training') }}
),

spells as (
    select * from {{ ref('fct_employment_spell') }}
),

slices as (
    {{ affected_slices() }}
),

in_period as (
    {{ in_slices('subsidised', area='handling_area_code', day='completion_date') }}
),

-- what is in a priority field is that, whoever is trained; of the rest those of an enterprise's staff; of what is
-- neither some do not state the field, which is not the same as being in none
aimed as (
    select
        area_code,
        period_type,
        period_end,
        person_id,
        focus_sector = 'unstated' as is_field_unstated,
        case
            when focus_sector not in ('none', 'unstated') then 'priority_field'
            when
                exists (
                    select 1
                    from spells
                    where
                        spells.person_id = in_period.person_id
                        and spells.employer_type = '01'
                        and spells.start_date <= in_period.start_date
                        and coalesce(spells.end_date, 'infinity'::date) >= in_period.start_date
                )
                then 'other_staff'
        end as aimed_training
    from in_period
),

counted as (
    select *
    from aimed
    where aimed_training is not null
),

broken_down as (
    {{ total_and_parts('counted', ['aimed_training']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator,
        count(distinct person_id) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
    union all
    select
        area_code,
        period_type,
        period_end,
        'field_unstated' as breakdown,
        'field_unstated' as breakdown_value,
        count(*) as numerator,
        count(distinct person_id) as n_persons
    from aimed
    where
        aimed_training is null
        and is_field_unstated
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'n_persons']) }}
