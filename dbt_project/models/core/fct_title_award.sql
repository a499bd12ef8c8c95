{{ config(indexes=[{'columns': ['person_id']}, {'columns': ['awarded_on']}]) }}

select
    award_id,
    person_id,
    {{ area_code('employer_county_code') }} as employer_area_code,
    title_level,
    route,
    -- direct application and separate review are the green channel (绿色通道) for skilled workers
    route in ('02', '03') as is_green_channel,
    applied_on,
    outcome,
    awarded_on,
    birth_year,
    sex
from {{ ref('stg_hrss__title_awards') }}
