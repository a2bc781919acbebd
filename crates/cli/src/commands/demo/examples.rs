//! Examples: the example workflows and their data, built in so that the binary works from anywhere.

use serde_json::{Map, Value};

/// A workflow and the records that it is run for.
pub struct Example {
    /// What the table calls it.
    pub name: &'static str,
    definition: &'static str,
    data: &'static str,
}

/// Every example that has data.
pub const EXAMPLES: [Example; 2] = [
    Example {
        name: "airports",
        definition: include_str!("../../../../../examples/airports.json"),
        data: include_str!("../../../../../examples/data/airports.jsonl"),
    },
    Example {
        name: "cars",
        definition: include_str!("../../../../../examples/cars.json"),
        data: include_str!("../../../../../examples/data/cars.jsonl"),
    },
];

impl Example {
    /// The records, each a JSON object as it stands in the file.
    pub fn records(&self) -> impl Iterator<Item = &'static str> {
        self.data.lines().filter(|line| !line.trim().is_empty())
    }

    /// The workflow as it is sent to the API, with the directory service's address in its variables.
    ///
    /// # Errors
    /// When the built-in file is no JSON object; a test shows that it is.
    pub fn definition(&self, directory_url: &str) -> serde_json::Result<Map<String, Value>> {
        let mut definition: Map<String, Value> = serde_json::from_str(self.definition)?;
        let variables = definition
            .entry("variables")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(variables) = variables {
            variables.insert("directoryUrl".to_owned(), directory_url.into());
        }
        Ok(definition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_json_and_every_record_an_object() {
        let counts = EXAMPLES.map(|example| {
            let definition = example.definition("http://127.0.0.1:1").unwrap();
            assert_eq!(definition["variables"]["directoryUrl"], "http://127.0.0.1:1");
            let records: Result<Vec<Map<String, Value>>, _> =
                example.records().map(serde_json::from_str).collect();
            records.unwrap().len()
        });
        assert_eq!(counts, [3_376, 406]);
    }
}
