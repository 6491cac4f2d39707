-- Notes silently, in :tracker_…, which rows of the tracker the principal sees, for verify.sql.
\set ECHO none
SELECT coalesce(string_agg(concat_ws(':', :key, w.id, p.id, t.id), ' ' ORDER BY t.id), '') AS :"who"
  FROM tasks t LEFT JOIN projects p ON p.id = t.project_id
  LEFT JOIN workspaces w ON w.id = p.workspace_id
\gset tracker_
