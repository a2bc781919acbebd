//! A router that knows its routes: axum's own does not tell.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::http::layers::refuse_query;
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

/// Who answers requests of one method: the type parameters are how axum tells handlers apart. With `parameters` the handler
/// reads the query; without, any is refused.
macro_rules! method {
    ($name:ident, $method:ident, $query:ident) => {
        pub(super) fn $name<H, T>(self, path: &'static str, handler: H) -> Self
        where
            H: Handler<T, Arc<AppState>>,
            T: 'static,
        {
            let answered = method!($query, on(MethodFilter::$method, handler));
            self.route(Method::$method, path, answered)
        }
    };
    (parameters, $answered:expr) => {
        $answered
    };
    (bare, $answered:expr) => {
        $answered.route_layer(from_fn(refuse_query))
    };
}

impl Routes {
    method!(get, GET, bare);
    method!(post, POST, bare);
    method!(patch, PATCH, bare);
    method!(delete, DELETE, bare);
    method!(get_with_parameters, GET, parameters);

    fn route(mut self, method: Method, path: &'static str, answered: MethodRouter<Arc<AppState>>) -> Self {
        self.list.push(Route { method, path });
        self.router = self.router.route(path, answered);
        self
    }
}
