//! Claims: what a token says, once its signature is verified.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::Bearer;

/// A token's claims.
pub(super) struct Claims<'a>(pub(super) &'a Map<String, Value>);

impl Claims<'_> {
    /// Whose the token is; the error reads like "it has no `sub`".
    pub(super) fn bearer(&self, organization_claim: &str, leeway: Duration) -> Result<Bearer, String> {
        Ok(Bearer {
            organization: self.id(organization_claim)?,
            user: self.id("sub")?,
            expires_in: self.expires_in(leeway)?,
        })
    }

    fn id<T: FromStr>(&self, claim: &str) -> Result<T, String>
    where
        T::Err: std::fmt::Display,
    {
        let value = self.0.get(claim).ok_or_else(|| format!("it has no `{claim}`"))?;
        let id = value.as_str().unwrap_or_default();
        id.parse().map_err(|error| format!("its `{claim}` is {error}"))
    }

    /// `exp` was checked; what is left of it decides how long the answer may be remembered.
    fn expires_in(&self, leeway: Duration) -> Result<Duration, String> {
        let exp = self.0.get("exp").and_then(Value::as_f64).unwrap_or_default();
        let end = Duration::try_from_secs_f64(exp).map_err(|_| "its `exp` cannot be read".to_owned())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(end.saturating_add(leeway).saturating_sub(now))
    }
}
