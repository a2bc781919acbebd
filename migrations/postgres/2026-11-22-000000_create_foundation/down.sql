DROP TABLE execution_inbox, execution_journal, executions, workflow_revisions, workflows, api_keys, memberships, users,
    organizations;
