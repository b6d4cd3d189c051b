select *
from {{ ref('carrier_performance') }}
where delayed + cancelled > flights
