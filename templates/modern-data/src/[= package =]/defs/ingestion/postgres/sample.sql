-- Sample rows for local work, until the database's variables are set. SQLite runs this file; keep the tables and columns
-- like those of your database.
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL,
    country TEXT,
    signed_up_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
INSERT INTO customers VALUES
    (1, 'ada@example.com', 'GB', '2026-01-05 09:00:00', '2026-01-05 09:00:00'),
    (2, 'grace@example.com', 'US', '2026-01-06 10:30:00', '2026-02-01 08:15:00'),
    (3, 'emmy@example.com', 'DE', '2026-01-09 17:45:00', '2026-01-09 17:45:00');

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    amount DECIMAL(12, 2) NOT NULL,
    ordered_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
INSERT INTO orders VALUES
    (101, 1, 'paid', 42.50, '2026-01-05 09:10:00', '2026-01-05 09:12:00'),
    (102, 2, 'shipped', 129.99, '2026-01-06 10:40:00', '2026-01-08 07:00:00'),
    (103, 3, 'draft', 15.00, '2026-01-09 17:50:00', '2026-01-09 17:50:00'),
    (104, 1, 'returned', 42.50, '2026-01-12 12:00:00', '2026-01-20 16:30:00');
