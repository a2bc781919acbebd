//! `GET /healthz`

/// The process lives; nothing else is asked, so that an outage elsewhere never gets healthy processes killed.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "getHealth",
    responses((status = 200, description = "The process lives.", body = String, content_type = "text/plain; charset=utf-8"))
)]
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}
