-- +goose Up
CREATE TABLE hosts (
    uuid          text PRIMARY KEY,
    name          text NOT NULL,
    os            text NOT NULL,
    os_version    text NOT NULL,
    architecture  text NOT NULL,
    agent_version text NOT NULL,
    wua_version   text NOT NULL,
    standing      text NOT NULL,
    key_digest    text NOT NULL,
    enrolled_by   text NOT NULL,
    cert_expires  timestamptz,
    enrolled_at   timestamptz,
    last_seen     timestamptz,
    reported_at   timestamptz,
    status        text NOT NULL,
    scanned_at    timestamptz,
    scan_error    text NOT NULL,
    seq           bigint NOT NULL,
    digest        text NOT NULL,
    head          text NOT NULL
);
CREATE INDEX hosts_by_name ON hosts (name, uuid);

CREATE TABLE host_updates (
    host_uuid  text NOT NULL,
    guid       text NOT NULL,
    revision   integer NOT NULL,
    status     text NOT NULL,
    decision   text NOT NULL,
    downloaded boolean NOT NULL,
    record     text NOT NULL,
    PRIMARY KEY (host_uuid, guid, revision)
);
CREATE INDEX host_updates_by_update ON host_updates (guid, revision, status, decision, downloaded);
CREATE INDEX host_updates_open ON host_updates (decision, status) WHERE status <> 'OK';

CREATE TABLE updates (
    guid          text NOT NULL,
    revision      integer NOT NULL,
    title         text NOT NULL,
    severity      text NOT NULL,
    kbs           text NOT NULL,
    products        text NOT NULL,
    classifications text NOT NULL,
    published     timestamptz,
    seen_at       timestamptz,
    downloaded_on timestamptz,
    archive       text NOT NULL,
    described     boolean NOT NULL,
    has_files     boolean NOT NULL,
    about         text NOT NULL,
    PRIMARY KEY (guid, revision)
);

CREATE TABLE files (
    stored_name  text PRIMARY KEY,
    file         text NOT NULL,
    size         bigint NOT NULL,
    present_at   timestamptz,
    unneeded_at  timestamptz,
    attempts     integer NOT NULL,
    next_attempt timestamptz,
    error        text NOT NULL
);

CREATE TABLE update_files (
    guid        text NOT NULL,
    revision    integer NOT NULL,
    stored_name text NOT NULL REFERENCES files (stored_name),
    PRIMARY KEY (guid, revision, stored_name)
);
CREATE INDEX update_files_by_name ON update_files (stored_name);

CREATE TABLE downloads (
    id          integer PRIMARY KEY AUTOINCREMENT,
    stored_name text NOT NULL,
    url         text NOT NULL,
    updates     text NOT NULL,
    state       text NOT NULL,
    attempt     integer NOT NULL,
    done        bigint NOT NULL,
    total       bigint NOT NULL,
    speed       bigint NOT NULL,
    created_at  timestamptz,
    started_at  timestamptz,
    finished_at timestamptz,
    error       text NOT NULL
);
CREATE INDEX downloads_by_file ON downloads (stored_name, state);

CREATE TABLE runs (
    id          integer PRIMARY KEY AUTOINCREMENT,
    kind        text NOT NULL,
    reason      text NOT NULL,
    state       text NOT NULL,
    done        bigint NOT NULL,
    total       bigint NOT NULL,
    speed       bigint NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz,
    message     text NOT NULL,
    error       text NOT NULL,
    result      text
);
CREATE INDEX runs_by_kind ON runs (kind, id);

CREATE TABLE tokens (
    id         text PRIMARY KEY,
    digest     text NOT NULL UNIQUE,
    kind       text NOT NULL,
    role       text NOT NULL,
    note       text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz,
    expires_at timestamptz,
    uses_left  integer NOT NULL,
    last_used  timestamptz,
    revoked_at timestamptz
);

CREATE TABLE users (
    name        text PRIMARY KEY,
    password    text NOT NULL,
    role        text NOT NULL,
    must_change boolean NOT NULL,
    disabled    boolean NOT NULL,
    created_at  timestamptz,
    last_login  timestamptz,
    epoch       bigint NOT NULL
);

CREATE TABLE sessions (
    digest     text PRIMARY KEY,
    value      blob NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE rule_packages (
    name        text NOT NULL,
    version     integer NOT NULL,
    signer      text NOT NULL,
    envelope    text NOT NULL,
    digest      text NOT NULL,
    verified    boolean NOT NULL,
    created_at  timestamptz,
    uploaded_at timestamptz,
    uploaded_by text NOT NULL,
    removed_at  timestamptz,
    PRIMARY KEY (name, version)
);

CREATE TABLE audit_entries (
    seq     bigint PRIMARY KEY,
    at      timestamptz NOT NULL,
    actor   text NOT NULL,
    action  text NOT NULL,
    subject text NOT NULL,
    detail  text NOT NULL,
    prev    text NOT NULL,
    hash    text NOT NULL
);

CREATE TABLE settings (
    name  text PRIMARY KEY,
    value text NOT NULL
);
