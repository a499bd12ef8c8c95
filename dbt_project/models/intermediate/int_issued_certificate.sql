{{ config(materialized='view') }}

with

certificates as (
    select * from {{ ref('fct_certificate') }}
),

-- what was issued counts, revoked later or not; what was annulled, with no day of revocation, was never valid
filed as (
    select *
    from certificates
    where
        not is_revoked
        or revoked_on is not null
),

-- revocations are a flow of their own: taken off what was issued, months would no longer add up to quarters
flows as (
    select
        *,
        'issued' as flow,
        issued_on as flow_date
    from filed
    union all
    select
        *,
        'revoked' as flow,
        revoked_on as flow_date
    from filed
    where is_revoked
)

select
    certificate_type,
    certificate_number,
    flow,
    flow_date,
    person_id,
    issuer_kind,
    level_code,
    level_rank,
    is_direct_recognition,
    urban_rural_code,
    residence_area_code,
    issue_area_code
from flows
