-- Nothing to do: SQLite knows neither roles nor row-level security, and its file has one user, the process that locks it.
-- Here organizations are kept apart by the statements alone, which PostgreSQL's policies check a second time.
SELECT 1;
