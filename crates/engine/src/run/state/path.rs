//! The names of node runs in the journal: `<node>`, or `<forEach>[3]/<node>` inside of a body.

use super::State;

impl State {
    /// The path of a node run.
    pub fn path(&self, run: u32) -> String {
        let here = &self.runs[run as usize];
        let prefix = &self.instances[here.instance as usize].prefix;
        let id = self.plan.node_id(here.node);
        let mut path = String::with_capacity(prefix.len() + id.len());
        path.push_str(prefix);
        path.push_str(id);
        path
    }

    /// The node run that `path` names.
    pub(super) fn run_at(&self, path: &str) -> Option<u32> {
        let mut instance = 0;
        let mut rest = path;
        while let Some((step, after)) = rest.split_once('/') {
            let (id, index) = step.strip_suffix(']')?.rsplit_once('[')?;
            let each = self.run_in(instance, id)?;
            instance = self.instance_of(each, index.parse().ok()?)?;
            rest = after;
        }
        self.run_in(instance, rest)
    }

    fn run_in(&self, instance: u32, id: &str) -> Option<u32> {
        let here = &self.instances[instance as usize];
        let node = self.plan.index(id)?;
        let nodes = &self.plan.body(here.body).nodes;
        nodes.contains(&node).then(|| here.first + node - nodes.start)
    }
}
