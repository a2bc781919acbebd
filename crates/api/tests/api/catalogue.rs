//! Every template of the catalogue: made into a workflow, and run by the engine against an endpoint that stands in for all
//! the services that it calls.

use std::sync::Arc;

use gristmill_core::journal::Entry;
use gristmill_core::{ExecutionId, WorkflowId};
use gristmill_engine::{
    ChildRequest, Command, Control, InboxMessage, Journal, LeaseLost, ManualClock, NodeFailure, Options,
    Outcome, Plan, Run, Suspension, compile_json,
};
use gristmill_testkit::{RecordedCall, RecordingEndpoint, Reply, TestDatabase};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::world::{BASE, World, add_member, registry};

/// The child that every request is answered with.
const CHILD: &str = "wf_exec_child";

/// What runs of a template are given, and what must come of them.
struct Case {
    template: &'static str,
    variables: Value,
    input: Value,
    message: Option<(&'static str, Value)>,
    /// Keys of the output.
    gives: Value,
    /// Method and path of each call, sorted.
    calls: &'static [&'static str],
}

pub(crate) async fn every_template_of_the_catalogue_runs(database: TestDatabase) {
    let mut world = World::on(database).await;
    // More workflows than a limited tier may have.
    world.key = add_member(&world.store, "ELITE", "USER").await.1;
    let endpoint = RecordingEndpoint::answering(service).await;
    let mut known = Vec::new();
    for case in cases() {
        let seen = endpoint.calls().len();
        let plan = plan(&world, &case, &endpoint.url()).await;
        let output = execute(&plan, &case).await;
        for (key, value) in case.gives.as_object().unwrap() {
            assert_eq!(
                output.get(key),
                Some(value),
                "{} {key}: {output:#?}",
                case.template
            );
        }
        let mut calls: Vec<_> = endpoint.calls()[seen..].iter().map(called).collect();
        calls.sort();
        assert_eq!(calls, case.calls, "{}", case.template);
        known.push(case.template);
    }
    let listed = world.get(&format!("{BASE}/templates")).await.json();
    for template in listed["templates"].as_array().unwrap() {
        let id = template["id"].as_str().unwrap();
        assert!(known.contains(&id), "{id} is run by no case");
    }
}

fn cases() -> Vec<Case> {
    let case = |template, input, gives, calls| Case {
        template,
        variables: json!({}),
        input,
        message: None,
        gives,
        calls,
    };
    vec![
        case(
            "tpl_leadqualification",
            json!({"email": "ada@example.com", "employees": 80, "budget": 20_000}),
            json!({"score": 100, "rating": "hot"}),
            &["POST /leads"],
        ),
        case(
            "tpl_leadqualification",
            json!({"email": "ada@example.com", "employees": 80}),
            json!({"score": 60, "rating": "warm"}),
            &["POST /subscribers"],
        ),
        case(
            "tpl_leadqualification",
            json!({"email": "ada@example.com"}),
            json!({"score": 20, "rating": "cold"}),
            &[],
        ),
        case(
            "tpl_supporttriage",
            json!({"subject": "The site is DOWN"}),
            json!({"queue": "incidents", "priority": 1}),
            &["POST /incidents", "POST /queues/incidents/tickets"],
        ),
        case(
            "tpl_supporttriage",
            json!({"subject": "Question", "body": "I was charged twice"}),
            json!({"queue": "billing", "priority": 2}),
            &["POST /queues/billing/tickets"],
        ),
        case(
            "tpl_supporttriage",
            json!({"subject": "Hello"}),
            json!({"queue": "general", "priority": 3}),
            &["POST /queues/general/tickets"],
        ),
        case(
            "tpl_contentpipeline",
            json!({"title": "News", "text": "All is well", "channels": ["blog", "missing", "newsletter"]}),
            json!({"published": ["blog", "newsletter"], "failed": 1}),
            &[
                "POST /blog/posts",
                "POST /missing/posts",
                "POST /newsletter/posts",
            ],
        ),
        case(
            "tpl_webhooktocrm",
            json!({"event": "contact.created", "contact": {"id": "7", "name": "Ada"}}),
            json!({"action": "saved"}),
            &["PUT /contacts/7"],
        ),
        case(
            "tpl_webhooktocrm",
            json!({"event": "contact.deleted", "contact": {"id": "missing"}}),
            json!({"action": "removed"}),
            &["DELETE /contacts/missing"],
        ),
        case(
            "tpl_webhooktocrm",
            json!({"event": "contact.changed", "contact": {"id": "missing"}}),
            json!({"action": "rejected"}),
            &["POST /alerts", "PUT /contacts/missing"],
        ),
        Case {
            variables: json!({"sources": ["orders", "missing", "signups"]}),
            ..case(
                "tpl_nightlyreport",
                json!({"day": "2026-01-31"}),
                json!({"total": 84, "missing": 1}),
                &["GET /missing", "GET /orders", "GET /signups", "POST /reports"],
            )
        },
        case(
            "tpl_approvalflow",
            json!({"requester": "Ada", "amount": 100}),
            json!({"approved": true, "by": "rule"}),
            &["POST /decisions"],
        ),
        Case {
            message: Some(("signal:decision", json!({"approved": true, "by": "Bob"}))),
            ..case(
                "tpl_approvalflow",
                json!({"requester": "Ada", "amount": 101}),
                json!({"approved": true, "by": "Bob"}),
                &["POST /decisions", "POST /requests"],
            )
        },
        Case {
            message: Some(("signal:decision", json!({"approved": false}))),
            ..case(
                "tpl_approvalflow",
                json!({"requester": "Ada", "amount": 101}),
                json!({"approved": false, "by": "somebody"}),
                &["POST /decisions", "POST /requests"],
            )
        },
        case(
            "tpl_approvalflow",
            json!({"requester": "Ada", "amount": 101}),
            json!({"approved": false, "by": "nobody in time"}),
            &["POST /decisions", "POST /requests"],
        ),
        case(
            "tpl_customeronboarding",
            json!({"email": "ada@example.com"}),
            json!({"onboarded": true}),
            &["POST /messages"],
        ),
        Case {
            variables: json!({"followUpWorkflowId": "wf_followup"}),
            message: Some((
                "child:wf_exec_child",
                json!({"status": "COMPLETED", "output": {"called": true}}),
            )),
            ..case(
                "tpl_customeronboarding",
                json!({"email": "ada@example.com"}),
                json!({"onboarded": true, "followUp": {"called": true}}),
                &["POST /messages"],
            )
        },
    ]
}

