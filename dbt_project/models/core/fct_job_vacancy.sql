select
    vacancy_id,
    project_code,
    county_code,
    posted_on,
    status
from {{ ref('stg_hrss__job_vacancies') }}
