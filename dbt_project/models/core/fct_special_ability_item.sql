select
    item_code,
    {{ area_code('county_code') }} as location_area_code,
    valid_from,
    valid_to
from {{ ref('stg_hrss__special_ability_items') }}
