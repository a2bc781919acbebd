//! Allow: which URLs may lead to addresses that are not public.

use url::{Host, Url};

use crate::Error;
use crate::http::HttpOptions;

/// The operator's exceptions from "public addresses only".
#[derive(Debug)]
pub(crate) struct Allowed {
    everything: bool,
    hosts: Vec<AllowedHost>,
}

#[derive(Debug)]
struct AllowedHost {
    host: Host<String>,
    /// Any port when absent.
    port: Option<u16>,
}

impl Allowed {
    /// Reads the exceptions from the options.
    pub(crate) fn new(options: &HttpOptions) -> Result<Self, Error> {
        let hosts = options.allow_hosts.iter().map(|entry| {
            AllowedHost::parse(entry).ok_or_else(|| Error::AllowedHost { entry: entry.clone() })
        });
        Ok(Self {
            everything: options.allow_private_addresses,
            hosts: hosts.collect::<Result<_, _>>()?,
        })
    }

    /// Whether `url` may lead anywhere.
    pub(crate) fn allows(&self, url: &Url) -> bool {
        self.everything || self.hosts.iter().any(|allowed| allowed.matches(url))
    }
}

impl AllowedHost {
    fn parse(entry: &str) -> Option<Self> {
        // The last colon is the port's unless it stands inside an IPv6 address.
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
            _ => (entry, None),
        };
        Some(Self {
            host: Host::parse(host).ok()?,
            port,
        })
    }

    fn matches(&self, url: &Url) -> bool {
        url.host() == Some(borrowed(&self.host))
            && self
                .port
                .is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

fn borrowed(host: &Host<String>) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entries: &[&str]) -> Result<Allowed, Error> {
        let allow_hosts = entries.iter().map(|entry| (*entry).to_owned()).collect();
        Allowed::new(&HttpOptions {
            allow_hosts,
            ..HttpOptions::default()
        })
    }

    #[test]
    fn an_entry_allows_its_host_and_port_and_nothing_else() {
        let allowed = allowed(&["Intern.example:8080", "10.0.0.7", "[::1]:80", "[fd00::2]"]).unwrap();
        for (url, expected) in [
            ("http://intern.example:8080/a", true),
            ("http://INTERN.EXAMPLE:8080", true),
            ("http://intern.example", false),
            ("http://intern.example:8081", false),
            ("http://intern.example.:8080", false),
            ("http://x.intern.example:8080", false),
            ("http://10.0.0.7:9", true),
            ("http://0xa.7", true),
            ("http://10.0.0.8", false),
            ("http://[::1]", true),
            ("http://[0:0::1]:80", true),
            ("http://[::1]:81", false),
            ("https://[fd00::2]", true),
        ] {
            assert_eq!(allowed.allows(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn an_entry_that_is_no_host_is_named() {
        for entry in [
            "",
            ":80",
            "host:",
            "host:99999",
            "::1",
            "http://host",
            "a b",
            "10.0.0.0/8",
        ] {
            let error = allowed(&[entry]).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("`{entry}` in http.allow_hosts")),
                "{error}"
            );
        }
    }
}
