//! Reference: a slow interpreter of recipes that follows the rules word by word: one node after the other, no sharing, no
//! indexes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use crate::recipe::{Make, Recipe, Spec};

/// What an execution of a recipe comes to.
#[derive(Debug, Default)]
pub struct Expected {
    /// The result, if it completes.
    pub output: Map<String, Value>,
    /// Node runs, and how they end: `completed`, `failed`, `skipped` or `disabled`.
    pub ends: BTreeMap<String, &'static str>,
    /// Paths that begin so may end in more than one way: what is around them has failed.
    pub open: Vec<String>,
    /// The node runs that can fail the execution; none if it completes.
    pub failures: BTreeSet<String>,
}

/// What a node run left.
#[derive(Debug, Clone)]
enum End {
    Completed {
        output: Map<String, Value>,
        handle: Option<&'static str>,
    },
    /// Failed, and routed or passed.
    Caught {
        routed: bool,
    },
    Skipped,
    Disabled,
    /// Failed, and what it belongs to with it, or behind something that did.
    Stuck,
}

/// What is around a body: what its `forEach` sees, and the item.
#[derive(Clone, Copy)]
struct Around<'a> {
    scope: &'a dyn Fn(&str) -> Option<Value>,
    item: usize,
}

pub fn expect(recipe: &Recipe, input: &Map<String, Value>) -> Expected {
    let mut expected = Expected::default();
    let look_up = |key: &str| input.get(key).cloned();
    let (own, failures) = run(recipe, "", None, &look_up, &mut expected);
    expected.output = input.clone();
    expected.output.extend(own);
    expected.failures = failures;
    expected
}

/// Runs a list of nodes; answers what they wrote, and which node runs may have failed it.
fn run(
    recipe: &Recipe,
    prefix: &str,
    around: Option<Around<'_>>,
    outside: &dyn Fn(&str) -> Option<Value>,
    expected: &mut Expected,
) -> (Map<String, Value>, BTreeSet<String>) {
    let order = rank(recipe);
    let mut ends: BTreeMap<usize, End> = BTreeMap::new();
    let mut failures = BTreeSet::new();
    for &place in &order {
        let spec = &recipe[place];
        let path = format!("{prefix}{}", spec.id);
        let live = spec
            .edges
            .iter()
            .filter(|(source, handle)| is_live(&ends[source], *handle))
            .count();
        let is_stuck = spec
            .edges
            .iter()
            .any(|(source, _)| matches!(ends[source], End::Stuck));
        let end = if is_stuck {
            End::Stuck
        } else if !spec.edges.is_empty() && live == 0 {
            End::Skipped
        } else if spec.disabled {
            // Without incoming edges nothing reaches it.
            if spec.edges.is_empty() {
                End::Skipped
            } else {
                End::Disabled
            }
        } else {
            let scope = |key: &str| {
                let before = ancestors(recipe, place);
                let writer = order.iter().rev().filter(|at| before.contains(at));
                writer
                    .filter_map(|at| written(&recipe[*at], &ends[at]).get(key).cloned())
                    .next()
                    .or_else(|| outside(key))
            };
            let item = around.map(|around| around.item);
            evaluate(spec, &path, item, &scope, expected).unwrap_or_else(|found| {
                if spec.is_routed(recipe) || spec.continues {
                    End::Caught {
                        routed: spec.is_routed(recipe),
                    }
                } else {
                    failures.extend(found);
                    End::Stuck
                }
            })
        };
        let name = match &end {
            End::Completed { .. } => Some("completed"),
            End::Caught { .. } => Some("failed"),
            End::Skipped => Some("skipped"),
            End::Disabled => Some("disabled"),
            End::Stuck => None,
        };
        expected.ends.extend(name.map(|name| (path, name)));
        ends.insert(place, end);
    }
    let mut own = Map::new();
    for place in &order {
        own.extend(written(&recipe[*place], &ends[place]));
    }
    (own, failures)
}

