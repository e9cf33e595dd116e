-- What has ended is asked for within an organisation; led by it, the index is the best one even where the engine has no statistics yet.

DROP INDEX vulnerabilities_ending;
CREATE INDEX vulnerabilities_ending ON vulnerabilities (tenant_id, status_until) WHERE status_until IS NOT NULL;
