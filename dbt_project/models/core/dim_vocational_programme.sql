select
    school_code,
    school_county_code,
    programme_code,
    is_new_occupation,
    is_new_manufacturing,
    is_digital,
    is_rural_industry,
    valid_from,
    valid_until
from {{ ref('stg_education__vocational_programmes') }}
