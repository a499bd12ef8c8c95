{{ config(indexes=[{'columns': ['item', 'as_of']}]) }}

with

figures as (
    select * from {{ ref('fct_published_figure') }}
),

-- a bound is no figure, and of two that disagree none is to be taken without a word
agreed as (
    select
        area_code,
        as_of,
        item,
        max(value) as value,
        -- where a year alone is printed, its last day is only assumed
        bool_or(as_of_printed ~ '[0-9]{4} *(年|[-./]) *[0-9]{1,2}|年末|年底') as is_day_printed
    from figures
    where
        value is not null
        and value_bound = 'exact'
    group by area_code, as_of, item
    having
        count(distinct value) = 1
        and not bool_or(is_conflicting)
)

select * from agreed
