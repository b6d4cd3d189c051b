select id, name, region from {{ source('raw', 'customers') }}
