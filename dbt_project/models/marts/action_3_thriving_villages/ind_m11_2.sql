{{ indicator_config() }}

with

certificates as (
    select * from {{ ref('int_rural_certificate') }}
),

published_figures as (
    select * from {{ ref('int_published_figure') }}
),

slices as (
    {{ affected_slices() }}
),

certified as (
    select
        slices.period_end,
        count(distinct certificates.person_id) as persons
    from slices
    left join certificates
        on certificates.issued_on between slices.period_start and slices.period_end
    group by slices.period_end
),

published as (
    select
        area_code,
        as_of,
        value as persons
    from published_figures
    where item = '乡村就业人员'
),

cells as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        case when published.persons is not null then certified.persons end as numerator,
        published.persons as denominator,
        published.persons as n_persons,
        published.persons is not null as is_supplied
    from slices
    inner join certified
        on slices.period_end = certified.period_end
    left join published
        on
            slices.area_code = published.area_code
            and slices.period_end = published.as_of
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'is_supplied']) }}
