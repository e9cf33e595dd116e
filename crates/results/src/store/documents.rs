//! What the search index is made of, of every organisation.

pub(crate) const FINDINGS: &str = "SELECT v.id, v.tenant_id, v.target_id, v.source, v.check_id, v.title, v.description, v.remediation, v.severity, \
     v.cvss_score, v.cwes, v.cves, v.refs, v.tags, v.location, v.confidence, v.status, v.first_seen, s.last_seen, s.last_scan, s.times_seen, \
     t.unit FROM vulnerabilities v JOIN finding_sightings s ON s.id = v.id LEFT JOIN targets t ON t.tenant_id = v.tenant_id AND t.id = v.target_id";

pub(crate) const OBSERVATIONS: &str = "SELECT o.id, o.tenant_id, o.finding_id, o.import_id, o.scan_id, o.body, o.created_at, v.title, v.description, \
     v.severity, v.source, v.check_id, v.cwes, v.cves, v.location, t.unit \
     FROM observations o JOIN vulnerabilities v ON v.id = o.finding_id LEFT JOIN targets t ON t.tenant_id = v.tenant_id AND t.id = v.target_id";
