{{ indicator_config('M01-2') }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

certificates as (
    select * from {{ ref('fct_certificate') }}
),

slices as (
    {{ affected_slices('M01-2') }}
),

assessed as (
    select *
    from exits
    where exit_kind = 'assessed'
),

-- one row per exit, however many certificates followed; a revocation without a date was never valid
certified as (
    select distinct assessed.enrollment_id
    from assessed
    inner join certificates
        on
            assessed.person_id = certificates.person_id
            and assessed.completion_date <= certificates.issued_on
            and certificates.issued_on <= assessed.completion_date + interval '6 months'
    where
        (not certificates.is_revoked or certificates.revoked_on is not null)
        and coalesce(assessed.occupation_code = certificates.occupation_code, true)
),

cohort as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        certified.enrollment_id is not null as is_certified
    from assessed
    inner join slices
        on
            assessed.residence_county_code = slices.area_code
            and assessed.period_start = slices.period_start
    left join certified
        on assessed.enrollment_id = certified.enrollment_id
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where is_certified)::numeric as numerator,
        count(*)::numeric as denominator,
        null::numeric as value,
        count(*) as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from cohort
    group by area_code, period_type, period_start
)

select
    'M01-2' as indicator_code,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    value,
    n_persons,
    n_employers,
    is_supplied
from cells
