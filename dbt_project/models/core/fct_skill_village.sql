select
    village_code,
    {{ area_code('county_code') }} as location_area_code,
    recognised_on,
    recognition_round,
    status,
    revoked_on
from {{ ref('stg_hrss__skill_villages') }}
