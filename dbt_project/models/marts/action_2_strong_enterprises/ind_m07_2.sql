{{ indicator_config('M07-2') }}

with

certificates as (
    select * from {{ ref('fct_certificate') }}
),

slices as (
    {{ affected_slices('M07-2') }}
),

issued as (
    select
        certificates.person_id,
        certificates.level_rank >= 3 as is_high_skilled,
        slices.area_code,
        slices.period_type,
        slices.period_start
    from certificates
    cross join (values ('quarter'), ('year')) as period_kind (period_type)
    inner join slices
        on
            certificates.issue_county_code = slices.area_code
            and period_kind.period_type = slices.period_type
            and date_trunc(period_kind.period_type, certificates.issued_on::timestamp)::date = slices.period_start
    where
        not certificates.is_revoked
        and certificates.certificate_type in ('01', '02')
        and certificates.level_rank is not null
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where is_high_skilled)::numeric as numerator,
        count(*)::numeric as denominator,
        null::numeric as value,
        count(distinct person_id) as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from issued
    group by area_code, period_type, period_start
)

select
    'M07-2' as indicator_code,
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
