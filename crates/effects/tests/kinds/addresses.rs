use gristmill_effects::{Error, HttpOptions, Options, kinds};
use gristmill_engine::FailureClass;
use gristmill_testkit::RecordingEndpoint;
use serde_json::json;

use crate::support::{allowing, private, run};

#[tokio::test]
async fn a_private_address_is_refused_by_name_and_by_number() {
    let endpoint = RecordingEndpoint::start().await;
    let port = endpoint.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LOCALHOST",
    ] {
        let data = json!({"url": format!("http://{host}:{port}/")});
        let failure = run(HttpOptions::default(), data).await.unwrap_err();
        assert_eq!(
            failure.error.code, "address_refused",
            "{host}: {}",
            failure.error.message
        );
        assert_eq!(failure.class, FailureClass::Final);
        assert!(failure.error.message.contains("http.allow_private_addresses"));
    }
    assert!(endpoint.calls().is_empty());
}

#[tokio::test]
async fn a_setting_allows_all_private_addresses_or_single_hosts() {
    let endpoint = RecordingEndpoint::start().await;
    let port = endpoint.port();
    let url = |host: &str| json!({"url": format!("http://{host}:{port}/")});
    run(private(), url("127.0.0.1")).await.unwrap();
    run(private(), url("localhost")).await.unwrap();
    let options = allowing([format!("localhost:{port}")]);
    run(options.clone(), url("localhost")).await.unwrap();
    assert_eq!(endpoint.calls().len(), 3);
    let failure = run(options, url("127.0.0.1")).await.unwrap_err();
    assert_eq!(failure.error.code, "address_refused");
}

#[tokio::test]
async fn an_exception_for_one_port_is_none_for_another() {
    let endpoint = RecordingEndpoint::start().await;
    let data = json!({"url": format!("http://localhost:{}/", endpoint.port())});
    let failure = run(allowing(["localhost:1".to_owned()]), data).await.unwrap_err();
    assert_eq!(failure.error.code, "address_refused");
    assert!(endpoint.calls().is_empty());
}

#[tokio::test]
async fn a_name_that_does_not_exist_may_be_tried_again() {
    let failure = run(HttpOptions::default(), json!({"url": "http://nowhere.invalid"}))
        .await
        .unwrap_err();
    assert_eq!(failure.error.code, "network");
    assert_eq!(failure.class, FailureClass::Retry { after: None });
}

#[test]
fn an_exception_that_cannot_be_read_is_an_error_at_start() {
    let Err(error) = kinds(Options {
        http: allowing(["http://localhost".to_owned()]),
    }) else {
        panic!("accepted")
    };
    assert!(matches!(error, Error::AllowedHost { .. }));
}
