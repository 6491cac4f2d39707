-- Notes silently, in :who…, how many rows of each table the principal sees, for verify.sql.
\set ECHO none
SELECT (SELECT count(*) FROM models) AS models, (SELECT count(*) FROM datasets) AS datasets,
       (SELECT count(*) FROM dataset_items) AS items, (SELECT count(*)
         FROM annotations) AS annotations,
       (SELECT count(*) FROM workflows) AS workflows, (SELECT count(*) FROM graphs) AS graphs
\gset :who
