//! Recipe: what a random workflow is made of, and its definition. Keys are `k0` to `k3` and hold whole numbers.

use proptest::prelude::*;
use serde_json::{Value, json};

/// A list of nodes with edges from earlier to later ones.
pub type Recipe = Vec<Spec>;

#[derive(Debug, Clone)]
pub struct Spec {
    pub id: String,
    pub make: Make,
    /// Where its edges come from: places in the same list, and the handles that they leave from.
    pub edges: Vec<(usize, Option<&'static str>)>,
    pub disabled: bool,
    pub continues: bool,
    pub nests: bool,
}

#[derive(Debug, Clone)]
pub enum Make {
    /// Sets `key` to `from` + `add`.
    Set { key: u8, from: u8, add: i64 },
    /// Fails; with `odd` only for odd items.
    Bad { odd: bool },
    /// An effect that does as [`Make::Set`] after some failed attempts, or fails for good.
    Call {
        key: u8,
        from: u8,
        add: i64,
        retries: u32,
        fatal: bool,
    },
    /// `true` for even numbers.
    Choice { from: u8 },
    Each {
        count: usize,
        concurrency: usize,
        collect: bool,
        body: Recipe,
    },
}

/// A node before it knows its place: its edges are still dice.
#[derive(Debug, Clone)]
struct Raw {
    make: RawMake,
    dice: Vec<(u8, u8)>,
    disabled: bool,
    continues: bool,
    nests: bool,
}

#[derive(Debug, Clone)]
enum RawMake {
    Done(Make),
    Each(usize, usize, bool, Vec<Raw>),
}

/// Workflows with bodies in bodies, up to two deep.
pub fn recipes() -> impl Strategy<Value = Recipe> {
    raw_nodes(2, 1..9).prop_map(|raw| {
        let mut next = 0;
        settle(raw, &mut next)
    })
}

fn raw_nodes(depth: u32, count: std::ops::Range<usize>) -> BoxedStrategy<Vec<Raw>> {
    let edges = |count| prop::collection::vec((any::<u8>(), any::<u8>()), count);
    // Mostly chains and diamonds; now and then a wide join.
    let dice = prop_oneof![8 => edges(0..3), 1 => edges(3..9)];
    let flags = (
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.2),
    );
    let node = (raw_make(depth), dice, flags).prop_map(|(make, dice, (disabled, continues, nests))| Raw {
        make,
        dice,
        disabled,
        continues,
        nests,
    });
    prop::collection::vec(node, count).boxed()
}

fn raw_make(depth: u32) -> BoxedStrategy<RawMake> {
    let (key, from, add) = (0..4_u8, 0..5_u8, 0..9_i64);
    let set =
        (key.clone(), from.clone(), add.clone()).prop_map(|(key, from, add)| Make::Set { key, from, add });
    let bad = any::<bool>().prop_map(|odd| Make::Bad { odd });
    let call = (key, from.clone(), add, 0..3_u32, prop::bool::weighted(0.1)).prop_map(
        |(key, from, add, retries, fatal)| Make::Call {
            key,
            from,
            add,
            retries,
            fatal,
        },
    );
    let choice = from.prop_map(|from| Make::Choice { from });
    let leaf = prop_oneof![4 => set, 1 => bad, 5 => call, 2 => choice].prop_map(RawMake::Done);
    if depth == 0 {
        return leaf.boxed();
    }
    let each = (0..4_usize, 1..4_usize, any::<bool>(), raw_nodes(depth - 1, 1..5))
        .prop_map(|(count, concurrency, collect, body)| RawMake::Each(count, concurrency, collect, body));
    prop_oneof![6 => leaf, 1 => each].boxed()
}

