-- Written by `make docs` from expectations/finance_regulator/skill_finance.odcs.yaml.
select
    institution_code,
    county_code,
    month,
    product,
    borrower_kind,
    balance_cny,
    accounts,
    borrowers,
    npl_balance_cny,
    insured_persons,
    _batch_id
from {{ source('raw_finance_regulator', 'finance_regulator_skill_finance') }}
where not _withdrawn
