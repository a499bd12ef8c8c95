-- Written by `make docs` from expectations/education/vocational_programmes.odcs.yaml.
select
    school_code,
    school_name,
    school_county_code,
    programme_code,
    programme_name,
    is_new_occupation,
    is_new_manufacturing,
    is_digital,
    is_rural_industry,
    valid_from,
    valid_until,
    _batch_id
from {{ source('raw_education', 'education_vocational_programmes') }}
where not _withdrawn
