{#-
    For `pre_hook`: joins of the model are hashed or merged, and looped only where nothing else can.

    How many rows a row number, a `distinct on` or two columns that hang together leave, the planner does not know: it
    expects one, and would go through a large fact again for each. A scan of the fact is the most that this costs.
-#}
{%- macro hash_joins() -%}
    set local enable_nestloop = off
{%- endmacro -%}
