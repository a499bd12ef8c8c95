{{ indicator_config() }}

with

completers as (
    select * from {{ ref('int_assessed_completer') }}
),

seed_breakdown_value as (
    select * from {{ ref('seed_breakdown_value') }}
),

slices as (
    {{ affected_slices() }}
),

-- by the day of completion: a year is the sum of its quarters
cohort as (
    {{ in_slices('completers', area='residence_area_code', day='completion_date') }}
),

parts as (
    {{ total_and_parts('cohort', ['sex', 'age_band']) }}
),

counted as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_certified) as numerator,
        count(*) as denominator
    from parts
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

-- of what kind a certificate is nobody knows of those without one: these parts divide the numerator
kinds as (
    select
        breakdown,
        breakdown_value
    from seed_breakdown_value
    where breakdown in ('gained_level', 'occupation_match')
),

gained_kinds as (
    select
        cohort.area_code,
        cohort.period_type,
        cohort.period_end,
        kind.breakdown,
        kind.breakdown_value
    from cohort
    cross join lateral (
        values
        ('gained_level', cohort.gained_level),
        ('occupation_match', cohort.occupation_match)
    ) as kind (breakdown, breakdown_value)
),

gained as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator
    from gained_kinds
    where breakdown_value is not null
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

by_kind as (
    select
        counted.area_code,
        counted.period_type,
        counted.period_end,
        kinds.breakdown,
        kinds.breakdown_value,
        coalesce(gained.numerator, 0) as numerator,
        counted.denominator
    from counted
    cross join kinds
    left join gained
        on
            counted.area_code = gained.area_code
            and counted.period_type = gained.period_type
            and counted.period_end = gained.period_end
            and kinds.breakdown = gained.breakdown
            and kinds.breakdown_value = gained.breakdown_value
    where counted.breakdown = 'total'
),

every_part as (
    select * from counted
    union all
    select * from by_kind
),

cells as (
    select
        *,
        denominator as n_persons
    from every_part
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
