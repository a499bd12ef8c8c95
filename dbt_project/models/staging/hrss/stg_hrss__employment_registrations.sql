-- Written by `make docs` from expectations/hrss/employment_registrations.odcs.yaml.
select
    id_type,
    person_id,
    residence_county_code,
    urban_rural_code,
    registration_county_code,
    registration_kind,
    employer_code,
    uscc,
    employer_type,
    work_county_code,
    industry_code,
    employment_form,
    is_insured,
    start_date,
    end_date,
    updated_at,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_employment_registrations') }}
where not _withdrawn
