-- Nothing to do: the PostgreSQL migration of the same name is about what many processes cost that write at the same time.
SELECT 1;
