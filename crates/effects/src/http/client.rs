use std::net::IpAddr;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, Request, RequestBuilder, Response};
use serde_json::{Map, Value};
use url::{Host, Url};

use crate::Error;
use crate::http::address::is_public;
use crate::http::allow::Allowed;
use crate::http::call_error::host;
use crate::http::redirect::{redirect, target};
use crate::http::resolver::PublicResolver;
use crate::http::{CallError, HttpOptions, response, tls};
use crate::integration::Expected;

/// The HTTP client of all nodes of a worker: one pool of connections, one set of limits.
pub(crate) struct HttpClient {
    /// Looks names up through [`PublicResolver`].
    guarded: Client,
    /// For what the operator allowed. A client of its own because a resolver sees the name alone, and an exception may
    /// be for one port of it.
    open: Client,
    allowed: Allowed,
    options: HttpOptions,
}

impl HttpClient {
    /// Builds the client.
    pub(crate) fn new(options: HttpOptions) -> Result<Self, Error> {
        let tls = tls::client_config()?;
        let builder = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .connect_timeout(options.connect_timeout)
                .user_agent(concat!("gristmill/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                // The node's own retries are the only ones: they are journalled.
                .retry(reqwest::retry::never())
                // A proxy from the environment would do the name lookup, and with it the address check, for us.
                .no_proxy()
        };
        Ok(Self {
            guarded: builder()
                .dns_resolver(PublicResolver)
                .build()
                .map_err(Error::Client)?,
            open: builder().build().map_err(Error::Client)?,
            allowed: Allowed::new(&options)?,
            options,
        })
    }

    /// The limits in force.
    pub(crate) fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// A request to be filled in; takes credentials out of the URL and into a header.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.guarded.request(method, url)
    }

    /// Sends `request`, follows redirects, and reads the response as `{status, headers, body}`. It may take forever: the
    /// caller drops the future when its time is up.
    pub(crate) async fn call(
        &self,
        request: Request,
        expected: &Expected,
    ) -> Result<Map<String, Value>, CallError> {
        let response = self.follow(request).await?;
        response::read(response, expected, self.options.max_response_bytes).await
    }

    async fn follow(&self, mut request: Request) -> Result<Response, CallError> {
        let limit = self.options.max_redirects;
        for _ in 0..=limit {
            let response = self.hop(&request).await?;
            match target(&response) {
                Some(target) => redirect(&mut request, response.status(), target?),
                None => return Ok(response),
            }
        }
        Err(CallError::TooManyRedirects { limit })
    }

    /// One request and its response's head. Every hop passes here, so every hop is checked.
    async fn hop(&self, request: &Request) -> Result<Response, CallError> {
        let url = request.url();
        let allowed = self.allowed.allows(url);
        check(url, allowed)?;
        let client = if allowed { &self.open } else { &self.guarded };
        let again = request.try_clone().ok_or_else(|| {
            CallError::InvalidRequest("the request's body is a stream and cannot be sent".to_owned())
        })?;
        client
            .execute(again)
            .await
            .map_err(|error| CallError::from_reqwest(error, url))
    }
}

/// Refuses other schemes than http and https, and literal addresses that are not public: those never meet the resolver.
fn check(url: &Url, allowed: bool) -> Result<(), CallError> {
    if !matches!(url.scheme(), "http" | "https") {
        let why = "only http and https are".to_owned();
        return Err(CallError::InvalidUrl {
            what: "the address",
            why,
        });
    }
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) | None => None,
    };
    match literal {
        Some(address) if !allowed && !is_public(address) => {
            Err(CallError::AddressRefused { host: host(url) })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_address_is_checked_however_it_is_written() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1",
            "http://2130706433",
            "http://0x7f.0.0.1:8080",
            "http://0177.0.0.1",
            "http://①②⑦.0.0.1",
            "http://0/",
            "http://[::1]",
            "http://[::ffff:7f00:1]",
            "https://user:password@169.254.169.254/latest/meta-data",
        ] {
            let error = check(&Url::parse(url).unwrap(), false).unwrap_err();
            assert_eq!(error.code(), "address_refused", "{url}");
            assert!(error.to_string().contains("http.allow_private_addresses"));
            assert!(!error.to_string().contains("password"));
            check(&Url::parse(url).unwrap(), true).unwrap();
        }
    }

    #[test]
    fn only_http_and_https_are_called() {
        for url in [
            "ftp://example.com",
            "file:///etc/passwd",
            "gopher://1.1.1.1",
            "data:,x",
        ] {
            let error = check(&Url::parse(url).unwrap(), true).unwrap_err();
            assert_eq!(error.code(), "invalid_url", "{url}");
        }
    }
}
