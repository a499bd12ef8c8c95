{{ indicator_config() }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

certificates as (
    select * from {{ ref('fct_certificate') }}
),

slices as (
    {{ affected_slices() }}
),

assessed as (
    select *
    from exits
    where exit_kind = 'assessed'
),

cohort as (
    {{ in_slices('assessed', area='residence_area_code', match=['period_type', 'period_end']) }}
),

-- one row per exit, however many certificates followed; a revocation without a date was never valid
certified as (
    select distinct cohort.enrollment_id
    from cohort
    inner join certificates
        on
            cohort.person_id = certificates.person_id
            and cohort.completion_date <= certificates.issued_on
            and certificates.issued_on <= cohort.completion_date + interval '6 months'
    where
        (not certificates.is_revoked or certificates.revoked_on is not null)
        and coalesce(cohort.occupation_code = certificates.occupation_code, true)
),

followed as (
    select
        cohort.area_code,
        cohort.period_type,
        cohort.period_end,
        certified.enrollment_id is not null as is_certified
    from cohort
    left join certified
        on cohort.enrollment_id = certified.enrollment_id
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where is_certified) as numerator,
        count(*) as denominator,
        count(*) as n_persons
    from followed
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'denominator', 'n_persons']) }}
