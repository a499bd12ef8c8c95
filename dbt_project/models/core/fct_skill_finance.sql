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
    insured_persons
from {{ ref('stg_finance_regulator__skill_finance') }}
