select
    channel_id,
    {{ area_code('county_code') }} as location_area_code,
    channel_kind,
    live_from,
    live_to,
    url
from {{ ref('stg_hrss__guide_channels') }}
