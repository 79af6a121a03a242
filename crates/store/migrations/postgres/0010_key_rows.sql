-- SQLite's keys name the row of their resource from here on. PostgreSQL's rows have no number that lasts, and its keys stay as they are.
SELECT 1;
