"""Delta and Iceberg tables, on this machine and in a workspace."""