/// Whatever is called `missing` is.
fn service(call: &RecordedCall) -> Reply {
    if call.path.contains("missing") {
        Reply::json(404, json!({}))
    } else {
        Reply::json(200, json!({"value": "42"}))
    }
}

fn called(call: &RecordedCall) -> String {
    format!("{} {}", call.method, call.path)
}

/// The workflow that the API makes of the template, with the endpoint in the place of every service.
async fn plan(world: &World, case: &Case, endpoint: &str) -> Arc<Plan> {
    let path = format!("{BASE}/templates/{}", case.template);
    let template = world.get(&path).await.json();
    let mut variables = case.variables.as_object().unwrap().clone();
    for key in template["template"]["variables"].as_object().unwrap().keys() {
        if key.ends_with("Url") {
            variables.insert(key.clone(), json!(endpoint));
        }
    }
    let made = world
        .post(&format!("{path}/instantiate"), &json!({"variables": variables}))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let (_, plan) = compile_json(made["workflow"].as_object().unwrap(), &registry()).unwrap();
    assert_eq!(plan.check_input(case.input.as_object().unwrap()), []);
    Arc::new(plan)
}

/// The output of an execution that has to complete, however often it waits in between.
async fn execute(plan: &Arc<Plan>, case: &Case) -> Map<String, Value> {
    let message = case.message.clone().map(|(name, body)| InboxMessage {
        seq: 1,
        name: name.to_owned(),
        body,
    });
    let mut held = Held {
        entries: Vec::new(),
        inbox: message.into_iter().collect(),
    };
    let (id, workflow_id) = (ExecutionId::new(), WorkflowId::new());
    let clock = ManualClock::new(0);
    let mut now = 0;
    for _ in 0..10 {
        let run = Run {
            execution_id: id.clone(),
            workflow_id: workflow_id.clone(),
            revision: 1,
            started_at: 0,
            input: case.input.as_object().unwrap().clone(),
        };
        let control = Control {
            command: Command::Run,
            inbox: i32::try_from(held.inbox.len()).unwrap(),
        };
        let (_keep, control) = watch::channel(control);
        let (plan, entries, options) = (Arc::clone(plan), held.entries.clone(), Options::default());
        match gristmill_engine::run(plan, run, entries, &mut held, &clock, control, &options).await {
            Outcome::Completed { output, .. } => return output,
            Outcome::Suspended {
                wake_at: Some(wake_at),
            } => {
                clock.advance(wake_at - now);
                now = wake_at;
            }
            other => panic!("{}: {other:#?}", case.template),
        }
    }
    panic!("{} waits for ever", case.template)
}

/// A journal and an inbox in memory.
struct Held {
    entries: Vec<Entry>,
    inbox: Vec<InboxMessage>,
}

impl Journal for Held {
    async fn append(&mut self, entries: Vec<Entry>) -> Result<(), LeaseLost> {
        self.entries.extend(entries);
        Ok(())
    }

    async fn inbox(&mut self, after: i64) -> Result<Vec<InboxMessage>, LeaseLost> {
        Ok(self
            .inbox
            .iter()
            .filter(|message| message.seq > after)
            .cloned()
            .collect())
    }

    async fn start_children(
        &mut self,
        children: Vec<ChildRequest>,
    ) -> Result<Vec<Result<ExecutionId, NodeFailure>>, LeaseLost> {
        Ok(children.iter().map(|_| Ok(CHILD.parse().unwrap())).collect())
    }

    async fn suspend(
        &mut self,
        entries: &[Entry],
        _wake_at: Option<i64>,
        _inbox: i32,
    ) -> Result<Suspension, LeaseLost> {
        self.entries.extend_from_slice(entries);
        Ok(Suspension::Done)
    }
}
