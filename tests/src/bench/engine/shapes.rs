//! Shapes: graphs of `transform` nodes with one computed key each.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// How the nodes hang together, behind one trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// One after the other.
    Chain,
    /// All side by side between a first and a last one.
    FanOutFanIn,
    /// Rows and columns; each node behind its left and its upper neighbour.
    Grid,
    /// Two layers; each node of the second behind two of the first.
    Layers,
    /// A body of two nodes, for each of many items.
    ForEach,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 5] = [
        Self::Chain,
        Self::FanOutFanIn,
        Self::Grid,
        Self::Layers,
        Self::ForEach,
    ];

    /// How many transforms run in a graph of about `size` nodes.
    pub(super) fn transforms(self, size: usize) -> usize {
        // One node is the trigger.
        let room = size.saturating_sub(1).max(3);
        match self {
            Self::Chain | Self::FanOutFanIn => room,
            Self::Grid => room.isqrt() * room.isqrt(),
            Self::Layers | Self::ForEach => room / 2 * 2,
        }
    }

    pub(super) fn definition(self, size: usize) -> Map<String, Value> {
        let transforms = self.transforms(size);
        let mut graph = Graph::new();
        match self {
            Self::Chain => graph.chain(transforms),
            Self::FanOutFanIn => graph.fan(transforms),
            Self::Grid => graph.grid(transforms.isqrt()),
            Self::Layers => graph.layers(transforms / 2),
            Self::ForEach => graph.for_each(transforms / 2),
        }
        let mut definition = Map::new();
        definition.insert("nodes".to_owned(), graph.nodes.into());
        definition.insert("edges".to_owned(), graph.edges.into());
        definition
    }

    pub(super) fn input(self, transforms: usize) -> Map<String, Value> {
        let keys = match self {
            Self::Chain | Self::FanOutFanIn | Self::Layers | Self::ForEach => vec!["n".to_owned()],
            Self::Grid => (0..transforms.isqrt()).map(column).collect(),
        };
        keys.into_iter().map(|key| (key, json!(0))).collect()
    }

    /// Whether the output is what the graph computes: nothing was left out.
    pub(super) fn is_right(self, transforms: usize, output: &Map<String, Value>) -> bool {
        match self {
            Self::Chain => output["n"] == transforms,
            // The last one's own key, and those of the others.
            Self::FanOutFanIn => output["last"] == 3 && output.len() == transforms + 1,
            Self::Grid => output.values().all(|height| *height == transforms.isqrt()),
            Self::Layers => output["b0"] == 2 && output.len() == transforms + 1,
            Self::ForEach => output["items"].as_array().is_some_and(|items| {
                let last = json!({"a": transforms / 2, "b": transforms / 2 + 1});
                items.len() == transforms / 2 && items.last() == Some(&last)
            }),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "chain",
            Self::FanOutFanIn => "fan-out/fan-in",
            Self::Grid => "grid",
            Self::Layers => "layers",
            Self::ForEach => "for each",
        })
    }
}

fn column(x: usize) -> String {
    format!("c{x}")
}

struct Graph {
    nodes: Vec<Value>,
    edges: Vec<Value>,
}

const TRIGGER: &str = "start";

impl Graph {
    fn new() -> Self {
        Self {
            nodes: vec![json!({"id": TRIGGER, "type": "trigger"})],
            edges: Vec::new(),
        }
    }

    /// Adds a node that sets `key` to one more than `from`.
    fn add(&mut self, id: &str, key: &str, from: &str, behind: &[&str]) {
        let set = json!({key: format!("{{{{ {from} + 1 }}}}")});
        self.nodes
            .push(json!({"id": id, "type": "transform", "data": {"set": set}}));
        for source in behind {
            self.edges.push(json!({"source": source, "target": id}));
        }
    }

    fn chain(&mut self, transforms: usize) {
        let mut last = TRIGGER.to_owned();
        for number in 0..transforms {
            let id = format!("t{number}");
            self.add(&id, "n", "n", &[&last]);
            last = id;
        }
    }

    fn fan(&mut self, transforms: usize) {
        self.add("first", "first", "n", &[TRIGGER]);
        let side_by_side: Vec<_> = (0..transforms - 2).map(|number| format!("m{number}")).collect();
        for id in &side_by_side {
            self.add(id, id, "first", &["first"]);
        }
        let all: Vec<_> = side_by_side.iter().map(String::as_str).collect();
        self.add("last", "last", "m0", &all);
    }

    fn layers(&mut self, side_by_side: usize) {
        for number in 0..side_by_side {
            let id = format!("a{number}");
            self.add(&id, &id, "n", &[TRIGGER]);
        }
        for number in 0..side_by_side {
            let id = format!("b{number}");
            let behind = [number / 2, number / 3].map(|number| format!("a{number}"));
            self.add(&id, &id, &behind[0], &behind.each_ref().map(String::as_str));
        }
    }

    fn for_each(&mut self, items: usize) {
        let data = json!({"items": (0..items).collect::<Vec<_>>(), "concurrency": 10});
        self.nodes
            .push(json!({"id": "each", "type": "forEach", "data": data}));
        self.edges.push(json!({"source": TRIGGER, "target": "each"}));
        self.add("a", "a", "item", &[]);
        self.add("b", "b", "a", &["a"]);
        for node in self.nodes.iter_mut().rev().take(2) {
            node["parentId"] = json!("each");
        }
    }

    fn grid(&mut self, side: usize) {
        let id = |x: usize, y: usize| format!("x{x}y{y}");
        for y in 0..side {
            for x in 0..side {
                let left = (x > 0).then(|| id(x - 1, y));
                let upper = (y > 0).then(|| id(x, y - 1));
                let mut behind: Vec<_> = [&left, &upper]
                    .into_iter()
                    .flatten()
                    .map(String::as_str)
                    .collect();
                if behind.is_empty() {
                    behind.push(TRIGGER);
                }
                self.add(&id(x, y), &column(x), &column(x), &behind);
            }
        }
    }
}
