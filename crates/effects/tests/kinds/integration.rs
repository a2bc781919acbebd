use std::time::Duration;

use gristmill_effects::HttpOptions;
use gristmill_engine::FailureClass;
use gristmill_testkit::{RecordingEndpoint, Reply};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::support::{private, run, run_in};

#[tokio::test]
async fn method_url_query_headers_and_body_are_rendered() {
    let endpoint = RecordingEndpoint::start().await;
    let scope = json!({
        "base": endpoint.url(), "name": "St. John's & \"Bud\"", "n": 1.5, "list": ["a", 2], "none": null,
        "method": "put", "token": "t0ken",
    });
    let data = json!({
        "method": "{{ method }}",
        "url": "{{ base }}/air ports?x=1",
        "query": {"name": "{{ name }}", "n": "{{ n }}", "tag": "{{ list }}", "left out": "{{ none }}", "on": true},
        "headers": {"Authorization": "Bearer {{ token }}", "X-N": "{{ n }}", "X-None": "{{ none }}"},
        "body": {"name": "{{ name }}", "list": "{{ list }}", "n": 1},
    });
    let output = run_in(scope, private(), data).await.unwrap();
    assert_eq!(output["status"], 200);
    let call = &endpoint.calls()[0];
    assert_eq!(call.method, "PUT");
    assert_eq!(call.path, "/air%20ports");
    assert_eq!(
        call.query,
        "x=1&name=St.+John%27s+%26+%22Bud%22&n=1.5&tag=a&tag=2&on=true"
    );
    assert_eq!(call.header("authorization"), Some("Bearer t0ken"));
    assert_eq!(call.header("x-n"), Some("1.5"));
    assert_eq!(call.header("x-none"), None);
    assert_eq!(call.header("content-type"), Some("application/json"));
    assert_eq!(
        call.json(),
        json!({"name": "St. John's & \"Bud\"", "list": ["a", 2], "n": 1})
    );
}

#[tokio::test]
async fn a_call_is_a_get_without_body_and_carries_the_idempotency_key() {
    let endpoint = RecordingEndpoint::start().await;
    let url = endpoint.url();
    run(private(), json!({"url": url})).await.unwrap();
    run(
        private(),
        json!({"url": url, "headers": {"Idempotency-Key": "order-7"}}),
    )
    .await
    .unwrap();
    let calls = endpoint.calls();
    assert_eq!((calls[0].method.as_str(), calls[0].path.as_str()), ("GET", "/"));
    assert!(calls[0].body.is_empty());
    assert_eq!(calls[0].header("content-type"), None);
    assert_eq!(calls[0].header("idempotency-key"), Some("wf_exec_1:node"));
    assert_eq!(calls[1].header("idempotency-key"), Some("order-7"));
}

#[tokio::test]
async fn rule_07_the_output_is_status_headers_and_body() {
    let endpoint = RecordingEndpoint::answering(|call| match call.path.as_str() {
        "/json" => Reply::json(201, json!({"a": [1, null]})).header("X-Trace", "7"),
        "/text" => Reply::bytes(200, b"caf\xe9".to_vec()).header("Content-Type", "text/plain"),
        "/broken" => Reply::text(200, "{").header("content-type", "application/json"),
        _ => Reply::bytes(204, ""),
    })
    .await;
    let call = |path: &str| run(private(), json!({"url": format!("{}{path}", endpoint.url())}));
    assert_eq!(
        Value::Object(call("/json").await.unwrap()),
        json!({
            "status": 201,
            "headers": {"content-type": "application/json", "x-trace": "7", "content-length": "14"},
            "body": {"a": [1, null]},
        })
    );
    assert_eq!(call("/text").await.unwrap()["body"], "caf\u{fffd}");
    assert_eq!(call("/broken").await.unwrap()["body"], "{");
    assert_eq!(call("/nothing").await.unwrap()["body"], Value::Null);
}

