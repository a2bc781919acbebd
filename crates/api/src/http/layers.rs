//! Layers: what surrounds every route.

mod catch_panic;
mod limit_time;
mod observe;
mod refuse_query;
mod show_rate;

pub(crate) use catch_panic::catch_panic;
pub(crate) use limit_time::limit_time;
pub(crate) use observe::{RequestId, observe};
pub(crate) use refuse_query::refuse_query;
pub(crate) use show_rate::{RateShown, show_rate};
