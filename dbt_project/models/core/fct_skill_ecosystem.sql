select
    ecosystem_id,
    {{ area_code('county_code') }} as location_area_code,
    leader_uscc,
    approved_on,
    ended_on
from {{ ref('stg_hrss__skill_ecosystems') }}
