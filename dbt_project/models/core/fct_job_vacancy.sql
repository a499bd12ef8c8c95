select
    vacancy_id,
    project_code,
    county_code,
    wage_low_cny_month,
    wage_high_cny_month,
    posted_on,
    status
from {{ ref('stg_hrss__job_vacancies') }}
