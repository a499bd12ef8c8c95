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

-- a number that hrss/certificates does not have is no certificate
issued as (
    select
        certificates.person_id,
        certificates.issue_area_code,
        certificates.flow_date,
        certificates.level_code as skill_level
    from certificates
    inner join dual_certificates
        on certificates.certificate_number = dual_certificates.certificate_number
    where
        certificates.certificate_type = '01'
        and certificates.flow = 'issued'
),

in_period as (
    {{ in_slices('issued', area='issue_area_code', day='flow_date') }}
),

broken_down as (
    {{ total_and_parts('in_period', ['skill_level']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator,
        count(distinct person_id) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
