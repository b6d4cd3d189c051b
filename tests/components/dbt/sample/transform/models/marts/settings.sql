select
    '{{ target.name }}' as target,
    {{ target.threads }} as threads,
    '{{ env_var("DBT_QUERY_TAG", "") }}' as query_tag,
    '{{ env_var("WAREHOUSE_MEMORY_LIMIT", "") }}' as memory_limit,
    '{{ env_var("DBT_WAREHOUSE", "") }}' as warehouse,
    '{{ var("greeting", "") }}' as greeting
