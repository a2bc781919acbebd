//! Requests for one operation: each part is what the document asks for, or it is not.

use fastrand::Rng;
use serde_json::Value;

use super::bodies::Bodies;
use crate::described::Operation;
use crate::raw::RawRequest;

/// Makes requests.
pub(super) struct Requests {
    pub(super) random: Rng,
    pub(super) key: String,
    /// What there is.
    pub(super) ids: Vec<String>,
    pub(super) max_body: usize,
}

/// What stands in the place of an id, a parameter or a header. Percent signs and bytes are sent as they are.
const ODD: [&[u8]; 30] = [
    b"",
    b"0",
    b"-1",
    b"1",
    b"999999999999999999999999",
    b"1e9",
    b"NaN",
    b"null",
    b"true",
    b"wf_",
    b"wf_x",
    b"wf_exec_",
    b"wf_exec_0",
    b"%00",
    b"%ff",
    b"%zz",
    b"%",
    b"%2F",
    b"..%2f..",
    b"'%20OR%201=1--",
    b"\xc3\xa4",
    b"\xff\xfe",
    b"%F0%9F%92%A5",
    b"2030-02-30T99:00:00Z",
    b"9999999-01-01T00:00:00Z",
    b"created_at,name",
    b"*",
    b"[]",
    b"{\"a\":1}",
    b"a;b=c&d",
];

const HEADERS: [&str; 10] = [
    "accept",
    "content-encoding",
    "expect-nothing",
    "forwarded",
    "if-match",
    "if-none-match",
    "last-event-id",
    "range",
    "traceparent",
    "x-request-id",
];

impl Requests {
    pub(super) fn make(&mut self, operation: &Operation) -> RawRequest {
        let mut target = self.path(operation.path);
        let mut headers = vec![("authorization".to_owned(), self.authorization())];
        let parameters = operation.description["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let wanted = self.chance(2);
            match parameter["in"].as_str().unwrap() {
                "query" if wanted => self.add_query(&mut target, name.as_bytes(), parameter),
                "header" if wanted => headers.push((name.to_owned(), self.header(parameter))),
                _ => {}
            }
        }
        if self.chance(8) {
            let name = self.odd();
            self.add_query(&mut target, &name, &Value::Null);
        }
        for _ in 0..self.random.usize(..3) {
            let name = self.random.choice(HEADERS).unwrap().to_owned();
            headers.push((name, self.odd()));
        }
        let body = self.body(operation, &mut headers);
        RawRequest {
            method: operation.method.clone(),
            target,
            headers,
            body,
        }
    }

    fn path(&mut self, template: &str) -> Vec<u8> {
        let mut path = Vec::new();
        for (place, part) in template.split(['{', '}']).enumerate() {
            match place % 2 {
                0 => path.extend(part.bytes()),
                _ if self.chance(3) => path.extend(self.odd()),
                _ if self.chance(40) => path.extend(std::iter::repeat_n(b'a', 20_000)),
                _ => path.extend(self.random.choice(&self.ids).unwrap().bytes()),
            }
        }
        // A space would end the path, and a number sign begin what is never sent.
        path.retain(|byte| *byte != b' ');
        path
    }

    fn authorization(&mut self) -> Vec<u8> {
        match self.random.usize(..12) {
            0 => Vec::new(),
            1 => self.odd(),
            2 => [b"Bearer ", &*self.odd()].concat(),
            3 => format!("Basic {}", self.key).into_bytes(),
            _ => format!("Bearer {}", self.key).into_bytes(),
        }
    }

    fn add_query(&mut self, target: &mut Vec<u8>, name: &[u8], parameter: &Value) {
        target.push(if target.contains(&b'?') { b'&' } else { b'?' });
        target.extend(name);
        target.push(b'=');
        let value = self.value(parameter);
        target.extend(value.into_iter().filter(|byte| *byte != b' '));
        if self.chance(20) {
            target.extend([b"&", name, b"=1"].concat());
        }
    }

    fn header(&mut self, parameter: &Value) -> Vec<u8> {
        let mut value = self.value(parameter);
        if self.chance(15) {
            value = vec![b'k'; 300];
        }
        value
    }

    /// As the parameter's schema has it, or its example, or something else.
    fn value(&mut self, parameter: &Value) -> Vec<u8> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match &parameter["example"] {
            Value::Null if self.chance(2) => {
                let value = Bodies(&mut self.random).made_from(&parameter["schema"], 0);
                text(&value)
                    .bytes()
                    .filter(|byte| !byte.is_ascii_control())
                    .collect()
            }
            example if !example.is_null() && self.chance(2) => text(example).into_bytes(),
            _ => self.odd(),
        }
    }

    fn body(&mut self, operation: &Operation, headers: &mut Vec<(String, Vec<u8>)>) -> Vec<u8> {
        let content = &operation.description["requestBody"]["content"]["application/json"];
        let wanted = !content.is_null() || self.chance(10);
        if !wanted || self.chance(12) {
            return Vec::new();
        }
        let content_type = match self.random.usize(..10) {
            0 => self.odd(),
            1 => b"text/plain".to_vec(),
            _ => b"application/json".to_vec(),
        };
        headers.push(("content-type".to_owned(), content_type));
        let max = self.max_body;
        Bodies(&mut self.random).text(&content["schema"], max)
    }

    fn odd(&mut self) -> Vec<u8> {
        self.random.choice(ODD).unwrap().to_vec()
    }

    /// Once in `n` times.
    fn chance(&mut self, n: usize) -> bool {
        self.random.usize(..n) == 0
    }
}
