//! A page of numbered things: `?after=&limit=`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;

use super::Filters;
use crate::http::error::Error;

/// A page of numbered things.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// The number of the last one already seen; absent = from the beginning.
    #[param(nullable = false)]
    after: Option<u32>,
    /// How many, 1 to 1,000.
    #[param(minimum = 1, maximum = 1000, default = 100, nullable = false)]
    limit: Option<u16>,
}

/// How many a page holds unless asked otherwise, and at most.
const LIMITS: (u16, u16) = (100, 1_000);

impl Page {
    /// The number of the first one wanted, counting from 0.
    pub(crate) fn first(&self) -> i32 {
        let first = self.after.map_or(0, |after| after.saturating_add(1));
        i32::try_from(first).unwrap_or(i32::MAX)
    }

    /// How many are wanted.
    pub(crate) fn limit(&self) -> i32 {
        i32::from(self.limit.unwrap_or(LIMITS.0))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let mut filters = Filters::from_request_parts(parts, state).await?;
        let after = filters.take("after", "the number of the last one already seen");
        let limit = filters.take_with("limit", &format!("1 to {}", LIMITS.1), |text| {
            text.parse().ok().filter(|limit| (1..=LIMITS.1).contains(limit))
        });
        filters.finish()?;
        Ok(Self { after, limit })
    }
}
