select
    site_id,
    county_code,
    township_name,
    place_code,
    longitude,
    latitude,
    status,
    opened_on,
    closed_on
from {{ ref('stg_hrss__training_sites') }}
