-- The last statement: records what the extension consists of, as the baseline with which the
-- security report compares. An upgrade script ends with seeme.finish_upgrade(), which records it
-- again.
SELECT seeme.remember_guards();
