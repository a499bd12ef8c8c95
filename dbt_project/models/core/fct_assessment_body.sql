{{ config(indexes=[{'columns': ['uscc']}]) }}

select
    body_code,
    uscc,
    {{ area_code('county_code') }} as registration_area_code,
    status,
    valid_from,
    valid_to
from {{ ref('stg_hrss__assessment_bodies') }}
