-- The search index is a projection: what changes is noted here by the database itself, in the transaction of the change, so that no writer can
-- forget it and nothing is lost while the index is away.

-- only: sqlite
CREATE TABLE search_pending (
    id          INTEGER PRIMARY KEY,
    index_name  TEXT NOT NULL,
    document_id TEXT NOT NULL
);
CREATE TRIGGER vulnerabilities_search_insert AFTER INSERT ON vulnerabilities BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('vulnerabilities', NEW.id);
END;
CREATE TRIGGER vulnerabilities_search_update AFTER UPDATE ON vulnerabilities BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('vulnerabilities', NEW.id);
END;
CREATE TRIGGER vulnerabilities_search_delete AFTER DELETE ON vulnerabilities BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('vulnerabilities', OLD.id);
END;
CREATE TRIGGER observations_search_insert AFTER INSERT ON observations BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('scan_results', NEW.id);
END;
CREATE TRIGGER observations_search_update AFTER UPDATE ON observations BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('scan_results', NEW.id);
END;
CREATE TRIGGER observations_search_delete AFTER DELETE ON observations BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('scan_results', OLD.id);
END;
CREATE TRIGGER audit_logs_search_insert AFTER INSERT ON audit_logs BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('audit_logs', NEW.id);
END;
CREATE TRIGGER scan_metrics_search_insert AFTER INSERT ON scan_metrics BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('system_metrics', NEW.id);
END;
CREATE TRIGGER scan_metrics_search_update AFTER UPDATE ON scan_metrics BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('system_metrics', NEW.id);
END;
CREATE TRIGGER scan_metrics_search_delete AFTER DELETE ON scan_metrics BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('system_metrics', OLD.id);
END;
CREATE TRIGGER targets_search_insert AFTER INSERT ON targets BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('assets', NEW.id);
END;
CREATE TRIGGER targets_search_update AFTER UPDATE ON targets BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('assets', NEW.id);
END;
CREATE TRIGGER targets_search_delete AFTER DELETE ON targets BEGIN
    INSERT INTO search_pending (index_name, document_id) VALUES ('assets', OLD.id);
END;
-- end

-- only: postgres
CREATE TABLE search_pending (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    index_name  TEXT NOT NULL,
    document_id TEXT NOT NULL
);
CREATE FUNCTION search_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_pending (index_name, document_id) SELECT TG_ARGV[0], id FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER vulnerabilities_search_insert AFTER INSERT ON vulnerabilities REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('vulnerabilities');
CREATE TRIGGER vulnerabilities_search_update AFTER UPDATE ON vulnerabilities REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('vulnerabilities');
CREATE TRIGGER vulnerabilities_search_delete AFTER DELETE ON vulnerabilities REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('vulnerabilities');
CREATE TRIGGER observations_search_insert AFTER INSERT ON observations REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('scan_results');
CREATE TRIGGER observations_search_update AFTER UPDATE ON observations REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('scan_results');
CREATE TRIGGER observations_search_delete AFTER DELETE ON observations REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('scan_results');
CREATE TRIGGER audit_logs_search_insert AFTER INSERT ON audit_logs REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('audit_logs');
CREATE TRIGGER scan_metrics_search_insert AFTER INSERT ON scan_metrics REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('system_metrics');
CREATE TRIGGER scan_metrics_search_update AFTER UPDATE ON scan_metrics REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('system_metrics');
CREATE TRIGGER scan_metrics_search_delete AFTER DELETE ON scan_metrics REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('system_metrics');
CREATE TRIGGER targets_search_insert AFTER INSERT ON targets REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('assets');
CREATE TRIGGER targets_search_update AFTER UPDATE ON targets REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('assets');
CREATE TRIGGER targets_search_delete AFTER DELETE ON targets REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION search_note('assets');
-- end
CREATE INDEX search_pending_by_index ON search_pending (index_name, id);

-- One row per index. `ticket` counts readings: of two that read the same thing, the later one is right. `building` is the generation being filled.
CREATE TABLE search_indices (
    name       TEXT PRIMARY KEY,
    ticket     BIGINT NOT NULL,
    building   TEXT
);
