{{ indicator_config() }}

with

published_figures as (
    select * from {{ ref('int_published_figure') }}
),

slices as (
    {{ affected_slices() }}
),

cells as (
    {{ published_cells('published_figures', '技能人才占从业人员比重') }}
)

{{ base_cells(['value']) }}
