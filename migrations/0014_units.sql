-- Business units: the branch a target belongs to, and the branches a person is bound to. Paths such as `retail/payments` are the tree.

ALTER TABLE targets ADD COLUMN unit TEXT;
CREATE INDEX targets_unit ON targets (tenant_id, unit);

-- A JSON list of paths; empty for the whole organisation.
ALTER TABLE users ADD COLUMN units TEXT NOT NULL DEFAULT '[]';

-- Until now a label `unit:<name>` said it.
UPDATE targets SET unit = (SELECT SUBSTR(MIN(tag), 6) FROM target_tags
    WHERE target_tags.tenant_id = targets.tenant_id AND target_tags.target_id = targets.id AND tag LIKE 'unit:_%');
