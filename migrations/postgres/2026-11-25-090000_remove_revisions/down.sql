REVOKE DELETE ON workflow_revisions FROM gristmill_worker;
