//! Output: what a node run came to. An execution keeps one for each, and most have a single key: in a map of its own,
//! each would be four pieces of memory and three times as large.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A JSON object that never changes and keeps the order of its keys. Copies share it.
#[derive(Debug, Clone)]
pub struct Output(Members);

#[derive(Debug, Clone)]
enum Members {
    /// Side by side, where they are found sooner than by their hashes. A node's runs share the keys.
    Few(Arc<[(Arc<str>, Value)]>),
    Many(Arc<Map<String, Value>>),
}

/// The most members that stand side by side.
const FEW: usize = 8;

impl Output {
    /// An output of `members`, whose keys all differ.
    pub fn of_distinct(members: Vec<(Arc<str>, Value)>) -> Self {
        Self(if members.len() <= FEW {
            Members::Few(members.into())
        } else {
            let owned = members
                .into_iter()
                .map(|(key, value)| (key.as_ref().to_owned(), value));
            Members::Many(Arc::new(owned.collect()))
        })
    }

    /// One member.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.0 {
            Members::Few(members) => members
                .iter()
                .find(|(known, _)| **known == *key)
                .map(|(_, value)| value),
            Members::Many(members) => members.get(key),
        }
    }

    /// Every member, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let (few, many) = match &self.0 {
            Members::Few(members) => (&members[..], None),
            Members::Many(members) => (&[][..], Some(members.iter())),
        };
        let few = few.iter().map(|(key, value)| (&**key, value));
        let many = many
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), value));
        few.chain(many)
    }

    /// Every key, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Members::Few(members) => members.len(),
            Members::Many(members) => members.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An object of its own with the same members.
    pub fn to_map(&self) -> Map<String, Value> {
        let members = self.iter();
        members
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect()
    }
}

impl Default for Output {
    fn default() -> Self {
        Self(Members::Few(Arc::default()))
    }
}

impl From<Map<String, Value>> for Output {
    fn from(members: Map<String, Value>) -> Self {
        Self(if members.len() <= FEW {
            let shared = members.into_iter().map(|(key, value)| (key.into(), value));
            Members::Few(shared.collect())
        } else {
            Members::Many(Arc::new(members))
        })
    }
}

/// As objects are: whatever the order of their members.
impl PartialEq for Output {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl Serialize for Output {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Output {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_members_are_one_object_in_order() {
        for count in [0, 1, FEW, FEW + 1, 100] {
            let map: Map<_, _> = (0..count)
                .rev()
                .map(|n| (format!("k{n}"), Value::from(n)))
                .collect();
            let text = Value::Object(map.clone()).to_string();
            let distinct = map
                .iter()
                .map(|(key, value)| (key.as_str().into(), value.clone()));
            for output in [
                Output::of_distinct(distinct.collect()),
                Output::from(map.clone()),
                serde_json::from_str(&text).unwrap(),
            ] {
                assert_eq!(serde_json::to_string(&output).unwrap(), text);
                assert_eq!(Value::Object(output.to_map()).to_string(), text);
                assert!(output.keys().eq(map.keys()));
                assert_eq!((output.len(), output.is_empty()), (count, count == 0));
                assert_eq!((output.get("k0"), output.get("k")), (map.get("k0"), None));
            }
        }
    }

    #[test]
    fn objects_are_equal_whatever_the_order_of_their_members() {
        let read = |text| serde_json::from_str::<Output>(text).unwrap();
        assert_eq!(read(r#"{"a":1,"b":2}"#), read(r#"{"b":2,"a":1}"#));
        assert_ne!(read(r#"{"a":1,"b":2}"#), read(r#"{"a":1,"c":2}"#));
        assert_ne!(read(r#"{"a":1}"#), read(r#"{"a":1,"c":2}"#));
    }
}
