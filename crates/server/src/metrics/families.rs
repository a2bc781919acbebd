//! Families: what every metric means, in the words of docs/operations.md: `/metrics` says so with `# HELP` lines.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What a family's figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Counter,
    Gauge,
    Histogram,
}

/// Metrics of one name.
struct Family {
    name: &'static str,
    r#type: Type,
    /// The names of its labels, with commas between them: the table's column, which nothing but the table's test reads.
    #[cfg_attr(not(test), allow(dead_code, reason = "for the table's test"))]
    labels: &'static str,
    meaning: &'static str,
}

const fn counter(name: &'static str, labels: &'static str, meaning: &'static str) -> Family {
    family(name, Type::Counter, labels, meaning)
}

const fn gauge(name: &'static str, labels: &'static str, meaning: &'static str) -> Family {
    family(name, Type::Gauge, labels, meaning)
}

const fn histogram(name: &'static str, labels: &'static str, meaning: &'static str) -> Family {
    family(name, Type::Histogram, labels, meaning)
}

const fn family(name: &'static str, r#type: Type, labels: &'static str, meaning: &'static str) -> Family {
    Family {
        name,
        r#type,
        labels,
        meaning,
    }
}

/// All of them.
#[rustfmt::skip]
const FAMILIES: &[Family] = &[
    counter("gristmill_http_requests_total", "route, method, status", "Requests that were answered."),
    histogram("gristmill_http_request_duration_seconds", "route, method", "From a request's head to its answer's head, waits for an execution's end included."),
    counter("gristmill_executions_accepted_total", "", "Executions that submits have recorded; children, replays and handlers of failures are not among them."),
    counter("gristmill_executions_ended_total", "status", "Executions that have ended: COMPLETED, FAILED or CANCELLED, whoever brought it about; noted by the process that adds it to the figures."),
    gauge("gristmill_executions_running", "", "Executions that this worker holds."),
    counter("gristmill_executions_counted_total", "", "Ends that were added to the figures of their workflows."),
    counter("gristmill_executions_pruned_total", "", "Ended executions that were deleted by age."),
    counter("gristmill_workflows_removed_total", "", "Deleted workflows whose last trace was removed."),
    counter("gristmill_on_failure_refused_total", "", "Failures that no workflow was started to handle, because the month's executions are used up."),
    histogram("gristmill_queue_wait_seconds", "", "From an execution's record to its first claim, noted at its end."),
    gauge("gristmill_queue_age_seconds", "", "For how long the PENDING execution has been claimable that has been so for longest, of the first ten of each of a thousand organizations."),
    gauge("gristmill_relay_lag_seconds", "", "How long the most overdue execution has been due: how far the relays are behind."),
    counter("gristmill_relay_actions_total", "action", "What the relay did with executions that were due: publish, republish, start, reap, pause, hold, fail, expire or leave."),
    counter("gristmill_losses_total", "", "Executions whose lease ran out: their worker was lost, or froze."),
    counter("gristmill_fence_refusals_total", "verb", "Writes of a worker that no longer held the execution; they changed nothing."),
    counter("gristmill_leases_given_up_total", "reason", "Executions that a worker stopped: not_renewed in time, or taken_away by a cancel or another worker."),
    counter("gristmill_renewals_failed_total", "", "Renewals of leases that the database did not answer."),
    counter("gristmill_claims_total", "outcome", "Jobs that came from the queue: claimed, or stale since somebody else has the execution."),
    counter("gristmill_jobs_handed_back_total", "", "Jobs that a worker gave back before it began with them."),
    counter("gristmill_jobs_unreadable_total", "", "Messages that are no job; they go to the dead letters."),
    counter("gristmill_dead_letters_total", "outcome", "Dead letters that were read: retried, failed, stale, unknown or unreadable."),
    histogram("gristmill_node_duration_seconds", "kind", "How long the attempts of node runs with an effect took."),
    counter("gristmill_publishes_total", "outcome", "Jobs that were published: confirmed, unroutable, refused or unknown."),
    counter("gristmill_publishes_dropped_total", "", "Jobs that found the publisher full; the relay publishes them later."),
    gauge("gristmill_publisher_in_flight", "", "Jobs that wait for the broker's confirm."),
    histogram("gristmill_publish_seconds", "", "From sending a group of jobs to its confirms."),
    histogram("gristmill_publish_group_size", "", "How many jobs are published together."),
    histogram("gristmill_group_size", "group", "How many writes of one kind are committed together: submit, append, settle, suspend or release."),
    counter("gristmill_broker_connections_total", "purpose", "Connections to the broker that were opened: publish, consume, admin or delete."),
    histogram("gristmill_database_acquire_seconds", "", "How long a connection of the pool was waited for."),
    counter("gristmill_task_runs_total", "task, outcome", "Runs of background tasks: done, more when there may be more to do, failed or panicked."),
    histogram("gristmill_task_duration_seconds", "task", "How long the runs of background tasks took."),
    gauge("gristmill_task_last_run_timestamp_seconds", "task", "When the last run of a background task ended, whatever it came to: seconds since 1970 by this machine's clock."),
];

