{{ config(indexes=[{'columns': ['issued_on']}]) }}

with

dual_certificates as (
    select * from {{ ref('stg_hrss__dual_certificates') }}
),

level_certificates as (
    select certificate_number
    from {{ ref('fct_certificate') }}
    where certificate_type = '01'
)

select
    dual_certificates.certificate_number,
    dual_certificates.enterprise_certificate,
    left(dual_certificates.certificate_number, 1) as issuer_kind,
    substr(dual_certificates.certificate_number, 16, 1) as level_code,
    {{ area_code('dual_certificates.issue_county_code') }} as issue_area_code,
    dual_certificates.issued_on,
    level_certificates.certificate_number is not null as is_known_certificate
from dual_certificates
left join level_certificates
    on dual_certificates.certificate_number = level_certificates.certificate_number
