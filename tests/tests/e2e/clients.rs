//! Clients: some that go away, and those of two organizations on one connection.

use gristmill_testkit::RecordingEndpoint;
use gristmill_tests::{Calls, Client, Load, System, chain, eventually};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Sends what there is of a request, and goes away without waiting for an answer.
async fn send_and_leave(client: &Client, request: &str) {
    let mut stream = TcpStream::connect(client.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    // A reset, as of a client that was killed.
    stream.set_zero_linger().unwrap();
}

/// Case 44: before the body is whole, right after it, and in the middle of a wait.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_go_away_leave_nothing_open() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    api.becomes_ready().await;
    let open = api.process.open_files();
    let body = json!({"input": {"number": 1}}).to_string();
    let head = |more: &str| {
        format!(
            "POST /api/v1/ai-hub/workflows/{workflow}/execute HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n{more}\r\n",
            api.key(),
            body.len()
        )
    };
    let requests = [
        format!("{}{}", head(""), &body[..5]),
        format!("{}{body}", head("")),
        format!("{}{body}", head("prefer: wait=30\r\n")),
        "POST /api/v1/ai-hub/workflows HTT".to_owned(),
    ];
    for _ in 0..25 {
        for request in &requests {
            send_and_leave(&api.client, request).await;
        }
    }
    let last = api.execute(&workflow, json!({"number": 2})).await;

    let _worker = system.worker().await;
    // Nobody was told what was accepted, so all of it counts as such.
    system.all_have_ended().await;
    let rows = system.database.executions().await;
    let accepted: Vec<_> = rows.into_iter().map(|row| row.id).collect();
    assert!(accepted.contains(&last) && accepted.len() <= 51, "{accepted:?}");
    system.check(&accepted, &endpoint, Calls::Once).await;
    eventually("every connection is closed", async || {
        (api.process.open_files() <= open + 4).then_some(())
    })
    .await;
}

/// Case 48: two organizations take turns on the API's only connection.
#[tokio::test(flavor = "multi_thread")]
async fn two_organizations_on_one_connection_never_see_each_other() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let (other, key) = system.another_organization("Windmill").await;
    let api = system.api_with(&[("database.pool_size", "1")]).await;
    let _worker = system.worker_with(&[("database.pool_size", "1")]).await;
    let ours = api.client.clone();
    let theirs = api.client.with_key(&key);
    let our_workflow = ours.create_workflow(&chain(&endpoint, &["ours"])).await;
    let their_workflow = theirs.create_workflow(&chain(&endpoint, &["theirs"])).await;
    let loads = [
        Load::start(&ours, &our_workflow, 4),
        Load::start(&theirs, &their_workflow, 4),
    ];
    for load in &loads {
        load.accepts(60).await;
    }
    let [our_load, their_load] = loads;
    // The same keys in both: a key is one organization's own.
    let (our_ids, their_ids) = (our_load.finish().await, their_load.finish().await);
    let accepted = [our_ids.clone(), their_ids.clone()].concat();
    system.check(&accepted, &endpoint, Calls::Once).await;

    let session = system.database.session().await.unwrap();
    for (organization, ids) in [(system.organization(), &our_ids), (&other, &their_ids)] {
        let sql = "SELECT count(*) FROM executions WHERE id = ANY($1) AND organization_id = $2";
        let row = session
            .query_one(sql, &[ids, &organization.to_string()])
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0) as usize, ids.len());
    }
    for (client, ids, workflow) in [
        (&ours, &their_ids, &their_workflow),
        (&theirs, &our_ids, &our_workflow),
    ] {
        for path in [
            format!("/workflows/{workflow}"),
            format!("/executions/{}", ids[0]),
            format!("/executions/{}/journal", ids[0]),
        ] {
            assert_eq!(client.look_at(&path).await.status, 404, "{path}");
        }
        let answer = client.try_execute(workflow, None, json!({"number": 1})).await;
        assert_eq!(answer.unwrap().status, 404);
    }
}
