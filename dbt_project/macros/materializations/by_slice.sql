{#-
    A table that a build of parts changes in its slices only, in place: the rows of the indicators that its claim affects.

    The model is one plain SELECT of everything. A build of parts lets it read the tables that `narrowed_to_slices` names as
    views of these indicators' rows, and puts what it gives for them in the place of their old rows, in one transaction.
    Who sets `slices` to 'linked' is given the indicators that share a count with an affected one too: what is shown of one
    depends on all of them. Any other build, and dbt run by hand, makes the table anew.
-#}
{% materialization by_slice, adapter='postgres' %}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- if existing_relation is none or not existing_relation.is_table or should_full_refresh() or not makes_slices_only() -%}
        {{ return(context['materialization_table_default']()) }}
    {%- endif -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set codes = codes_in_sql(slice_codes(config.get('slices', 'affected'))) -%}
    {%- set narrowed = namespace(sql=sql) -%}
    {%- for name in config.require('narrowed_to_slices') -%}
        {%- set relation = ref(name) -%}
        {%- set view = 'narrowed_' ~ model.name ~ '_' ~ loop.index -%}
        {%- do run_query(
            'create temporary view ' ~ view ~ ' as select * from ' ~ relation
            ~ ' where indicator_code = any(' ~ codes ~ ')'
        ) -%}
        {%- set narrowed.sql = narrowed.sql | replace(relation | string, view) -%}
    {%- endfor -%}
    {%- set columns = adapter.get_columns_in_relation(existing_relation) | map(attribute='quoted') | join(', ') -%}
    {%- call statement('main') -%}
        delete from {{ target_relation }} where indicator_code = any({{ codes }});
        insert into {{ target_relation }} ({{ columns }})
        select {{ columns }} from (
            {{ narrowed.sql }}
        ) as made
    {%- endcall -%}
    {%- for name in config.require('narrowed_to_slices') -%}
        {%- do run_query('drop view pg_temp.narrowed_' ~ model.name ~ '_' ~ loop.index) -%}
    {%- endfor -%}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# Whether this build changes what is made by slice in its slices only. #}
{% macro makes_slices_only() -%}
    {{ return(env_var('BUILD_MAKES', 'all') == 'slices') }}
{%- endmacro %}

{#- The codes of the indicators that this build makes slices of, or of those linked with them too. -#}
{% macro slice_codes(which) -%}
    {%- set affected -%}
        select distinct affected_range.indicator_code
        from {{ made_elsewhere('ops', 'affected') }} as affected_range
        inner join {{ made_elsewhere('ops', 'build_now') }} as build_now
            on affected_range.build_id = build_now.build_id
    {%- endset -%}
    {%- set query = affected if which == 'affected' else linked_codes(affected) -%}
    {{ return(run_query(query ~ ' order by 1').columns[0].values() | list) }}
{%- endmacro %}

{% macro codes_in_sql(codes) -%}
    array['{{ codes | join("', '") }}']::text[]
{%- endmacro %}

{#
    The codes of a query and of all indicators that are linked with them in however many steps: they count the same, or one a
    part of what the other counts.
#}
{% macro linked_codes(codes) -%}
    with recursive

    joined_measures as (
        select
            split_part(part, ' ', 1) as measure,
            split_part(whole, ' ', 1) as other_measure
        from {{ made_elsewhere('core', 'cell_edge') }}
        where kind in ('subset', 'count')
    ),

    groups as (
        select
            indicator_code,
            measure
        from {{ made_elsewhere('core', 'seed_measure') }}
        union
        select
            seed_measure.indicator_code,
            joined_measures.other_measure
        from {{ made_elsewhere('core', 'seed_measure') }} as seed_measure
        inner join joined_measures
            on seed_measure.measure = joined_measures.measure
        union
        select
            seed_measure.indicator_code,
            joined_measures.measure
        from {{ made_elsewhere('core', 'seed_measure') }} as seed_measure
        inner join joined_measures
            on seed_measure.measure = joined_measures.other_measure
    ),

    linked as (
        select indicator_code
        from ({{ codes }}) as given
        union
        select other.indicator_code
        from linked
        inner join groups as one
            on linked.indicator_code = one.indicator_code
        inner join groups as other
            on one.measure = other.measure
    )

    select indicator_code
    from linked
{%- endmacro %}

{# A relation that the model itself does not read: dbt lets no model refer to what it does not stand on. #}
{% macro made_elsewhere(schema, name) -%}
    {{ api.Relation.create(database=target.database, schema=schema, identifier=name) }}
{%- endmacro %}
