-- A constraint that has been checked may stay so.
SELECT 1;