#[tokio::test]
async fn rule_13_a_status_of_400_or_above_fails_and_some_may_be_tried_again() {
    let endpoint = RecordingEndpoint::answering(|call| {
        let status = call.path[1..].parse().unwrap();
        Reply::text(status, "no".repeat(4_000)).header("Retry-After", "7")
    })
    .await;
    for (status, retried) in [
        (400, false),
        (404, false),
        (409, false),
        (429, true),
        (500, true),
        (501, true),
        (503, true),
    ] {
        let data = json!({"url": format!("{}/{status}", endpoint.url())});
        let failure = run(private(), data).await.unwrap_err();
        assert_eq!(failure.error.code, "http_status");
        assert_eq!(failure.error.details["status"], status);
        assert_eq!(failure.error.details["body"], "no".repeat(512));
        let after = Some(Duration::from_secs(7));
        let expected = if retried {
            FailureClass::Retry { after }
        } else {
            FailureClass::Final
        };
        assert_eq!(failure.class, expected, "{status}");
    }
}

#[tokio::test]
async fn a_broken_connection_may_be_tried_again() {
    let endpoint = RecordingEndpoint::answering(|_| Reply::close()).await;
    let failure = run(private(), json!({"url": endpoint.url()})).await.unwrap_err();
    assert_eq!(failure.error.code, "network");
    assert_eq!(failure.class, FailureClass::Retry { after: None });
    assert_eq!(endpoint.calls().len(), 1, "the client repeats nothing by itself");
}

#[tokio::test]
async fn a_body_larger_than_the_limit_is_not_read_to_its_end() {
    let endpoint = RecordingEndpoint::answering(|call| match call.path.as_str() {
        "/endless" => Reply::endless(),
        "/fits" => Reply::text(200, "x".repeat(1_000)),
        _ => Reply::text(200, "x".repeat(1_001)),
    })
    .await;
    let options = HttpOptions {
        max_response_bytes: 1_000,
        ..private()
    };
    let call = |path: &str| {
        run(
            options.clone(),
            json!({"url": format!("{}{path}", endpoint.url())}),
        )
    };
    call("/fits").await.unwrap();
    for path in ["/announced", "/endless"] {
        let failure = call(path).await.unwrap_err();
        assert_eq!(failure.error.code, "response_too_large", "{path}");
        assert_eq!(failure.class, FailureClass::Final);
    }
}

#[tokio::test]
async fn what_a_request_is_made_of_is_bounded_while_it_is_rendered() {
    let many: serde_json::Map<_, _> = (0..20)
        .map(|n| (format!("k{n}"), json!("{{ 'x' * 1000000 }}")))
        .collect();
    for key in ["query", "headers", "body", "form"] {
        let failure = run(private(), json!({"url": "http://127.0.0.1:9/", key: many}))
            .await
            .unwrap_err();
        assert_eq!(failure.error.code, "node_output_limit", "{key}");
        assert_eq!(failure.class, FailureClass::Final);
    }
}

#[tokio::test]
async fn a_request_body_larger_than_the_limit_is_not_sent() {
    let endpoint = RecordingEndpoint::start().await;
    let options = HttpOptions {
        max_request_bytes: 10,
        ..private()
    };
    let data = json!({"url": endpoint.url(), "method": "POST", "body": "x".repeat(9)});
    let failure = run(options, data).await.unwrap_err();
    assert_eq!(failure.error.code, "request_too_large");
    assert!(endpoint.calls().is_empty());
}

