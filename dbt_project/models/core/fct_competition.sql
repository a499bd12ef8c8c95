select
    competition_id,
    contest_level,
    host_kind,
    {{ area_code('host_county_code') }} as host_area_code,
    held_on
from {{ ref('stg_hrss__competitions') }}
