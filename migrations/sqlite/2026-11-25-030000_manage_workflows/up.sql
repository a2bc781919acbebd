-- The workflows module: changing, pausing, deleting and counting workflows, and templates.
-- Running code of the version before does not exist: one process owns the file.
--
-- The twin of the PostgreSQL migration of the same name.

-- What the ETag says: raised by every change of the row that a user makes.
ALTER TABLE workflows ADD COLUMN edition integer NOT NULL DEFAULT 1;
-- The template that it was made from. No foreign key: a template may be taken back.
ALTER TABLE workflows ADD COLUMN template_id text;
-- Name and description in lower case, for searching; null in what the version before stores meanwhile, which a search
-- does not find until it is saved again.
ALTER TABLE workflows ADD COLUMN search_text text;
-- Since when submits are recorded and not started.
ALTER TABLE workflows ADD COLUMN paused_at integer;
-- Since when there is no such workflow any more. Executions point at its revisions, so the row stays until the last of them
-- is gone.
ALTER TABLE workflows ADD COLUMN deleted_at integer;
-- Since when a deleted workflow has no unfinished executions.
ALTER TABLE workflows ADD COLUMN emptied_at integer;
UPDATE workflows SET search_text = lower(name || '
' || coalesce(description, ''));

CREATE INDEX workflows_deleted_idx ON workflows (deleted_at) WHERE deleted_at IS NOT NULL;

-- What is held for a paused workflow ('paused' in waits_for), and nothing else: no statement that moves any other
-- execution writes to it.
CREATE INDEX executions_held_idx ON executions (workflow_id, id) WHERE waits_for = 'paused';

CREATE TABLE workflow_templates (
    id text PRIMARY KEY NOT NULL,
    -- Who published it; null = nobody: it belongs to the catalogue, and everybody sees it.
    organization_id text REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL,
    description text,
    -- Name and description in lower case, for searching.
    search_text text NOT NULL,
    category text NOT NULL,
    tags text NOT NULL DEFAULT '[]',
    -- Whether other organizations see it.
    is_shared integer NOT NULL DEFAULT 0,
    -- As in workflow_revisions.
    definition text NOT NULL,
    created_by text REFERENCES users (id),
    created_at integer NOT NULL DEFAULT (CAST(round(unixepoch('subsec') * 1000) AS integer) * 1000),
    CONSTRAINT workflow_templates_ownerless_is_shared CHECK (organization_id IS NOT NULL OR is_shared)
) STRICT;

CREATE INDEX workflow_templates_organization_id_idx ON workflow_templates (organization_id);
CREATE INDEX workflow_templates_shared_idx ON workflow_templates (category) WHERE is_shared;

-- What has been counted of each workflow. No foreign key to it: figures outlive it.
CREATE TABLE workflow_stats (
    organization_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    workflow_id text NOT NULL,
    -- Ended ones.
    executions integer NOT NULL DEFAULT 0,
    last_executed_at integer,
    PRIMARY KEY (organization_id, workflow_id)
) STRICT, WITHOUT ROWID;

-- The same by the day (UTC, counted from 1970) on which they ended, with how long they took.
CREATE TABLE workflow_stats_daily (
    organization_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    day integer NOT NULL,
    workflow_id text NOT NULL,
    status text NOT NULL,
    -- A stretch of durations, each a tenth longer than the one before; -1 = never started.
    bucket integer NOT NULL,
    executions integer NOT NULL DEFAULT 0,
    tokens_used integer NOT NULL DEFAULT 0,
    cost_micros integer NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, day, workflow_id, status, bucket)
) STRICT, WITHOUT ROWID;

