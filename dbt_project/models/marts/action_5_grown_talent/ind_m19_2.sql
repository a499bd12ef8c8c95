{{ indicator_config() }}

with

certificates as (
    select * from {{ ref('int_issued_certificate') }}
),

dual_certificates as (
    select * from {{ ref('fct_dual_certificate') }}
),

slices as (
    {{ affected_slices() }}
),

by_employers as (
    select
        certificates.person_id,
        certificates.issue_area_code,
        certificates.flow_date,
        dual_certificates.certificate_number is not null as is_dual
    from certificates
    left join dual_certificates
        on certificates.certificate_number = dual_certificates.certificate_number
    where
        certificates.certificate_type = '01'
        and certificates.issuer_kind = 'Y'
        and certificates.flow = 'issued'
),

in_period as (
    {{ in_slices('by_employers', area='issue_area_code', day='flow_date') }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        count(*) filter (where is_dual) as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where is_dual) as n_numerator_persons,
        count(distinct person_id) filter (where not is_dual) as n_complement_persons
    from in_period
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
