{{ indicator_config('M07-1') }}

with

certificates as (
    select * from {{ ref('fct_certificate') }}
),

slices as (
    {{ affected_slices('M07-1') }}
),

issued as (
    {{ in_slices('certificates', area='issue_county_code', day='issued_on') }}
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where issuer_kind = 'Y') as numerator,
        count(*) as denominator,
        null as value,
        count(distinct person_id) as n_persons,
        null as n_employers,
        true as is_supplied
    from issued
    where
        not is_revoked
        and certificate_type = '01'
        and issuer_kind in ('Y', 'S')
    group by area_code, period_type, period_start
)

{{ base_cells('M07-1') }}
