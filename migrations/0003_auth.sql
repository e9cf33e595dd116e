-- Organisations, the people in them, and what they sign in with. Secrets are kept as hashes only.
CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    is_home BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX tenants_home ON tenants (is_home) WHERE is_home;

-- `login` is the lower-case user name; it is unique in the whole product, because nobody names an organisation to sign in.
-- `generation` counts up when every session and access token given out before must die.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    username TEXT NOT NULL,
    login TEXT NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT,
    roles TEXT NOT NULL,
    generation BIGINT NOT NULL DEFAULT 1,
    locked_at BIGINT,
    last_sign_in_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX users_login ON users (login);
CREATE UNIQUE INDEX users_email ON users (tenant_id, LOWER(email));
CREATE INDEX users_listed ON users (tenant_id, login);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL,
    generation BIGINT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_of ON sessions (tenant_id, user_id, created_at);
CREATE INDEX sessions_expired ON sessions (expires_at);

CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX api_tokens_prefix ON api_tokens (prefix);
CREATE INDEX api_tokens_listed ON api_tokens (tenant_id, user_id, id);

-- Access tokens signed out before they expired.
CREATE TABLE revoked_tokens (
    jti TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_expired ON revoked_tokens (expires_at);

-- Wrong passwords per user name, whether such a user exists or not: both must look alike from outside.
CREATE TABLE sign_in_failures (
    login_hash TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    locked_until BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_old ON sign_in_failures (updated_at);

-- One-time links with which a person sets their own password.
CREATE TABLE invitations (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    tenant_id TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invitations_token ON invitations (token_hash);

-- The one-time link for the first administrator; sealed, so that it can be shown again after a restart.
CREATE TABLE first_run (
    id TEXT PRIMARY KEY CHECK (id = 'first'),
    token_hash TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);

-- What people did with their accounts; outlives the account.
CREATE TABLE user_activity (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX user_activity_of ON user_activity (tenant_id, user_id, created_at);
