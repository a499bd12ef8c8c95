{{ indicator_config() }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

slices as (
    {{ affected_slices() }}
),

-- by the day of exit: a year is the sum of its quarters
cohort as (
    {{ in_slices('exits', area='residence_area_code', day='exit_on') }}
),

parts as (
    {{ total_and_parts('cohort', ['at_entry', 'completion']) }}
),

-- the wider evidence contains the narrower
evidence as (
    select
        cohort.area_code,
        cohort.period_type,
        cohort.period_end,
        evidence.kind,
        evidence.is_employed
    from cohort
    cross join lateral (
        values
        ('wage_record', cohort.has_wage_record_in_quarter_4),
        ('or_registration', cohort.has_wage_record_in_quarter_4 or cohort.is_registered_in_quarter_4)
    ) as evidence (kind, is_employed)
),

broken_down as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        has_wage_record_in_quarter_4 as is_employed
    from parts
    union all
    select
        area_code,
        period_type,
        period_end,
        'evidence' as breakdown,
        kind as breakdown_value,
        is_employed
    from evidence
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_employed) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
