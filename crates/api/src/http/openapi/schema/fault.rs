//! A fault: one thing that is wrong with a request.

use utoipa::ToSchema;

/// One thing wrong with a request, and where.
#[derive(ToSchema)]
pub(crate) struct Fault {
    /// A JSON path from the body's root (`$.nodes[3].data.url`), or the header, parameter or part of the path.
    path: String,
    /// Stable, for programs: `unknown_kind`, `cycle`, `wrong_type`, ….
    code: String,
    /// What is wrong and what would be right, for people.
    message: String,
}
