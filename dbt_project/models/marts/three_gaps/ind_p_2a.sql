{{ indicator_config() }}

with

published_figures as (
    select * from {{ ref('int_published_figure') }}
),

slices as (
    {{ affected_slices() }}
),

cells as (
    {{ published_cells('published_figures', '技能人才', per=10000) }}
)

{{ base_cells(['value']) }}
