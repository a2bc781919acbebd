//! Directory: the small HTTP service that the examples call; `examples/README.md` describes it.

use std::net::SocketAddr;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use gristmill_server::listen;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::error::Error;

/// The running service; it ends when this is dropped.
pub struct Directory {
    /// Where it listens.
    pub address: SocketAddr,
    _server: AbortOnDropHandle<()>,
}

#[derive(Deserialize)]
struct Region {
    region: String,
}

#[derive(Deserialize)]
struct Airport {
    code: String,
    name: String,
    position: [f64; 2],
}

impl Directory {
    /// Starts the service on a free loopback port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> Result<Self, Error> {
        let listener: TcpListener = listen(SocketAddr::from(([127, 0, 0, 1], 0)), super::ADVICE).await?;
        let address = listener.local_addr().map_err(Error::Runtime)?;
        let router = Router::new()
            .route("/airports", post(register))
            .route("/origins/{origin}", get(locate));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the directory service ended"
                );
            }
        });
        Ok(Self {
            address,
            _server: AbortOnDropHandle::new(server),
        })
    }
}

async fn register(
    Query(Region { region }): Query<Region>,
    Json(airport): Json<Airport>,
) -> (StatusCode, Json<Value>) {
    let Airport { code, name, position } = airport;
    if name.is_empty() || !position.iter().all(|degrees| degrees.abs() <= 180.0) {
        return (
            StatusCode::UNPROCESSABLE_ENTITY,
            Json(json!({"error": "no such place"})),
        );
    }
    (
        StatusCode::CREATED,
        Json(json!({"reference": format!("{region}-{code}"), "code": code})),
    )
}

async fn locate(Path(origin): Path<String>) -> (StatusCode, Json<Value>) {
    let continent = match origin.as_str() {
        "USA" => "North America",
        "Japan" => "Asia",
        "Europe" => "Europe",
        _ => return (StatusCode::NOT_FOUND, Json(json!({"error": "unknown origin"}))),
    };
    (
        StatusCode::OK,
        Json(json!({"origin": origin, "continent": continent})),
    )
}
