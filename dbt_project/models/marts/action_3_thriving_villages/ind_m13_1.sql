{{ indicator_config() }}

with

activities as (
    select * from {{ ref('fct_rural_teaching') }}
),

slices as (
    {{ affected_slices() }}
),

-- vocational schools and technician schools
taught as (
    select
        county_code as area_code,
        held_on,
        participants,
        case when participants_bound = 'exact' then 'exact' else 'bounded' end as said_number
    from activities
    where
        activity_kind = '01'
        and provider_type in ('01', '02')
),

in_period as (
    {{ in_slices('taught', day='held_on') }}
),

broken_down as (
    {{ total_and_parts('in_period', ['said_number']) }}
),

-- who came is reported as a number: as many persons at most stand behind it
cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(participants) as numerator,
        sum(participants) as n_persons
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'n_persons']) }}
