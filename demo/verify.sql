-- Was the story true? Compares what each person saw with what plain SQL finds, as a superuser past
-- row security, in the scopes that the staff list of people.sql gives them. A difference ends the
-- demo with an error.

\echo '== Was it true?'
\echo '# Plain SQL counts again, past row security, from the staff list:'
\connect - postgres
\set ECHO none
SET client_min_messages = warning;

CREATE TEMP TABLE story (n int, person text, organizations text[], teams text[], projects text[],
  kinds text[],
                         models int, datasets int, items int, annotations int, workflows int,
                           graphs int);
-- organizations, teams, projects: where the person may look. kinds: at which tables there (null:
-- all).
INSERT INTO story VALUES
  (1, 'nobody', '{}', '{}', '{}', NULL,
     :nobody_models, :nobody_datasets, :nobody_items, :nobody_annotations, :nobody_workflows,
       :nobody_graphs),
  (2, 'vera', '{aurora-robotics}', '{perception,planning}',
    '{street-scenes,night-driving,route-planner,moonshot}', NULL,
     :vera_models, :vera_datasets, :vera_items, :vera_annotations, :vera_workflows, :vera_graphs),
  (3, 'tess', '{}', '{perception}', '{street-scenes,night-driving}', NULL,
     :tess_models, :tess_datasets, :tess_items, :tess_annotations, :tess_workflows, :tess_graphs),
  (4, 'ann', '{}', '{}', '{street-scenes}', '{datasets,items,annotations}',
     :ann_models, :ann_datasets, :ann_items, :ann_annotations, :ann_workflows, :ann_graphs),
  (5, 'oscar', '{borealis-health}', '{imaging}', '{lung-ct,triage}', NULL,
     :oscar_models, :oscar_datasets, :oscar_items, :oscar_annotations, :oscar_workflows,
       :oscar_graphs),
  (6, 'kurt', '{}', '{}', '{}', NULL,
     :kurt_models, :kurt_datasets, :kurt_items, :kurt_annotations, :kurt_workflows, :kurt_graphs),
  (7, 'ravi', '{}', '{}', '{route-planner}', '{models,datasets,items,workflows}',
     :ravi_models, :ravi_datasets, :ravi_items, :ravi_annotations, :ravi_workflows, :ravi_graphs),
  (8, 'sam', '{}', '{imaging}', '{lung-ct,moonshot}', NULL,
     :sam_before_models, :sam_before_datasets, :sam_before_items, :sam_before_annotations,
       :sam_before_workflows, :sam_before_graphs),
  (9, 'sam', '{}', '{imaging}', '{lung-ct}', NULL,
     :sam_after_models, :sam_after_datasets, :sam_after_items, :sam_after_annotations,
       :sam_after_workflows, :sam_after_graphs);

CREATE TEMP VIEW truth AS
  SELECT s.n,
         (SELECT count(*) FROM models m WHERE m.owner_id = me.id OR m.project_id = ANY (p.ids)
           AND may.models) AS models,
         (SELECT count(*) FROM datasets d WHERE d.owner_id = me.id OR d.id = ANY (a.ids)
           AND may.datasets) AS datasets,
         (SELECT count(*) FROM dataset_items i
           WHERE i.owner_id = me.id OR i.dataset_id = ANY (a.ids) AND may.items) AS items,
         (SELECT count(*) FROM annotations x WHERE x.dataset_id = ANY (a.ids)
           AND may.annotations) AS annotations,
         (SELECT count(*) FROM workflows w
           WHERE (w.project_id = ANY (p.ids)
                  OR w.organization_id IN (SELECT id FROM seeme.organizations
                    WHERE slug = ANY (s.organizations)))
             AND may.workflows) AS workflows,
         (SELECT count(*) FROM graphs g JOIN seeme.teams t ON t.id = g.team_id
           WHERE t.slug = ANY (s.teams) AND may.graphs) AS graphs
    FROM story s
    LEFT JOIN seeme.users me ON me.username = s.person
    CROSS JOIN LATERAL (SELECT coalesce('models' = ANY (s.kinds), true) AS models,
      coalesce('datasets' = ANY (s.kinds), true) AS datasets,
                               coalesce('items' = ANY (s.kinds), true) AS items,
                                 coalesce('annotations' = ANY (s.kinds), true) AS annotations,
                               coalesce('workflows' = ANY (s.kinds), true) AS workflows,
                                 coalesce('graphs' = ANY (s.kinds), true) AS graphs) AS may
    CROSS JOIN LATERAL (SELECT array_agg(id) AS ids FROM seeme.projects
      WHERE slug = ANY (s.projects)) AS p
    CROSS JOIN LATERAL (SELECT array_agg(resource_id) AS ids FROM seeme.project_resources
      WHERE project_id = ANY (p.ids)) AS a;

