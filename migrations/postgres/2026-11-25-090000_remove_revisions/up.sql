-- Deleted workflows are removed one revision at a time: whoever did so all at once never finished a workflow with many of
-- them. Running code of the version before removes revisions by their workflow alone, for which it needs no right, and
-- does not mind that some are gone.
GRANT DELETE ON workflow_revisions TO gristmill_worker;
