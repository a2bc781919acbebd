//! The common part of the document: what every route has.

use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Response, Schema, Type,
};

use super::examples::example_of;
use crate::http::BASE;

/// The scheme's name in the document.
const KEY: &str = "apiKey";

/// Adds to each operation its tag, the key that it needs, the answers to requests that are wrong in ways that any request
/// can be, the problem document as the body of every error, and what its successful answers look like.
pub(super) fn add(document: &mut OpenApi) {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("gm_… or JWT")
        .description(Some(
            "An API key, as `Authorization: Bearer gm_…`, or a token (JWT) where tokens are configured.",
        ));
    document
        .components
        .get_or_insert_default()
        .security_schemes
        .insert(KEY.to_owned(), SecurityScheme::Http(scheme.build()));
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            complete(path, operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}

fn complete(path: &str, operation: &mut Operation) {
    let resource = path
        .strip_prefix(BASE)
        .and_then(|rest| rest.split(['/', ':']).nth(1));
    operation.tags = Some(vec![resource.unwrap_or("probes").to_owned()]);
    if resource.is_some() {
        operation.security = Some(vec![SecurityRequirement::new::<_, _, &str>(KEY, [])]);
    }
    shorten_summary(operation);
    drop_null_body(operation);
    for (status, description) in problems(path, operation, resource.is_some()) {
        let response = operation.responses.responses.entry(status.to_owned());
        if let RefOr::T(response) = response.or_insert_with(|| Response::default().into()) {
            // What the route itself says comes first.
            let own = std::mem::take(&mut response.description);
            response.description = format!("{own} {description}").trim_start().to_owned();
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            describe(status, response, resource.is_some());
            let content = response.content.get_mut("application/json");
            if let (Some(content), Some(id)) = (content, &operation.operation_id) {
                content.example = example_of(id, status);
            }
        }
    }
}

/// A handler's comment begins with what it does; all of it is the description.
fn shorten_summary(operation: &mut Operation) {
    let Some(text) = operation.summary.take().map(|text| text.replace('\n', " ")) else {
        return;
    };
    let end = text.find([';', '.']).unwrap_or(text.len());
    operation.summary = Some(text[..end].to_owned());
    if end + 1 < text.len() {
        let more = operation.description.take().into_iter();
        operation.description = Some([text].into_iter().chain(more).collect::<Vec<_>>().join("\n\n"));
    }
}

/// An optional body may be left out; a body that says `null` is no object.
fn drop_null_body(operation: &mut Operation) {
    let Some(body) = &mut operation.request_body else {
        return;
    };
    for content in body.content.values_mut() {
        match &mut content.schema {
            Some(RefOr::T(Schema::OneOf(choices))) => {
                let choice = choices
                    .items
                    .iter()
                    .find(|choice| matches!(choice, RefOr::Ref(_)))
                    .cloned();
                content.schema = choice.or_else(|| content.schema.take());
            }
            Some(RefOr::T(Schema::Object(object))) => {
                object.schema_type = Type::Object.into();
            }
            _ => {}
        }
    }
}

/// What any request of this shape can be answered with.
fn problems(path: &str, operation: &Operation, needs_key: bool) -> Vec<(&'static str, &'static str)> {
    let has = |place| {
        let parameters = operation.parameters.iter().flatten();
        parameters
            .into_iter()
            .any(|parameter| parameter.parameter_in == place)
    };
    let mut problems = Vec::new();
    if needs_key {
        problems.push((
            "401",
            "`unauthenticated`: there is no API key and no token, or nobody has it.",
        ));
        problems.push((
            "403",
            "`forbidden`: roles, tier or the key's scopes do not allow this.",
        ));
        problems.push((
            "429",
            "`rate-limit`: more requests a second than the caller may send.",
        ));
        problems.push(("500", "`internal`: a defect on our side."));
        problems.push((
            "503",
            "`unavailable`, `outcome-unknown`, `timeout`, `overtaken`: not now. `detail` says whether a repeat is safe.",
        ));
    }
    if path.contains('{') {
        problems.push((
            "404",
            "`not-found`: there is none of this id, or it is another organization's.",
        ));
    }
    let (has_query, has_body) = (has(ParameterIn::Query), operation.request_body.is_some());
    if needs_key || has_query {
        problems.push(("400", "`malformed-query`: the query cannot be read."));
    }
    if has_body {
        problems.push((
            "400",
            "`malformed-json`, `body-cut-off`: the body cannot be read.",
        ));
        problems.push(("413", "`body-too-large`: `detail` says how large it may be."));
        problems.push((
            "415",
            "`unsupported-media-type`: the body is no `application/json`.",
        ));
    }
    if needs_key || has_query || has_body || has(ParameterIn::Header) {
        problems.push((
            "422",
            "`invalid`: `errors` lists everything that is wrong: in the body with its JSON path, otherwise with the name \
             of the parameter or header.",
        ));
    }
    if has_parameter(operation, "If-Match") {
        problems.push(("412", "`stale`: it has changed since it had that `ETag`."));
    }
    problems
}

fn has_parameter(operation: &Operation, name: &str) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|parameter| parameter.name == name)
}

/// The header that says what is left of the caller's rate, and the one that says what the rate is.
const RATE: [(&str, &str); 2] = [
    (
        "ratelimit",
        "`\"key\";r=…;t=…`: how many requests (each input of a batch is one) the caller may send at once now, and in how many \
         seconds it has a whole burst, or may send again. Absent where callers have no rate, and where the caller is not \
         known.",
    ),
    (
        "ratelimit-policy",
        "`\"key\";q=…;w=…`: how many requests are a burst, and in how many seconds one is earned from nothing.",
    ),
];

/// Gives an answer its common headers, and an error its body.
fn describe(status: &str, response: &mut Response, needs_key: bool) {
    let text = |description: &str| {
        HeaderBuilder::new()
            .schema(ObjectBuilder::new().schema_type(Type::String))
            .description(Some(description))
            .build()
    };
    let id = text("The request's id, as in the logs.");
    response.headers.insert("x-request-id".to_owned(), id);
    if needs_key && status != "401" {
        let rate = RATE.map(|(name, description)| (name.to_owned(), text(description)));
        response.headers.extend(rate);
    }
    if status.starts_with(['4', '5']) {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build();
        response
            .content
            .entry("application/problem+json".to_owned())
            .or_insert(content);
    }
    match status {
        "401" => {
            let header = text("The scheme that is asked for.");
            response.headers.insert("www-authenticate".to_owned(), header);
        }
        "429" | "503" => {
            let header = text("Seconds to wait before a repeat. Absent where waiting alone does not help.");
            response.headers.insert("retry-after".to_owned(), header);
        }
        _ => {}
    }
}
