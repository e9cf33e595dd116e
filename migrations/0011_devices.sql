-- Phones. Locks, revocations and families of refresh tokens are true here and nowhere else; hot keys are projections of these rows.

CREATE TABLE device_policies (
    tenant_id TEXT PRIMARY KEY,
    -- Only watch: nothing is locked without a person.
    shadow BOOLEAN NOT NULL,
    -- Phones without attestation hardware may enrol.
    software_keys BOOLEAN NOT NULL,
    -- Why locking stopped by itself, as JSON; a person resumes it.
    halt TEXT,
    resumed_at BIGINT,
    changed_at BIGINT NOT NULL
);

CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    ownership TEXT NOT NULL,
    plan TEXT NOT NULL,
    public_key TEXT NOT NULL,
    thumbprint TEXT NOT NULL UNIQUE,
    model TEXT,
    os_version TEXT,
    app_version TEXT,
    posture TEXT NOT NULL,
    locked_until BIGINT,
    -- Access tokens of earlier generations are dead.
    generation BIGINT NOT NULL,
    revoked_at BIGINT,
    attestation_state TEXT NOT NULL,
    attestation_level TEXT NOT NULL,
    attested_at BIGINT,
    attestation_report TEXT,
    -- The key an application attestation vouched for, and the last counter seen from it.
    attested_key TEXT,
    attested_counter BIGINT NOT NULL,
    allow_listed BOOLEAN NOT NULL,
    command_sequence BIGINT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE INDEX devices_tenant ON devices (tenant_id, id);
CREATE INDEX devices_posture ON devices (tenant_id, posture, id);
-- Every node reads what changed lately, of all organisations.
CREATE INDEX devices_changed ON devices (changed_at);

CREATE TABLE device_codes (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    code_hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    user_id TEXT,
    plan TEXT NOT NULL,
    ownership TEXT NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX device_codes_tenant ON device_codes (tenant_id, id);

-- One row is one chain of refresh tokens: the token of `generation` is the head, the one before it has a moment of grace.
CREATE TABLE device_families (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    device_id TEXT NOT NULL REFERENCES devices (id),
    thumbprint TEXT NOT NULL,
    generation BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT
);

CREATE INDEX device_families_device ON device_families (tenant_id, device_id);

CREATE TABLE device_locks (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    device_id TEXT NOT NULL REFERENCES devices (id),
    posture TEXT NOT NULL,
    cause TEXT NOT NULL,
    automatic BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    reach TEXT NOT NULL,
    app_version TEXT,
    os_version TEXT,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    confirmed_by TEXT,
    confirmed_at BIGINT,
    released_at BIGINT,
    released_by TEXT,
    release_reason TEXT
);

CREATE INDEX device_locks_device ON device_locks (tenant_id, device_id, id);
CREATE INDEX device_locks_laid ON device_locks (tenant_id, created_at);
-- A device has one lock at a time.
CREATE UNIQUE INDEX device_locks_open ON device_locks (device_id) WHERE released_at IS NULL;
CREATE INDEX device_locks_expiring ON device_locks (expires_at) WHERE released_at IS NULL;

CREATE TABLE device_commands (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    device_id TEXT NOT NULL REFERENCES devices (id),
    sequence BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reach TEXT NOT NULL,
    reason TEXT NOT NULL,
    token TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    acknowledged_at BIGINT,
    outcome TEXT,
    UNIQUE (device_id, sequence)
);

CREATE INDEX device_commands_device ON device_commands (tenant_id, device_id, sequence);

CREATE TABLE device_switches (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    device_id TEXT,
    reason TEXT NOT NULL,
    affects BIGINT NOT NULL,
    proposed_by TEXT,
    proposer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    confirmed_by TEXT,
    confirmed_at BIGINT,
    released_by TEXT,
    released_at BIGINT
);

CREATE INDEX device_switches_tenant ON device_switches (tenant_id, id);
CREATE INDEX device_switches_on ON device_switches (expires_at) WHERE released_at IS NULL AND confirmed_at IS NOT NULL;

CREATE TABLE device_timeline (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX device_timeline_device ON device_timeline (tenant_id, device_id, id);
