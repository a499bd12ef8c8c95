-- Written by `make docs` from expectations/hrss/job_vacancies.odcs.yaml.
select
    vacancy_id,
    project_code,
    county_code,
    wage_low_cny_month,
    wage_high_cny_month,
    posted_on,
    status,
    updated_at,
    _batch_id
from {{ source('raw_hrss', 'hrss_job_vacancies') }}
where not _withdrawn
