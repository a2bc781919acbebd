//! Routes: handlers, each under the method and the path of its own `#[utoipa::path]`, with the document that this is part
//! of.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};

use crate::http::layers::refuse_query;
use crate::state::AppState;

/// A route: a method and a path, with `{name}` for what varies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
}

/// Routes under construction. The paths of their handlers are relative to `base`.
pub(super) struct Routes {
    base: &'static str,
    any_query: bool,
    pub(super) router: Router<Arc<AppState>>,
    pub(super) list: Vec<Route>,
    /// What each of them says of itself.
    pub(super) documents: Vec<OpenApi>,
}

/// Adds handlers to [`Routes`]: `routes!(Routes::below(BASE), <module>::<handler>, …)`.
macro_rules! routes {
    ($routes:expr, $($($name:ident)::+),+ $(,)?) => {{
        let mut routes: Routes = $routes;
        $({
            // Of all that utoipa has, only this finds what a handler's attribute has made by the handler's name.
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($name)::+))]
            struct Described;
            let described = <Described as utoipa::OpenApi>::openapi();
            routes.add(described, |method| axum::routing::on(method, $($name)::+));
        })+
        routes
    }};
}
pub(super) use routes;

impl Routes {
    /// Routes below `base`. Where no query parameter is described, any is refused: ignoring it would do something else than
    /// was asked for.
    pub(super) fn below(base: &'static str) -> Self {
        Self {
            base,
            any_query: false,
            router: Router::new(),
            list: Vec::new(),
            documents: Vec::new(),
        }
    }

    /// Routes of the whole host, where whoever watches may add what it likes to a query.
    pub(super) fn with_any_query() -> Self {
        Self {
            any_query: true,
            ..Self::below("")
        }
    }

    /// Adds a handler that `described` describes, and nothing else.
    pub(super) fn add(
        &mut self,
        mut described: OpenApi,
        handler: impl Fn(MethodFilter) -> MethodRouter<Arc<AppState>>,
    ) {
        for (path, item) in std::mem::take(&mut described.paths.paths) {
            let path = format!("{}{path}", self.base);
            for (method, filter, operation) in operations(&item) {
                let mut answered = handler(filter);
                if !self.any_query && !has_query(operation) {
                    answered = answered.route_layer(from_fn(refuse_query));
                }
                self.router = std::mem::take(&mut self.router).route(&path, answered);
                self.list.push(Route {
                    method,
                    path: path.clone(),
                });
            }
            described.paths.paths.insert(path, item);
        }
        self.documents.push(described);
    }
}

/// The methods that handlers are known by: of any other, the document would have a route that nobody answers, which its tests
/// find.
fn operations(item: &PathItem) -> impl Iterator<Item = (Method, MethodFilter, &Operation)> {
    [
        (Method::GET, MethodFilter::GET, &item.get),
        (Method::POST, MethodFilter::POST, &item.post),
        (Method::PUT, MethodFilter::PUT, &item.put),
        (Method::PATCH, MethodFilter::PATCH, &item.patch),
        (Method::DELETE, MethodFilter::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, filter, operation)| Some((method, filter, operation.as_ref()?)))
}

fn has_query(operation: &Operation) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|parameter| parameter.parameter_in == ParameterIn::Query)
}
