use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::Error;

/// TLS with ring and the system's certificate authorities.
///
/// The provider is named here rather than installed for the whole process: a library must not decide for its host. A
/// system without authorities is no error yet, since plain HTTP still works; it is logged, and HTTPS calls fail.
pub(crate) fn client_config() -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(error = %error, "cannot read some certificate authorities");
    }
    let (added, _unreadable) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!("found no certificate authorities: every HTTPS call of a workflow will fail");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
