select
    place_code,
    place_name,
    place_kind,
    tier,
    county_code,
    township_name,
    population,
    population_year,
    longitude,
    latitude,
    valid_from,
    valid_until
from {{ ref('stg_agriculture__places') }}
