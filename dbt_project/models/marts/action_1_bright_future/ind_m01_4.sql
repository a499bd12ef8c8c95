{{ indicator_config() }}

with

completers as (
    select * from {{ ref('int_order_based_completer') }}
),

slices as (
    {{ affected_slices() }}
),

-- by the day of completion: a year is the sum of its quarters
cohort as (
    {{ in_slices('completers', area='residence_area_code', day='completion_date') }}
),

-- whoever is in the cohort has completed the training: each link is a share of all of them
links as (
    select
        cohort.area_code,
        cohort.period_type,
        cohort.period_end,
        link.breakdown,
        link.breakdown_value,
        link.is_there
    from cohort
    cross join lateral (
        values
        ('total', 'total', cohort.has_vacancy and cohort.is_assessed and cohort.is_served),
        ('link', 'vacancy', cohort.has_vacancy),
        ('link', 'training', true),
        ('link', 'assessment', cohort.is_assessed),
        ('link', 'service', cohort.is_served)
    ) as link (breakdown, breakdown_value, is_there)
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where is_there) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from links
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
