-- Nothing to do: the PostgreSQL migration of the same name is about rights, which SQLite does not know.
SELECT 1;
