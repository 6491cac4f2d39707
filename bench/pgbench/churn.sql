\set n random(1, :churned)
UPDATE seeme.memberships SET valid_until = CASE WHEN valid_until IS NULL THEN '2100-01-01'::timestamptz END
 WHERE id = (SELECT membership_id FROM bench.churn WHERE n = :n);
