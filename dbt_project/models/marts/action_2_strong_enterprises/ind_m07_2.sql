{{ indicator_config('M07-2') }}

with

certificates as (
    select * from {{ ref('fct_certificate') }}
),

slices as (
    {{ affected_slices('M07-2') }}
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
        count(*) filter (where level_rank >= 3) as numerator,
        count(*) as denominator,
        null as value,
        count(distinct person_id) as n_persons,
        null as n_employers,
        true as is_supplied
    from issued
    where
        not is_revoked
        and certificate_type in ('01', '02')
        and level_rank is not null
    group by area_code, period_type, period_start
)

{{ base_cells('M07-2') }}
