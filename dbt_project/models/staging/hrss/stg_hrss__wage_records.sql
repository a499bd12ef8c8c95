-- Written by `make docs` from expectations/hrss/wage_records.odcs.yaml.
select
    id_type,
    person_id,
    employer_code,
    uscc,
    work_county_code,
    industry_code,
    wage_month,
    scheme,
    payment_type,
    wage_cny_month,
    base_limit,
    recorded_on,
    correction_number,
    birth_year,
    sex,
    _batch_id
from {{ source('raw_hrss', 'hrss_wage_records') }}
where not _withdrawn
