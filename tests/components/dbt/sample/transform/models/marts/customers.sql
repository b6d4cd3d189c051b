select customers.id::integer as id, coalesce(sum(orders.amount), 0)::double as spent
from {{ ref('stg_customers') }} as customers
left join {{ ref('stg_orders') }} as orders on orders.customer_id = customers.id
group by 1
