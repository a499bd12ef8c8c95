{{ indicator_config() }}

-- depends_on: {{ ref('fct_skill_finance') }}
with

slices as (
    {{ affected_slices() }}
),

-- the institutions send sums and no persons: who of the certificate holders has a loan nobody can tell until both sides
-- match their lists without showing them (private set intersection)
cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        null as numerator,
        null as denominator,
        null as n_persons,
        false as is_supplied
    from slices
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'is_supplied']) }}
