select
    tailnum,
    cast(year as integer) as built_year,
    type as plane_type,
    manufacturer,
    model as plane_model,
    cast(engines as integer) as engines,
    cast(seats as integer) as seats
from {{ source('raw', 'planes') }}