fn settle(raw: Vec<Raw>, next: &mut usize) -> Recipe {
    let mut recipe: Recipe = Vec::new();
    for (place, node) in raw.into_iter().enumerate() {
        let id = format!("n{next}");
        *next += 1;
        let mut edges = Vec::new();
        for (source, handle) in node.dice {
            if place == 0 {
                break;
            }
            let source = usize::from(source) % place;
            let handle = match (&recipe[source].make, handle % 8) {
                (_, 0 | 1) => Some("error"),
                (Make::Choice { .. }, 2 | 3) => Some("true"),
                (Make::Choice { .. }, 4 | 5) => Some("false"),
                _ => None,
            };
            edges.push((source, handle));
        }
        let make = match node.make {
            RawMake::Done(make) => make,
            RawMake::Each(count, concurrency, collect, body) => Make::Each {
                count,
                concurrency,
                collect,
                body: settle(body, next),
            },
        };
        recipe.push(Spec {
            id,
            disabled: node.disabled && !matches!(make, Make::Choice { .. }),
            make,
            edges,
            continues: node.continues,
            nests: node.nests,
        });
    }
    recipe
}

impl Spec {
    /// Whether its failure leaves along edges.
    pub fn is_routed(&self, recipe: &Recipe) -> bool {
        let place = recipe.iter().position(|spec| spec.id == self.id).unwrap();
        recipe
            .iter()
            .flat_map(|spec| &spec.edges)
            .any(|(source, handle)| *source == place && *handle == Some("error"))
    }
}

/// The definition of a recipe, behind a trigger that leads nowhere.
pub fn document(recipe: &Recipe, max_parallel: usize) -> Value {
    let mut nodes = vec![json!({"id": "t", "type": "trigger"})];
    let mut edges = Vec::new();
    add(recipe, None, &mut nodes, &mut edges);
    json!({"nodes": nodes, "edges": edges, "settings": {"maxParallel": max_parallel}})
}

fn add(recipe: &Recipe, parent: Option<&str>, nodes: &mut Vec<Value>, edges: &mut Vec<Value>) {
    for spec in recipe {
        let number = |from: u8, add: i64| match (from, parent) {
            (4, Some(_)) => format!("item + {add}"),
            _ => format!("k{}|default(0) + {add}", from % 4),
        };
        let (kind, mut data) = match &spec.make {
            Make::Set { key, from, add } => {
                let value = format!("{{{{ {} }}}}", number(*from, *add));
                ("transform", json!({"set": {format!("k{key}"): value}}))
            }
            Make::Bad { odd } => {
                let test = if *odd && parent.is_some() {
                    "item % 2 == 1"
                } else {
                    "true"
                };
                (
                    "transform",
                    json!({"set": {"k0": format!("{{{{ missing.x if {test} else 7 }}}}")}}),
                )
            }
            Make::Call {
                key,
                from,
                add,
                retries,
                fatal,
            } => {
                let value = format!("{{{{ {} }}}}", number(*from, *add));
                let reply = json!({format!("k{key}"): value});
                ("act", json!({"reply": reply, "retries": retries, "fatal": fatal}))
            }
            Make::Choice { from } => (
                "condition",
                json!({"expression": format!("({}) % 2 == 0", number(*from, 0))}),
            ),
            Make::Each {
                count,
                concurrency,
                collect,
                ..
            } => {
                let mode = if *collect { "collect" } else { "fail" };
                (
                    "forEach",
                    json!({"items": format!("range({count})|list"), "concurrency": concurrency, "mode": mode}),
                )
            }
        };
        if spec.disabled {
            data["disabled"] = json!(true);
        }
        if spec.continues && !spec.is_routed(recipe) {
            data["onError"] = json!("continue");
        }
        if spec.nests {
            data["output"] = json!(format!("o{}", spec.id));
        }
        let mut node = json!({"id": spec.id, "type": kind, "data": data});
        if let Some(parent) = parent {
            node["parentId"] = json!(parent);
        }
        nodes.push(node);
        for (source, handle) in &spec.edges {
            edges.push(json!({"source": recipe[*source].id, "sourceHandle": handle, "target": spec.id}));
        }
        if let Make::Each { body, .. } = &spec.make {
            add(body, Some(&spec.id), nodes, edges);
        }
    }
}
