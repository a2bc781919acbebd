use std::time::Duration;

/// Limits of outgoing HTTP, and where it may go. Set by the operator, never by a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// Whether any URL may lead to a private, loopback or link-local address: `http.allow_private_addresses`.
    pub allow_private_addresses: bool,
    /// Hosts that may have such an address all the same: `host`, `host:port` or `[IPv6]:port`, matched with the host as
    /// it stands in the URL: `http.allow_hosts`.
    pub allow_hosts: Vec<String>,
    /// How long one attempt may take, redirects and body included, where the node sets no `timeoutMs`.
    pub timeout: Duration,
    /// How long each connection may take to open, name lookup included.
    pub connect_timeout: Duration,
    /// The largest request body, in bytes.
    pub max_request_bytes: usize,
    /// The largest response body, in bytes.
    pub max_response_bytes: usize,
    /// How many redirects one call follows.
    pub max_redirects: usize,
}

impl Default for HttpOptions {
    /// Public addresses only, 30 s in all, 5 s to connect, bodies of 1 MiB, 5 redirects.
    fn default() -> Self {
        Self {
            allow_private_addresses: false,
            allow_hosts: Vec::new(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            max_request_bytes: 1 << 20,
            max_response_bytes: 1 << 20,
            max_redirects: 5,
        }
    }
}
