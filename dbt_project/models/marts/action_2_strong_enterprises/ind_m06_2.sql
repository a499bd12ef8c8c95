{{ indicator_config() }}

with

apprenticeships as (
    select * from {{ ref('int_ending_apprenticeship') }}
),

slices as (
    {{ affected_slices() }}
),

cohort as (
    {{ in_slices('apprenticeships', area='work_area_code', day='planned_end_date') }}
),

parts as (
    {{ total_and_parts('cohort', ['target_level']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_certified) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where is_certified) as n_numerator_persons,
        count(distinct person_id) filter (where not is_certified) as n_complement_persons
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
