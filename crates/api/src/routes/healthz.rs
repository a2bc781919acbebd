//! `GET /healthz`

/// The process lives; nothing else is asked, so that an outage elsewhere never gets healthy processes killed.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}
