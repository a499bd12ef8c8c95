{{ config(indexes=[{'columns': ['county_code']}, {'columns': ['area_code']}]) }}

select
    area_code,
    county_code,
    area_level,
    valid_from,
    valid_to
from {{ ref('seed_area_member') }}
