//! A router that knows its routes: axum's own does not tell.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};

use crate::state::AppState;

/// A route: a method and a path, with `{name}` for what varies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: &'static str,
}

/// Routes under construction.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) router: Router<Arc<AppState>>,
    pub(super) list: Vec<Route>,
}

/// Who answers requests of one method: the type parameters are how axum tells handlers apart.
macro_rules! method {
    ($name:ident, $method:ident) => {
        pub(super) fn $name<H, T>(self, path: &'static str, handler: H) -> Self
        where
            H: Handler<T, Arc<AppState>>,
            T: 'static,
        {
            self.route(Method::$method, MethodFilter::$method, path, handler)
        }
    };
}

impl Routes {
    method!(get, GET);
    method!(post, POST);
    method!(patch, PATCH);
    method!(delete, DELETE);

    fn route<H, T>(mut self, method: Method, filter: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<AppState>>,
        T: 'static,
    {
        self.list.push(Route { method, path });
        self.router = self.router.route(path, on(filter, handler));
        self
    }
}