/// What a worker may be refused as one that lost its lease.
const FENCED: [&str; 6] = ["append", "read", "release", "settle", "start_child", "suspend"];

/// Describes all families to the recorder, and begins with zero what alerts go by: a counter that is not there yet hides its
/// first step.
pub(super) fn describe() {
    for family in FAMILIES {
        match family.r#type {
            Type::Counter => describe_counter!(family.name, family.meaning),
            Type::Gauge => describe_gauge!(family.name, family.meaning),
            Type::Histogram => describe_histogram!(family.name, family.meaning),
        }
    }
    for name in [
        "gristmill_losses_total",
        "gristmill_renewals_failed_total",
        "gristmill_jobs_unreadable_total",
        "gristmill_publishes_dropped_total",
        "gristmill_on_failure_refused_total",
    ] {
        metrics::counter!(name).increment(0);
    }
    for verb in FENCED {
        metrics::counter!("gristmill_fence_refusals_total", "verb" => verb).increment(0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs::{read_dir, read_to_string};
    use std::path::Path;

    use super::*;

    fn checkout() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    #[test]
    fn the_table_in_the_documents_says_the_same() {
        let page = read_to_string(checkout().join("docs/operations.md")).unwrap();
        let rows: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("| `gristmill_"))
            .collect();
        let expected: Vec<_> = FAMILIES
            .iter()
            .map(|family| {
                let r#type = format!("{:?}", family.r#type).to_lowercase();
                let labels = if family.labels.is_empty() {
                    "–"
                } else {
                    family.labels
                };
                let Family { name, meaning, .. } = family;
                format!("| `{name}` | {type} | {labels} | {meaning} |")
            })
            .collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn every_family_of_the_code_is_described_and_no_other() {
        let mut found = BTreeSet::new();
        for krate in read_dir(checkout().join("crates")).unwrap() {
            collect(&krate.unwrap().path().join("src"), &mut found);
        }
        let described: BTreeSet<_> = FAMILIES
            .iter()
            .map(|family| (family.name.to_owned(), family.r#type as u8))
            .collect();
        assert_eq!(found, described);
    }

    /// What is recorded in the sources below a directory.
    fn collect(directory: &Path, found: &mut BTreeSet<(String, u8)>) {
        for entry in read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = read_to_string(&path).unwrap();
                let macros = [
                    ("counter!(", Type::Counter),
                    ("gauge!(", Type::Gauge),
                    ("histogram!(", Type::Histogram),
                ];
                for (call, r#type) in macros {
                    let calls = source.split(call).skip(1);
                    let names =
                        calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
                    let names = names.filter(|name| name.starts_with("gristmill_"));
                    found.extend(names.map(|name| (name.to_owned(), r#type as u8)));
                }
            }
        }
    }
}
