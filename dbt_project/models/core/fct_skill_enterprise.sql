with

listed as (
    select * from {{ ref('stg_hrss__skill_enterprises') }}
),

-- two cities may list one enterprise: it is the one that recognised it first that speaks for it
ranked as (
    select
        *,
        row_number() over (partition by uscc order by recognised_on asc, county_code asc) as choice
    from listed
)

select
    uscc,
    county_code,
    recognised_on,
    recognition_round,
    status,
    revoked_on
from ranked
where choice = 1
