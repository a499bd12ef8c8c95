{{ indicator_config() }}

with

certificates as (
    select * from {{ ref('fct_certificate') }}
),

slices as (
    {{ affected_slices() }}
),

issued as (
    {{ in_slices('certificates', area='issue_area_code', day='issued_on') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where issuer_kind = 'Y') as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where issuer_kind = 'Y') as n_numerator_persons,
        count(distinct person_id) filter (where issuer_kind = 'S') as n_complement_persons
    from issued
    where
        not is_revoked
        and certificate_type = '01'
        and issuer_kind in ('Y', 'S')
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
