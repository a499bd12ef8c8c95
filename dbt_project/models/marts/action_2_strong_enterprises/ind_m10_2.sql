{{ indicator_config() }}

with

programmes as (
    select * from {{ ref('fct_overseas_programme') }}
),

slices as (
    {{ affected_slices() }}
),

in_period as (
    {{ in_slices('programmes', area='registration_area_code', match=['period_end']) }}
),

-- a programme that did not count its certificates adds nothing
enterprises as (
    select
        area_code,
        period_type,
        period_end,
        parent_uscc,
        sum(recognised_certificates) as certificates
    from in_period
    where recognised_certificates > 0
    group by area_code, period_type, period_end, parent_uscc
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        sum(certificates) as numerator,
        count(*) as n_employers,
        max(certificates)::numeric / sum(certificates) as largest_employer_share
    from enterprises
    group by area_code, period_type, period_end
)

{{ base_cells(['numerator', 'n_employers', 'largest_employer_share']) }}
