-- Sample rows for local work, until the database's variables are set. SQLite runs this file; keep the tables and columns
-- like those of your database.
CREATE TABLE "Invoice" (
    "InvoiceId" INTEGER PRIMARY KEY,
    "CostCenterCode" VARCHAR(10) NOT NULL,
    "Amount" DECIMAL(19, 4) NOT NULL,
    "SentOn" DATE NOT NULL,
    "ModifiedAt" DATETIME NOT NULL
);
INSERT INTO "Invoice" VALUES
    (9001, 'CC-10', 1190.0000, '2026-01-15', '2026-01-15 14:02:11'),
    (9002, 'CC-20', 238.0000, '2026-01-16', '2026-02-03 09:30:00');

CREATE TABLE "CostCenter" ("Code" VARCHAR(10) PRIMARY KEY, "Name" VARCHAR(100) NOT NULL);
INSERT INTO "CostCenter" VALUES ('CC-10', 'Sales'), ('CC-20', 'Warehouse');
