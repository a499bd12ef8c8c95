-- Written by `make docs` from expectations/sasac/soe_payroll.odcs.yaml.
select
    uscc,
    year_start,
    year_end,
    owner_level,
    county_code,
    in_scope,
    has_skill_sequence,
    wage_bill_cny,
    average_staff,
    high_skilled_wage_cny,
    high_skilled_staff,
    _batch_id
from {{ source('raw_sasac', 'sasac_soe_payroll') }}
where not _withdrawn