CREATE TEMP TABLE fact (n int GENERATED ALWAYS AS IDENTITY, fact text, holds boolean);
INSERT INTO fact (fact, holds)
SELECT format('%s saw %s models, %s datasets, %s items, %s annotations, %s workflows, %s graphs',
              CASE s.n WHEN 8 THEN 'Sam, before,' WHEN 9 THEN 'Sam, after,'
                       ELSE initcap(s.person) END,
              s.models, s.datasets, s.items, s.annotations, s.workflows, s.graphs),
       (s.models, s.datasets, s.items, s.annotations, s.workflows, s.graphs)
         = (t.models, t.datasets, t.items, t.annotations, t.workflows, t.graphs)
  FROM story s JOIN truth t USING (n) ORDER BY s.n;
INSERT INTO fact (fact, holds) VALUES
  ('No two people saw the same',
     (SELECT count(DISTINCT (models, datasets, items, annotations, workflows, graphs)) = count(*)
        FROM story WHERE person NOT IN ('nobody', 'kurt'))),
  ('Sam''s open transaction lost Aurora and kept Borealis', :sam_after_models < :sam_before_models
    AND :sam_after_models > 0),
  ('Vera could change nothing, Tess could',
     :vera_updated = 0 AND :tess_updated = 1 AND NOT EXISTS (SELECT FROM models WHERE name = 'mine')
     AND EXISTS (SELECT FROM models WHERE name = 'crossing-spotter')),
  ('Mike listed models that he cannot read', 
     :mike_read = 0 AND :mike_listed = (SELECT count(*) FROM models m
       JOIN seeme.projects p ON p.id = m.project_id WHERE p.slug = 'route-planner')),
  ('Ravi was refused what he does not hold, and gave what he does',
     :'ravi_sqlstate' = '42501' AND :ravi_added = 1),
  ('Ravi could not become somebody else', :'ravi_assumed' = '42501'),
  ('Ann could not use Sam''s invitation, and Sam came back by it',
     :'ann_accepted' = '22023' AND :sam_back_models > :sam_after_models
       AND :sam_back_models < :sam_before_models + :ravi_models),
  ('The key read Tess''s models, and changed none', :key_models = :tess_models
    AND :key_datasets = 0 AND :key_updated = 0),
  ('Each person of the tracker saw the same rows before and after',
     length(:'tracker_before') > 1000 AND :tracker_rosa = 0
       AND :'tracker_before' = concat_ws(' ', :'tracker_nora', :'tracker_luca', :'tracker_hugo')),
  ('Nora gave Rosa access by the tracker''s own table: to look, and no more',
     :tracker_rosa_then > 0 AND :tracker_rosa_then < :tracker_forgotten AND :tracker_changed = 0);

SELECT CASE WHEN holds THEN 'ok  ' ELSE 'NOT ' END || fact AS fact FROM fact ORDER BY n
\g (tuples_only=on format=unaligned)
DO $$
BEGIN
  IF NOT (SELECT coalesce(bool_and(holds), false) AND count(*) = 19 FROM fact) OR EXISTS (SELECT
    FROM fact WHERE holds IS NULL) THEN
    RAISE EXCEPTION 'the story was not true';
  END IF;
END $$;
