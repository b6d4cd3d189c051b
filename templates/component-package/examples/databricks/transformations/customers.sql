CREATE OR REFRESH MATERIALIZED VIEW gold.customers (
  CONSTRAINT has_orders EXPECT (orders > 0) ON VIOLATION FAIL UPDATE
)
COMMENT 'One row a customer: orders and what they came to.'
AS SELECT customer, count(*) AS orders, sum(amount) AS total FROM bronze.orders GROUP BY customer;