#[tokio::test]
async fn credentials_of_the_url_are_sent_as_a_header_and_appear_in_no_error() {
    let endpoint = RecordingEndpoint::answering(|call| match call.path.as_str() {
        "/ok" => Reply::text(200, ""),
        "/close" => Reply::close(),
        _ => Reply::text(500, ""),
    })
    .await;
    let url = |rest: &str| format!("http://ada:s3cret@127.0.0.1:{}{rest}", endpoint.port());
    run(private(), json!({"url": url("/ok")})).await.unwrap();
    assert_eq!(
        endpoint.calls()[0].header("authorization"),
        Some("Basic YWRhOnMzY3JldA==")
    );
    for url in [
        url("/close?token=s3cret"),
        url("/s3cret"),
        "http://ada:s3cret@nowhere.invalid/s3cret?token=s3cret".to_owned(),
        "https://ada:s3cret@127.0.0.1:1/?token=s3cret".to_owned(),
    ] {
        let failure = run(private(), json!({"url": url})).await.unwrap_err();
        let shown = format!("{:?}", failure.error);
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    for value in [
        "{{ 's3cret://' }}",
        "{{ 'http://s3cret:s3cret' }}",
        "{{ 'http://s3cret host' }}",
    ] {
        let failure = run(private(), json!({"url": value})).await.unwrap_err();
        assert_eq!(failure.error.code, "invalid_url");
        assert!(
            !failure.error.message.contains("s3cret"),
            "{}",
            failure.error.message
        );
    }
}

#[tokio::test]
async fn https_is_spoken_without_a_provider_for_the_whole_process() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap()
    };
    let (first_byte, result) = tokio::join!(server, run(private(), json!({"url": url})));
    assert_eq!(first_byte, 0x16, "a TLS handshake record");
    assert_eq!(result.unwrap_err().error.code, "network", "the server hung up");
}

#[tokio::test]
async fn what_no_request_can_hold_fails_for_good() {
    for (data, expected) in [
        (
            json!({"url": "http://a.example", "headers": {"x": "a{{ '\\n' }}b"}}),
            "the header `x` holds",
        ),
        (
            json!({"url": "http://a.example", "headers": {"x": "{{ [1] }}"}}),
            "the header `x` is neither",
        ),
        (
            json!({"url": "http://a.example", "query": {"q": {"a": 1}}}),
            "the query parameter `q` is neither",
        ),
        (
            json!({"url": "http://a.example", "method": "{{ 'TRACE' }}"}),
            "the method is not one of",
        ),
    ] {
        let failure = run(private(), data).await.unwrap_err();
        assert_eq!(failure.error.code, "invalid_request");
        assert_eq!(failure.class, FailureClass::Final);
        assert!(
            failure.error.message.starts_with(expected),
            "{}",
            failure.error.message
        );
    }
}

#[tokio::test]
async fn a_form_and_a_text_are_sent_as_what_they_are() {
    let endpoint = RecordingEndpoint::start().await;
    let url = endpoint.url();
    let form = json!({"a": "{{ n }}", "b": ["x y", "{{ none }}", true], "c": "{{ none }}"});
    let scope = || json!({"n": 1, "none": null, "name": "Ada"});
    run_in(
        scope(),
        private(),
        json!({"method": "POST", "url": url, "form": form}),
    )
    .await
    .unwrap();
    run_in(
        scope(),
        private(),
        json!({"method": "POST", "url": url, "text": "Dear {{ name }}"}),
    )
    .await
    .unwrap();
    let calls = endpoint.calls();
    assert_eq!(
        calls[0].header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(calls[0].body, b"a=1&b=x+y&b=true");
    assert_eq!(calls[1].header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(calls[1].body, b"Dear Ada");
}

#[tokio::test]
async fn expect_status_says_what_a_success_is() {
    let endpoint =
        RecordingEndpoint::answering(|call| Reply::text(call.path[1..].parse().unwrap(), "said")).await;
    for (expected, status, class) in [
        (json!(404), 404, None),
        (json!(["2xx", 409]), 409, None),
        (json!(["2xx", 409]), 204, None),
        (json!(201), 200, Some(FailureClass::Final)),
        (json!([201, 202]), 503, Some(FailureClass::Retry { after: None })),
    ] {
        let data = json!({"url": format!("{}/{status}", endpoint.url()), "expectStatus": expected});
        match (run(private(), data).await, class) {
            (Ok(output), None) => assert_eq!(output["status"], status),
            (Err(failure), Some(class)) => {
                assert_eq!(
                    (failure.error.code.as_str(), failure.class),
                    ("http_status", class)
                );
            }
            (other, _) => panic!("{expected} {status}: {other:?}"),
        }
    }
}
