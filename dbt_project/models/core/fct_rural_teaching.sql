select
    activity_id,
    activity_kind,
    county_code,
    held_on,
    provider_type,
    participants,
    participants_bound,
    teacher_entries,
    student_entries
from {{ ref('stg_education__rural_teaching') }}
