-- Written by `make docs` from expectations/agriculture/places.odcs.yaml.
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
    valid_until,
    _batch_id
from {{ source('raw_agriculture', 'agriculture_places') }}
where not _withdrawn
