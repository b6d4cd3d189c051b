CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL, country TEXT, updated_at TIMESTAMP NOT NULL);
INSERT INTO customers VALUES
    (1, 'ada@example.com', 'GB', '2026-01-05 09:00:00'),
    (2, 'grace@example.com', 'US', '2026-01-06 10:30:00');
