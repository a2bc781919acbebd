//! Bodies: from a schema, and then spoiled.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::described::DOCUMENT;

/// Makes documents.
pub(super) struct Bodies<'a>(pub(super) &'a mut Rng);

/// How deep a generated document goes.
const DEPTH: usize = 6;

impl Bodies<'_> {
    /// A body as text: valid, spoiled in one place, cut, or no JSON at all.
    pub(super) fn text(&mut self, schema: &Value, max: usize) -> Vec<u8> {
        let mut body = match example(schema) {
            Some(example) if self.0.bool() => example.clone(),
            _ => self.made_from(schema, 0),
        };
        for _ in 0..self.0.usize(..3) {
            self.spoil(&mut body);
        }
        let text = body.to_string().into_bytes();
        match self.0.usize(..16) {
            0 => text[..self.0.usize(..=text.len())].to_vec(),
            1 => (0..self.0.usize(..200)).map(|_| self.0.u8(..)).collect(),
            2 => format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)).into_bytes(),
            3 => format!(r#"{{"name":"{}"}}"#, "x".repeat(self.0.usize(..4 * max))).into_bytes(),
            4 => [b"{\"input\":1e999,", &text[1..]].concat(),
            5 => [b"\xef\xbb\xbf", &*text].concat(),
            _ => text,
        }
    }

    /// A document that this schema describes, more or less.
    pub(super) fn made_from(&mut self, schema: &Value, depth: usize) -> Value {
        if depth > DEPTH {
            return Value::Null;
        }
        if let Some(name) = schema["$ref"].as_str() {
            let schema = DOCUMENT.pointer(&name[1..]).unwrap();
            return self.made_from(schema, depth + 1);
        }
        for several in ["oneOf", "anyOf", "enum"] {
            if let Some(choices) = schema[several].as_array() {
                let chosen = self.0.choice(choices).unwrap();
                return if several == "enum" {
                    chosen.clone()
                } else {
                    self.made_from(chosen, depth + 1)
                };
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|part| self.made_from(part, depth + 1));
            let objects = parts.filter_map(|part| part.as_object().cloned());
            return Value::Object(objects.flatten().collect());
        }
        let kinds = schema["type"].as_array().cloned();
        let kinds = kinds.unwrap_or_else(|| vec![schema["type"].clone()]);
        let kind = self.0.choice(&kinds).and_then(Value::as_str).unwrap_or("any");
        match kind {
            "object" => self.object(schema, depth),
            "array" => {
                let items = (0..self.0.usize(..4)).map(|_| self.made_from(&schema["items"], depth + 1));
                Value::Array(items.collect())
            }
            "string" => self.string(schema),
            "integer" => json!(self.0.i64(-2..2_000)),
            "number" => json!(self.0.f64()),
            "boolean" => json!(self.0.bool()),
            "null" => Value::Null,
            _ => self.anything(),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        let properties = schema["properties"].as_object();
        for (key, property) in properties.into_iter().flatten() {
            let required = schema["required"].as_array();
            let required = required.is_some_and(|keys| keys.iter().any(|required| required == key));
            if required || self.0.bool() {
                object.insert(key.clone(), self.made_from(property, depth + 1));
            }
        }
        if properties.is_none() && self.0.bool() {
            object.insert("n".to_owned(), self.anything());
        }
        Value::Object(object)
    }

    fn string(&mut self, schema: &Value) -> Value {
        if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
            return example.clone();
        }
        match schema["format"].as_str() {
            Some("date-time") if self.0.bool() => json!("2030-01-31T08:00:00Z"),
            _ => self.anything_textual(),
        }
    }

    /// Puts something else somewhere into the document.
    fn spoil(&mut self, value: &mut Value) {
        let deeper = self.0.usize(..4) > 0;
        match value {
            Value::Object(object) if deeper && !object.is_empty() => {
                let place = self.0.usize(..object.len());
                if let Some((_, value)) = object.iter_mut().nth(place) {
                    self.spoil(value);
                }
            }
            Value::Array(items) if deeper && !items.is_empty() => {
                let place = self.0.usize(..items.len());
                self.spoil(&mut items[place]);
            }
            Value::Object(object) if self.0.bool() => {
                let key = self.anything_textual();
                object.insert(key.as_str().unwrap_or_default().to_owned(), self.anything());
            }
            other => *other = self.anything(),
        }
    }

    fn anything(&mut self) -> Value {
        let values = [
            Value::Null,
            json!(true),
            json!(-1),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(1e308),
            json!(0.5),
            json!([]),
            json!([[[]]]),
            json!({}),
            json!({"": {"$ref": "#"}}),
            self.anything_textual(),
        ];
        self.0.choice(values).unwrap_or_default()
    }

    fn anything_textual(&mut self) -> Value {
        let texts = [
            "",
            "a",
            "start",
            "trigger",
            "\u{0}",
            "\u{7f}",
            "ä€💥",
            "\u{202e}",
            "{{ 1 / 0 }}",
            "{{",
            "{% for %}",
            "$.x",
            "__proto__",
            "default",
            "nowhere",
            "1970-01-01T00:00:00Z",
            "+99999-12-31T23:59:59Z",
            "'; DROP TABLE executions; --",
        ];
        let text = self.0.choice(texts).unwrap_or_default();
        if self.0.usize(..30) == 0 {
            return Value::String("long ".repeat(500));
        }
        json!(text)
    }
}

/// What the document gives as an example of a body.
fn example(schema: &Value) -> Option<&'static Value> {
    let several = schema["oneOf"].as_array().into_iter().flatten();
    let mut references = several
        .chain([schema])
        .filter_map(|schema| schema["$ref"].as_str());
    let schema = DOCUMENT.pointer(&references.next()?[1..])?;
    schema.get("example").or_else(|| schema["examples"].get(0))
}
