{{ indicator_config() }}

with

certificates as (
    select * from {{ ref('fct_certificate') }}
),

slices as (
    {{ affected_slices() }}
),

-- a certificate counts when it is issued; one that was annulled, with no day of revocation, was never valid
filed as (
    select
        person_id,
        issue_area_code,
        issuer_kind,
        level_code as skill_level,
        issued_on,
        revoked_on,
        is_revoked
    from certificates
    where
        certificate_type = '01'
        and issuer_kind in ('Y', 'S')
        and (not is_revoked or revoked_on is not null)
),

withdrawn as (
    select *
    from filed
    where is_revoked
),

issued as (
    {{ in_slices('filed', area='issue_area_code', day='issued_on') }}
),

revoked as (
    {{ in_slices('withdrawn', area='issue_area_code', day='revoked_on') }}
),

-- revocations are a flow of their own: taken off what was issued, months would no longer add up to quarters
broken_down as (
    {{ total_and_parts('issued', ['skill_level']) }}
    union all
    select
        revoked.*,
        'revoked' as breakdown,
        'revoked' as breakdown_value
    from revoked
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) filter (where issuer_kind = 'Y') as numerator,
        count(*) as denominator,
        count(distinct person_id) as n_persons,
        count(distinct person_id) filter (where issuer_kind = 'Y') as n_numerator_persons,
        count(distinct person_id) filter (where issuer_kind = 'S') as n_complement_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_numerator_persons', 'n_complement_persons']) }}
