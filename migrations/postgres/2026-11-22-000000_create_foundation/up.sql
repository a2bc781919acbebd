-- The foundation: organizations and who may call, workflows and their revisions, executions with their journal and inbox.
-- There is no earlier version whose code could be running.
--
-- Ids are text with a time-ordered part, compared byte by byte. JSON documents are text, byte for byte as serialized:
-- jsonb refuses \u0000, reorders keys and rewrites numbers.

CREATE TABLE organizations (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    tier text NOT NULL DEFAULT 'FREE',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT organizations_tier_is_known CHECK (tier IN ('FREE', 'STARTER', 'GROWTH', 'ELITE', 'ENTERPRISE'))
);

CREATE TABLE users (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL,
    global_role text NOT NULL DEFAULT 'USER',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT users_email_is_unique UNIQUE (email),
    CONSTRAINT users_global_role_is_known CHECK (global_role IN ('SUPER_ADMIN', 'ADMIN', 'MODERATOR', 'USER'))
);

CREATE TABLE memberships (
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (organization_id, user_id)
);

CREATE TABLE api_keys (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz,
    CONSTRAINT api_keys_hash_is_unique UNIQUE (hash),
    FOREIGN KEY (organization_id, user_id) REFERENCES memberships (organization_id, user_id) ON DELETE CASCADE
);

CREATE TABLE workflows (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL,
    description text,
    version text NOT NULL DEFAULT '1.0.0',
    tags text NOT NULL DEFAULT '[]',
    is_active boolean NOT NULL DEFAULT true,
    -- The newest revision, and where its jobs go: what a submit needs, without reading a definition.
    revision integer NOT NULL,
    lane text NOT NULL DEFAULT 'default',
    created_by text COLLATE "C" NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT workflows_organization_id_is_part_of_the_key UNIQUE (organization_id, id)
);

CREATE TABLE workflow_revisions (
    organization_id text COLLATE "C" NOT NULL,
    workflow_id text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    -- {"nodes":…,"edges":…,"variables":…,"settings":…} as it was sent.
    definition text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (organization_id, workflow_id, revision),
    FOREIGN KEY (organization_id, workflow_id) REFERENCES workflows (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE executions (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    workflow_id text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    status text NOT NULL DEFAULT 'PENDING',
    lane text NOT NULL,
    -- The fencing token: raised by every claim, never lowered.
    attempt integer NOT NULL DEFAULT 0,
    claim_token uuid,
    claimed_by text,
    -- The poison counter: raised by the relay, zeroed by every journal commit.
    losses integer NOT NULL DEFAULT 0,
    -- The one clock; its meaning depends on the status.
    wake_at timestamptz,
    -- When the broker confirmed a job of this PENDING, and how often that happened.
    published_at timestamptz,
    publishes integer NOT NULL DEFAULT 0,
    journal_len integer NOT NULL DEFAULT 0,
    inbox integer NOT NULL DEFAULT 0,
    idempotency_key text,
    request_hash text NOT NULL,
    input text NOT NULL,
    output text,
    error text,
    nodes_executed integer NOT NULL DEFAULT 0,
    tokens_used bigint NOT NULL DEFAULT 0,
    cost_micros bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    completed_at timestamptz,
    CONSTRAINT executions_organization_id_is_part_of_the_key UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, workflow_id, revision)
        REFERENCES workflow_revisions (organization_id, workflow_id, revision),
    CONSTRAINT executions_status_is_known
        CHECK (status IN ('PENDING', 'RUNNING', 'WAITING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    CONSTRAINT executions_terminal_iff_completed_at
        CHECK ((status IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (completed_at IS NOT NULL)),
    CONSTRAINT executions_terminal_has_no_clock
        CHECK (status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED') OR wake_at IS NULL),
    CONSTRAINT executions_claimable_or_held_has_a_clock
        CHECK (status NOT IN ('PENDING', 'RUNNING') OR wake_at IS NOT NULL),
    CONSTRAINT executions_held_has_a_claim
        CHECK (status <> 'RUNNING' OR (claim_token IS NOT NULL AND started_at IS NOT NULL)),
    CONSTRAINT executions_completed_has_output CHECK (status <> 'COMPLETED' OR output IS NOT NULL),
    CONSTRAINT executions_failed_has_error CHECK (status <> 'FAILED' OR error IS NOT NULL)
) WITH (fillfactor = 70);

-- The relay's way to whatever is due; terminal rows are not in it.
CREATE INDEX executions_wake_at_idx ON executions (wake_at) WHERE wake_at IS NOT NULL;
CREATE UNIQUE INDEX executions_idempotency_key_idx ON executions (organization_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE TABLE execution_journal (
    organization_id text COLLATE "C" NOT NULL,
    execution_id text COLLATE "C" NOT NULL,
    -- The number of the chunk's first entry.
    seq integer NOT NULL,
    format integer NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (execution_id, seq),
    FOREIGN KEY (organization_id, execution_id) REFERENCES executions (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE execution_inbox (
    organization_id text COLLATE "C" NOT NULL,
    execution_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (execution_id, seq),
    CONSTRAINT execution_inbox_key_is_unique UNIQUE (execution_id, key),
    FOREIGN KEY (organization_id, execution_id) REFERENCES executions (organization_id, id) ON DELETE CASCADE
);
