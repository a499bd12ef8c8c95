{{ config(indexes=[{'columns': ['person_id']}]) }}

select
    person_id,
    honour,
    honour_level,
    awarded_on,
    uscc,
    {{ area_code('county_code') }} as work_area_code,
    ended_on,
    birth_year,
    sex
from {{ ref('stg_hrss__leading_talent') }}
