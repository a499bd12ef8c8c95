with

certificates as (
    select * from {{ ref('int_issued_certificate') }}
),

issued as (
    select
        person_id,
        issue_area_code,
        flow_date as issued_on,
        certificate_number,
        'skilled' as kind
    from certificates
    where flow = 'issued'
    union all
    select
        person_id,
        issue_area_code,
        flow_date as issued_on,
        certificate_number,
        'high_skilled' as kind
    from certificates
    where
        flow = 'issued'
        and certificate_type in ('01', '02')
        and level_rank >= 3
),

ranked as (
    select
        *,
        row_number() over (
            partition by person_id, kind
            order by issued_on asc, certificate_number collate "C" asc
        ) as certificate_rank
    from issued
)

select
    person_id,
    kind,
    issued_on,
    issue_area_code
from ranked
where certificate_rank = 1
