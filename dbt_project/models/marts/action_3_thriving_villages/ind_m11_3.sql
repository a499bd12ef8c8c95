{{ indicator_config() }}

with

certificates as (
    select * from {{ ref('int_issued_certificate') }}
),

slices as (
    {{ affected_slices() }}
),

flows as (
    select
        person_id,
        issue_area_code,
        {{ urban_rural('urban_rural_code') }} as urban_rural,
        flow,
        flow_date
    from certificates
    where certificate_type = '03'
),

in_period as (
    {{ in_slices('flows', area='issue_area_code', day='flow_date') }}
),

broken_down as (
    {{ issued_and_revoked('in_period', ['urban_rural']) }}
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as numerator,
        count(distinct person_id) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
