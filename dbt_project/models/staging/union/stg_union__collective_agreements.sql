-- Written by `make docs` from expectations/union/collective_agreements.odcs.yaml.
select
    agreement_id,
    scope,
    is_skill_grade,
    filing_area_code,
    valid_from,
    valid_until,
    covered_employees,
    covered_employees_bound,
    uscc,
    _batch_id
from {{ source('raw_union', 'union_collective_agreements') }}
where not _withdrawn