-- Ends that are not counted yet, written by the transaction that ends an execution, and taken out by the one that counts
-- it. `times` is -1 where an operator's retry undid an end. No key and no index: nothing is looked up here.
CREATE TABLE execution_ends (
    organization_id text NOT NULL,
    workflow_id text NOT NULL,
    status text NOT NULL,
    times integer NOT NULL,
    completed_at integer NOT NULL,
    -- From the first claim to the end; null = never claimed.
    duration_ms integer,
    tokens_used integer NOT NULL,
    cost_micros integer NOT NULL
) STRICT;
INSERT INTO execution_ends (organization_id, workflow_id, status, times, completed_at, duration_ms, tokens_used, cost_micros)
SELECT organization_id, workflow_id, status, 1, completed_at, (completed_at - started_at) / 1000, tokens_used, cost_micros
FROM executions WHERE completed_at IS NOT NULL;

-- The catalogue.
INSERT INTO workflow_templates (id, name, description, search_text, category, tags, is_shared, definition) VALUES
('tpl_leadqualification', 'Lead qualification',
'Scores a lead by size and budget, hands hot ones to the CRM and warm ones to a mailing list, and files the rest.',
'lead qualification
scores a lead by size and budget, hands hot ones to the crm and warm ones to a mailing list, and files the rest.',
'sales', '["crm","leads"]', true,
'{"nodes":[
{"id": "start", "type": "trigger", "position": {"x": 0, "y": 0}, "data": {"label": "Lead arrives", "inputSchema": {"type": "object", "required": ["email"], "properties": {"email": {"type": "string"}, "company": {"type": "string"}, "employees": {"type": "number"}, "budget": {"type": "number"}}}}},
{"id": "score", "type": "transform", "position": {"x": 260, "y": 0}, "data": {"label": "Score", "set": {"score": "{{ (50 if (employees | default(0, true)) >= 50 else 10) + (50 if (budget | default(0, true)) >= 10000 else 10) }}"}}},
{"id": "rate", "type": "condition", "position": {"x": 520, "y": 0}, "data": {"label": "Hot, warm or cold?", "cases": [{"handle": "hot", "expression": "score >= 100"}, {"handle": "warm", "expression": "score >= 60"}]}},
{"id": "crm", "type": "integration", "position": {"x": 780, "y": 0}, "data": {"label": "Hand to sales", "method": "POST", "url": "{{ vars.crmUrl }}/leads", "body": {"email": "{{ email }}", "company": "{{ company | default(none) }}", "score": "{{ score }}"}, "output": "lead"}},
{"id": "nurture", "type": "integration", "position": {"x": 780, "y": 140}, "data": {"label": "Add to mailing list", "method": "POST", "url": "{{ vars.mailingUrl }}/subscribers", "body": {"email": "{{ email }}"}, "output": "subscriber"}},
{"id": "file", "type": "transform", "position": {"x": 780, "y": 280}, "data": {"label": "File", "set": {"rating": "cold"}}},
{"id": "hot", "type": "transform", "position": {"x": 1040, "y": 0}, "data": {"label": "Hot", "set": {"rating": "hot"}}},
{"id": "warm", "type": "transform", "position": {"x": 1040, "y": 140}, "data": {"label": "Warm", "set": {"rating": "warm"}}}
],
"edges":[
{"id": "e1", "source": "start", "target": "score"},
{"id": "e2", "source": "score", "target": "rate"},
{"id": "e3", "source": "rate", "target": "crm", "sourceHandle": "hot"},
{"id": "e4", "source": "crm", "target": "hot"},
{"id": "e5", "source": "rate", "target": "nurture", "sourceHandle": "warm"},
{"id": "e6", "source": "nurture", "target": "warm"},
{"id": "e7", "source": "rate", "target": "file", "sourceHandle": "default"}
],
"variables":{"crmUrl": "https://crm.example.com", "mailingUrl": "https://mail.example.com"},
"settings":{}}'),
('tpl_supporttriage', 'Support triage',
'Reads a ticket''s words, pages somebody for outages, and files the ticket in the queue that it belongs to.',
'support triage
reads a ticket''s words, pages somebody for outages, and files the ticket in the queue that it belongs to.',
'support', '["tickets"]', true,
'{"nodes":[
{"id": "start", "type": "trigger", "position": {"x": 0, "y": 0}, "data": {"label": "Ticket arrives", "inputSchema": {"type": "object", "required": ["subject"], "properties": {"subject": {"type": "string"}, "body": {"type": "string"}, "customer": {"type": "string"}}}}},
{"id": "read", "type": "transform", "position": {"x": 260, "y": 0}, "data": {"label": "Read the words", "set": {"words": "{{ (subject ~ \" \" ~ (body | default(\"\", true))) | lower }}"}}},
{"id": "topic", "type": "condition", "position": {"x": 520, "y": 0}, "data": {"label": "What is it about?", "cases": [{"handle": "outage", "expression": "\"down\" in words or \"outage\" in words or \"unreachable\" in words"}, {"handle": "billing", "expression": "\"invoice\" in words or \"refund\" in words or \"charged\" in words"}]}},
{"id": "page", "type": "integration", "position": {"x": 780, "y": 0}, "data": {"label": "Page somebody", "method": "POST", "url": "{{ vars.pagerUrl }}/incidents", "body": {"title": "{{ subject }}", "customer": "{{ customer | default(none) }}"}, "output": "incident", "retry": {"maxAttempts": 5}}},
{"id": "urgent", "type": "transform", "position": {"x": 1040, "y": 0}, "data": {"label": "Urgent", "set": {"queue": "incidents", "priority": 1}}},
{"id": "billing", "type": "transform", "position": {"x": 780, "y": 140}, "data": {"label": "Billing", "set": {"queue": "billing", "priority": 2}}},
{"id": "other", "type": "transform", "position": {"x": 780, "y": 280}, "data": {"label": "Anything else", "set": {"queue": "general", "priority": 3}}},
{"id": "file", "type": "integration", "position": {"x": 1300, "y": 0}, "data": {"label": "File the ticket", "method": "POST", "url": "{{ vars.helpdeskUrl }}/queues/{{ queue }}/tickets", "body": {"subject": "{{ subject }}", "body": "{{ body | default(\"\", true) }}", "priority": "{{ priority }}"}, "output": "ticket"}}
],
"edges":[
{"id": "e1", "source": "start", "target": "read"},
{"id": "e2", "source": "read", "target": "topic"},
{"id": "e3", "source": "topic", "target": "page", "sourceHandle": "outage"},
{"id": "e4", "source": "page", "target": "urgent"},
{"id": "e5", "source": "topic", "target": "billing", "sourceHandle": "billing"},
{"id": "e6", "source": "topic", "target": "other", "sourceHandle": "default"},
{"id": "e7", "source": "urgent", "target": "file"},
{"id": "e8", "source": "billing", "target": "file"},
{"id": "e9", "source": "other", "target": "file"}
],
"variables":{"pagerUrl": "https://pager.example.com", "helpdeskUrl": "https://helpdesk.example.com"},
"settings":{}}'),
('tpl_contentpipeline', 'Content pipeline',
'Makes a post for each channel out of one article, publishes them side by side, and reports which of them went out.',
'content pipeline
makes a post for each channel out of one article, publishes them side by side, and reports which of them went out.',
'marketing', '["content","publishing"]', true,
'{"nodes":[
{"id": "start", "type": "trigger", "position": {"x": 0, "y": 0}, "data": {"label": "Article is ready", "inputSchema": {"type": "object", "required": ["title", "text", "channels"], "properties": {"title": {"type": "string"}, "text": {"type": "string"}, "channels": {"type": "array", "items": {"type": "string"}}}}}},
{"id": "each", "type": "forEach", "position": {"x": 260, "y": 0}, "data": {"label": "For each channel", "items": "channels", "concurrency": 3, "mode": "collect", "output": "posts"}},
{"id": "draft", "type": "transform", "parentId": "each", "position": {"x": 40, "y": 60}, "data": {"label": "Write the post", "set": {"channel": "{{ item }}", "post": "{{ (title | upper) if item == \"newsletter\" else title }}: {{ text }}"}}},
{"id": "publish", "type": "integration", "parentId": "each", "position": {"x": 40, "y": 180}, "data": {"label": "Publish", "method": "POST", "url": "{{ vars.publishUrl }}/{{ item }}/posts", "body": {"text": "{{ post }}"}, "output": "reply"}},
{"id": "report", "type": "transform", "position": {"x": 520, "y": 0}, "data": {"label": "Report", "set": {"published": "{{ posts.items | rejectattr(\"error\", \"defined\") | map(attribute=\"channel\") | list }}", "failed": "{{ posts.items | selectattr(\"error\", \"defined\") | list | length }}"}}}
],
"edges":[
{"id": "e1", "source": "start", "target": "each"},
{"id": "e2", "source": "draft", "target": "publish"},
{"id": "e3", "source": "each", "target": "report"}
],
"variables":{"publishUrl": "https://publish.example.com"},
"settings":{}}'),
('tpl_webhooktocrm', 'Webhook to CRM',
'Keeps a CRM''s contacts in step with the events of another system: saves what was created or changed, removes what was deleted.',
'webhook to crm
keeps a crm''s contacts in step with the events of another system: saves what was created or changed, removes what was deleted.',
'integration', '["webhook","crm"]', true,
'{"nodes":[
{"id": "start", "type": "trigger", "position": {"x": 0, "y": 0}, "data": {"label": "Event arrives", "inputSchema": {"type": "object", "required": ["event", "contact"], "properties": {"event": {"type": "string"}, "contact": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "email": {"type": "string"}, "name": {"type": "string"}}}}}}},
{"id": "deleted", "type": "condition", "position": {"x": 260, "y": 0}, "data": {"label": "Deleted?", "expression": "event == \"contact.deleted\""}},
{"id": "remove", "type": "integration", "position": {"x": 520, "y": 0}, "data": {"label": "Remove the contact", "method": "DELETE", "url": "{{ vars.crmUrl }}/contacts/{{ contact.id }}", "expectStatus": ["2xx", 404], "output": "crm"}},
{"id": "save", "type": "integration", "position": {"x": 520, "y": 140}, "data": {"label": "Save the contact", "method": "PUT", "url": "{{ vars.crmUrl }}/contacts/{{ contact.id }}", "body": {"email": "{{ contact.email | default(none) }}", "name": "{{ contact.name | default(none) }}"}, "output": "crm", "retry": {"maxAttempts": 5}}},
{"id": "removed", "type": "transform", "position": {"x": 780, "y": 0}, "data": {"label": "Removed", "set": {"action": "removed"}}},
{"id": "saved", "type": "transform", "position": {"x": 780, "y": 140}, "data": {"label": "Saved", "set": {"action": "saved"}}},
{"id": "report", "type": "integration", "position": {"x": 780, "y": 280}, "data": {"label": "Report the failure", "method": "POST", "url": "{{ vars.alertUrl }}/alerts", "body": {"text": "contact {{ contact.id }} could not be saved"}, "output": "alert"}},
{"id": "rejected", "type": "transform", "position": {"x": 1040, "y": 0}, "data": {"label": "Rejected", "set": {"action": "rejected"}}}
],
"edges":[
{"id": "e1", "source": "start", "target": "deleted"},
{"id": "e2", "source": "deleted", "target": "remove", "sourceHandle": "true"},
{"id": "e3", "source": "deleted", "target": "save", "sourceHandle": "false"},
{"id": "e4", "source": "remove", "target": "removed"},
{"id": "e5", "source": "save", "target": "saved"},
{"id": "e6", "source": "save", "target": "report", "sourceHandle": "error"},
{"id": "e7", "source": "report", "target": "rejected"}
],
"variables":{"crmUrl": "https://crm.example.com", "alertUrl": "https://alerts.example.com"},
"settings":{}}'),
('tpl_nightlyreport', 'Nightly report',
'Collects figures from several sources, leaves out those that do not answer, adds up the rest and sends the report. Submit it each night, with runAt for a time of day.',
'nightly report
collects figures from several sources, leaves out those that do not answer, adds up the rest and sends the report. submit it each night, with runat for a time of day.',
'operations', '["report"]', true,
'{"nodes":[
{"id": "start", "type": "trigger", "position": {"x": 0, "y": 0}, "data": {"label": "Night falls", "inputSchema": {"type": "object", "required": [], "properties": {"day": {"type": "string"}}}}},
{"id": "collect", "type": "forEach", "position": {"x": 260, "y": 0}, "data": {"label": "For each source", "items": "vars.sources", "concurrency": 4, "mode": "collect", "output": "figures"}},
{"id": "fetch", "type": "integration", "parentId": "collect", "position": {"x": 40, "y": 60}, "data": {"label": "Fetch", "url": "{{ vars.metricsUrl }}/{{ item }}", "output": "reply"}},
{"id": "pick", "type": "transform", "parentId": "collect", "position": {"x": 40, "y": 180}, "data": {"label": "Pick the figure", "set": {"source": "{{ item }}", "value": "{{ reply.body.value | num }}"}}},
{"id": "total", "type": "transform", "position": {"x": 520, "y": 0}, "data": {"label": "Add up", "set": {"total": "{{ figures.items | rejectattr(\"error\", \"defined\") | map(attribute=\"value\") | sum }}", "missing": "{{ figures.items | selectattr(\"error\", \"defined\") | list | length }}"}}},
{"id": "send", "type": "integration", "position": {"x": 780, "y": 0}, "data": {"label": "Send the report", "method": "POST", "url": "{{ vars.reportUrl }}/reports", "body": {"day": "{{ day | default(none) }}", "total": "{{ total }}", "missing": "{{ missing }}"}, "output": "sent", "retry": {"maxAttempts": 5}}}
],
"edges":[
{"id": "e1", "source": "start", "target": "collect"},
{"id": "e2", "source": "fetch", "target": "pick"},
{"id": "e3", "source": "collect", "target": "total"},
{"id": "e4", "source": "total", "target": "send"}
],
"variables":{"sources": ["orders", "refunds", "signups"], "metricsUrl": "https://metrics.example.com", "reportUrl": "https://reports.example.com"},
"settings":{"timeoutMs": 3600000}}'),
('tpl_approvalflow', 'Approval flow',
'Lets small requests through, asks somebody about the rest, and waits three days for the signal decision: {"approved": true}.',
'approval flow
lets small requests through, asks somebody about the rest, and waits three days for the signal decision: {"approved": true}.',
'operations', '["approval"]', true,
'{"nodes":[
{"id": "start", "type": "trigger", "position": {"x": 0, "y": 0}, "data": {"label": "Request arrives", "inputSchema": {"type": "object", "required": ["requester", "amount"], "properties": {"requester": {"type": "string"}, "amount": {"type": "number"}, "reason": {"type": "string"}}}}},
{"id": "small", "type": "condition", "position": {"x": 260, "y": 0}, "data": {"label": "Small enough?", "expression": "amount <= vars.approveUpTo"}},
{"id": "ask", "type": "integration", "position": {"x": 520, "y": 0}, "data": {"label": "Ask for a decision", "method": "POST", "url": "{{ vars.notifyUrl }}/requests", "body": {"execution": "{{ execution.id }}", "requester": "{{ requester }}", "amount": "{{ amount }}", "reason": "{{ reason | default(none) }}"}, "output": "asked"}},
{"id": "decide", "type": "signal", "position": {"x": 780, "y": 0}, "data": {"label": "Wait for the decision", "name": "decision", "timeoutMs": 259200000, "onTimeout": "continue"}},
{"id": "decided", "type": "condition", "position": {"x": 1040, "y": 0}, "data": {"label": "Approved?", "expression": "decision and decision.approved"}},
{"id": "automatic", "type": "transform", "position": {"x": 520, "y": 140}, "data": {"label": "Approved by rule", "set": {"approved": true, "by": "rule"}}},
{"id": "granted", "type": "transform", "position": {"x": 1300, "y": 0}, "data": {"label": "Approved", "set": {"approved": true, "by": "{{ decision.by | default(\"somebody\", true) }}"}}},
{"id": "refused", "type": "transform", "position": {"x": 1300, "y": 140}, "data": {"label": "Refused", "set": {"approved": false, "by": "{{ (decision.by | default(\"somebody\", true)) if decision else \"nobody in time\" }}"}}},
{"id": "tell", "type": "integration", "position": {"x": 1560, "y": 0}, "data": {"label": "Tell the requester", "method": "POST", "url": "{{ vars.notifyUrl }}/decisions", "body": {"requester": "{{ requester }}", "approved": "{{ approved }}", "by": "{{ by }}"}, "output": "told"}}
],
"edges":[
{"id": "e1", "source": "start", "target": "small"},
{"id": "e2", "source": "small", "target": "automatic", "sourceHandle": "true"},
{"id": "e3", "source": "small", "target": "ask", "sourceHandle": "false"},
{"id": "e4", "source": "ask", "target": "decide"},
{"id": "e5", "source": "decide", "target": "decided"},
{"id": "e6", "source": "decided", "target": "granted", "sourceHandle": "true"},
{"id": "e7", "source": "decided", "target": "refused", "sourceHandle": "false"},
{"id": "e8", "source": "automatic", "target": "tell"},
{"id": "e9", "source": "granted", "target": "tell"},
{"id": "e10", "source": "refused", "target": "tell"}
],
"variables":{"approveUpTo": 100, "notifyUrl": "https://notify.example.com"},
"settings":{}}'),
('tpl_customeronboarding', 'Customer onboarding',
'Welcomes a new customer, lets a day pass, and starts the follow-up workflow that the variable followUpWorkflowId names, if it names one.',
'customer onboarding
welcomes a new customer, lets a day pass, and starts the follow-up workflow that the variable followupworkflowid names, if it names one.',
'sales', '["onboarding"]', true,
'{"nodes":[
{"id": "start", "type": "trigger", "position": {"x": 0, "y": 0}, "data": {"label": "Customer signs up", "inputSchema": {"type": "object", "required": ["email"], "properties": {"email": {"type": "string"}, "name": {"type": "string"}}}}},
{"id": "welcome", "type": "integration", "position": {"x": 260, "y": 0}, "data": {"label": "Send the welcome", "method": "POST", "url": "{{ vars.mailingUrl }}/messages", "body": {"to": "{{ email }}", "template": "welcome", "name": "{{ name | default(none) }}"}, "output": "message"}},
{"id": "pause", "type": "wait", "position": {"x": 520, "y": 0}, "data": {"label": "Let a day pass", "durationMs": 86400000}},
{"id": "more", "type": "condition", "position": {"x": 780, "y": 0}, "data": {"label": "Is there a follow-up?", "expression": "vars.followUpWorkflowId | default(\"\", true) | length > 0"}},
{"id": "follow", "type": "subWorkflow", "position": {"x": 1040, "y": 0}, "data": {"label": "Follow up", "workflowId": "{{ vars.followUpWorkflowId }}", "input": {"email": "{{ email }}"}, "output": "followUp"}},
{"id": "done", "type": "transform", "position": {"x": 1300, "y": 0}, "data": {"label": "Done", "set": {"onboarded": true}}}
],
"edges":[
{"id": "e1", "source": "start", "target": "welcome"},
{"id": "e2", "source": "welcome", "target": "pause"},
{"id": "e3", "source": "pause", "target": "more"},
{"id": "e4", "source": "more", "target": "follow", "sourceHandle": "true"},
{"id": "e5", "source": "more", "target": "done", "sourceHandle": "false"},
{"id": "e6", "source": "follow", "target": "done"}
],
"variables":{"mailingUrl": "https://mail.example.com", "followUpWorkflowId": ""},
"settings":{}}');
