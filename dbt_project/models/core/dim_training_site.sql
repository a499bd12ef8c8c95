select
    site_id,
    site_type,
    tier,
    county_code,
    township_name,
    place_code,
    longitude,
    latitude,
    status,
    opened_on,
    closed_on
from {{ ref('stg_hrss__training_sites') }}
