-- Sample rows for local work, until the database's variables are set. SQLite runs this file; keep the tables and columns
-- like those of your database.
CREATE TABLE products (
    sku VARCHAR(20) PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    price DECIMAL(10, 2) NOT NULL,
    active BOOLEAN NOT NULL
);
INSERT INTO products VALUES
    ('LAMP-01', 'Desk lamp', 42.50, 1),
    ('CHAIR-07', 'Office chair', 129.99, 1),
    ('MUG-12', 'Coffee mug', 7.90, 0);

CREATE TABLE stock_movements (
    id INTEGER PRIMARY KEY,
    sku VARCHAR(20) NOT NULL,
    pieces INTEGER NOT NULL,
    moved_at DATETIME NOT NULL
);
INSERT INTO stock_movements VALUES
    (1, 'LAMP-01', 40, '2026-01-02 08:00:00'),
    (2, 'CHAIR-07', 12, '2026-01-02 08:05:00'),
    (3, 'LAMP-01', -1, '2026-01-05 11:00:00');
