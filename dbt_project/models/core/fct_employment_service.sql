{{ config(indexes=[{'columns': ['person_id', 'served_on']}]) }}

select
    service_id,
    person_id,
    service_kind,
    served_on,
    {{ area_code('service_county_code') }} as service_area_code,
    birth_year,
    sex
from {{ ref('stg_hrss__employment_services') }}
