use gristmill_testkit::{RecordingEndpoint, Reply};
use serde_json::json;

use crate::support::{allowing, private, run};

#[tokio::test]
async fn a_redirect_to_a_refused_address_fails_and_nothing_arrives_there() {
    let inside = RecordingEndpoint::start().await;
    let port = inside.port();
    for target in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("//localhost:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://0xa9fea9fe/".to_owned(),
    ] {
        let location = target.clone();
        let outside = RecordingEndpoint::answering(move |_| Reply::redirect(302, &location)).await;
        let options = allowing([format!("127.0.0.1:{}", outside.port())]);
        let failure = run(options, json!({"url": outside.url()})).await.unwrap_err();
        assert_eq!(failure.error.code, "address_refused", "{target}");
        assert_eq!(outside.calls().len(), 1);
    }
    assert!(inside.calls().is_empty());
}

#[tokio::test]
async fn a_redirect_leads_to_http_and_https_only() {
    for target in ["file:///etc/passwd", "ftp://127.0.0.1/", "http://"] {
        let endpoint = RecordingEndpoint::answering(move |_| Reply::redirect(302, target)).await;
        let failure = run(private(), json!({"url": endpoint.url()})).await.unwrap_err();
        assert_eq!(failure.error.code, "invalid_url", "{target}");
    }
}

#[tokio::test]
async fn five_redirects_are_followed_and_not_six() {
    let endpoint = RecordingEndpoint::answering(|call| match call.path[1..].parse::<u32>().unwrap() {
        0 => Reply::text(200, "there"),
        left => Reply::redirect(307, format!("/{}", left - 1)),
    })
    .await;
    let call = |hops: u32| run(private(), json!({"url": format!("{}/{hops}", endpoint.url())}));
    assert_eq!(call(5).await.unwrap()["body"], "there");
    assert_eq!(call(6).await.unwrap_err().error.code, "too_many_redirects");
}

#[tokio::test]
async fn method_and_body_change_as_in_a_browser() {
    let endpoint = RecordingEndpoint::answering(|call| match call.path[1..].parse() {
        Ok(status) => Reply::redirect(status, "/end"),
        Err(_) => Reply::text(200, ""),
    })
    .await;
    for (status, method, expected) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (302, "PUT", "PUT"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
    ] {
        let body = if method == "HEAD" {
            json!(null)
        } else {
            json!({"a": 1})
        };
        let data = json!({"url": format!("{}/{status}", endpoint.url()), "method": method, "body": body});
        run(private(), data).await.unwrap();
        let last = endpoint.calls().pop().unwrap();
        assert_eq!(
            (last.path.as_str(), last.method.as_str()),
            ("/end", expected),
            "{status} {method}"
        );
        let kept = matches!(expected, "POST" | "PUT");
        assert_eq!(!last.body.is_empty(), kept, "{status} {method}");
        assert_eq!(last.header("content-type").is_some(), kept, "{status} {method}");
    }
}

#[tokio::test]
async fn credentials_stay_within_their_origin() {
    let other = RecordingEndpoint::start().await;
    let target = other.url();
    let endpoint = RecordingEndpoint::answering(move |call| match call.path.as_str() {
        "/same" => Reply::redirect(302, "/end"),
        "/other" => Reply::redirect(302, &target),
        _ => Reply::text(200, ""),
    })
    .await;
    for path in ["/same", "/other"] {
        let headers = json!({
            "Authorization": "Bearer t", "Cookie": "c=1", "X-Api-Key": "k", "Accept": "application/json",
        });
        let data = json!({"url": format!("{}{path}", endpoint.url()), "headers": headers});
        run(private(), data).await.unwrap();
    }
    let same = endpoint
        .calls()
        .into_iter()
        .find(|call| call.path == "/end")
        .unwrap();
    let other = &other.calls()[0];
    for name in ["authorization", "cookie", "x-api-key"] {
        assert!(same.header(name).is_some(), "{name} goes along within the origin");
        assert!(other.header(name).is_none(), "{name} does not leave the origin");
    }
    assert_eq!(other.header("accept"), Some("application/json"));
    assert_eq!(other.header("idempotency-key"), Some("wf_exec_1:node"));
    assert!(other.header("user-agent").unwrap().starts_with("gristmill/"));
}

#[tokio::test]
async fn a_redirect_without_target_is_the_response() {
    let endpoint = RecordingEndpoint::answering(|_| Reply::text(302, "where?")).await;
    let output = run(private(), json!({"url": endpoint.url()})).await.unwrap();
    assert_eq!(output["status"], 302);
}