/// Runs one node; fails with the node runs that may be to blame.
fn evaluate(
    spec: &Spec,
    path: &str,
    item: Option<usize>,
    scope: &dyn Fn(&str) -> Option<Value>,
    expected: &mut Expected,
) -> Result<End, BTreeSet<String>> {
    let fails = || BTreeSet::from([path.to_owned()]);
    let number = |from: u8, add: i64| match (from, item) {
        (4, Some(item)) => Some(item as i64 + add),
        _ => scope(&format!("k{}", from % 4))
            .map_or(Some(0), |value| value.as_i64())
            .map(|n| n + add),
    };
    let sets = |key: u8, value: i64| {
        let output = Map::from_iter([(format!("k{key}"), json!(value))]);
        Ok(End::Completed { output, handle: None })
    };
    match &spec.make {
        Make::Set { key, from, add } => sets(*key, number(*from, *add).ok_or_else(fails)?),
        Make::Bad { odd } => match item {
            Some(item) if *odd && item % 2 == 0 => sets(0, 7),
            _ => Err(fails()),
        },
        Make::Call { fatal: true, .. } => Err(fails()),
        Make::Call { key, from, add, .. } => sets(*key, number(*from, *add).ok_or_else(fails)?),
        Make::Choice { from } => {
            let handle = if number(*from, 0).ok_or_else(fails)? % 2 == 0 {
                "true"
            } else {
                "false"
            };
            Ok(End::Completed {
                output: Map::new(),
                handle: Some(handle),
            })
        }
        Make::Each {
            count, collect, body, ..
        } => {
            let mut results = Vec::new();
            let mut blamed = BTreeSet::new();
            for item in 0..*count {
                let prefix = format!("{path}[{item}]/");
                let around = Around { scope, item };
                let (own, failures) = run(body, &prefix, Some(around), around.scope, expected);
                if failures.is_empty() {
                    results.push(Value::Object(own));
                } else {
                    results.push(json!({"error": "caught"}));
                    expected.open.push(prefix);
                    blamed.extend(failures);
                }
            }
            if !blamed.is_empty() && !collect {
                expected.open.push(format!("{path}["));
                return Err(blamed);
            }
            let output = Map::from_iter([("items".to_owned(), Value::Array(results))]);
            Ok(End::Completed { output, handle: None })
        }
    }
}

/// Rule 3.
fn is_live(source: &End, handle: Option<&str>) -> bool {
    match source {
        End::Completed { handle: None, .. } | End::Disabled => handle != Some("error"),
        End::Completed { handle: chosen, .. } => handle.is_none() || handle == *chosen,
        End::Caught { routed: true } => handle == Some("error"),
        End::Caught { routed: false } => handle.is_none(),
        End::Skipped | End::Stuck => false,
    }
}

/// Rule 8.
fn written(spec: &Spec, end: &End) -> Map<String, Value> {
    let output = match end {
        _ if matches!(spec.make, Make::Choice { .. }) => return Map::new(),
        End::Completed { output, .. } => output.clone(),
        End::Caught { .. } => Map::from_iter([("error".to_owned(), json!("caught"))]),
        End::Skipped | End::Disabled | End::Stuck => return Map::new(),
    };
    if spec.nests {
        return Map::from_iter([(format!("o{}", spec.id), Value::Object(output))]);
    }
    output
}

/// Rule 1.
fn rank(recipe: &Recipe) -> Vec<usize> {
    let mut open: Vec<usize> = recipe.iter().map(|spec| spec.edges.len()).collect();
    let mut queue: VecDeque<usize> = (0..recipe.len()).filter(|&place| open[place] == 0).collect();
    let mut order = Vec::new();
    // Edges are listed target by target.
    let edges: Vec<(usize, usize)> = recipe
        .iter()
        .enumerate()
        .flat_map(|(target, spec)| spec.edges.iter().map(move |(source, _)| (*source, target)))
        .collect();
    while let Some(place) = queue.pop_front() {
        order.push(place);
        for (_, target) in edges.iter().filter(|(source, _)| *source == place) {
            open[*target] -= 1;
            if open[*target] == 0 {
                queue.push_back(*target);
            }
        }
    }
    order
}

fn ancestors(recipe: &Recipe, place: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut stack = vec![place];
    while let Some(at) = stack.pop() {
        for (source, _) in &recipe[at].edges {
            if found.insert(*source) {
                stack.push(*source);
            }
        }
    }
    found
}

/// With every error in it made equal: which failure comes first may depend on timing, and texts are the engine's own.
pub fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let pair = |(key, value): (&String, &Value)| {
                let value = if key == "error" {
                    json!("caught")
                } else {
                    plain(value)
                };
                (key.clone(), value)
            };
            Value::Object(map.iter().map(pair).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(plain).collect()),
        other => other.clone(),
    }
}
