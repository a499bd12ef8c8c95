{{ config(indexes=[{'columns': ['person_id']}, {'columns': ['issued_on']}]) }}

select
    person_id,
    certificate_type,
    certificate_number,
    case when certificate_type = '01' then left(certificate_number, 1) end as issuer_kind,
    occupation_code,
    level_code,
    position(level_code in '54321TS')::smallint as level_rank,
    {{ area_code('issue_county_code') }} as issue_area_code,
    issued_on,
    valid_until,
    is_revoked,
    revoked_on,
    is_direct_recognition,
    route,
    urban_rural_code,
    {{ area_code('residence_county_code') }} as residence_area_code
from {{ ref('stg_hrss__certificates') }}
