//! Tags: the producer's tags, by which lists find executions.

/// The part of a statement that writes a row for each tag of the rows of `inserted (id, created_at, tags)`, of the
/// organization `$1`. A tag that was named twice is one.
macro_rules! tag_inserted {
    () => {
        "tagged AS (
            INSERT INTO execution_tags (organization_id, tag, created_at, execution_id)
            SELECT DISTINCT $1, tag, created_at, id
            FROM inserted CROSS JOIN LATERAL json_array_elements_text(inserted.tags::json) AS tag
        ), "
    };
}

pub(crate) use tag_inserted;
