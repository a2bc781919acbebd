/// Why the kinds could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An entry of [`HttpOptions::allow_hosts`](crate::HttpOptions::allow_hosts) that cannot be read.
    #[error("`{entry}` in http.allow_hosts is not a host, host:port, [IPv6] or [IPv6]:port")]
    AllowedHost {
        /// The entry as configured.
        entry: String,
    },
    /// No TLS version that this build speaks is usable.
    #[error("cannot set up TLS for outgoing HTTP")]
    Tls(#[source] rustls::Error),
    /// The HTTP client refused its settings.
    #[error("cannot build the HTTP client")]
    Client(#[source] reqwest::Error),
}
