//! Items: the items of a batch, each as it was sent.

use std::borrow::Cow;
use std::fmt;

use gristmill_core::{Path, Problem};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::http::error::Error;
use crate::routes::unknown_keys::UnknownKeys;

/// How many items a batch may have.
const MAX_ITEMS: usize = 1_000;

/// The items of a batch.
pub(super) enum Items<'a> {
    /// `{"inputs": [{…}, …]}`
    Inputs(Vec<&'a RawValue>),
    /// `{"items": [{"input": {…}, "tags": […], …}, …]}`, whose items are bodies of `…/execute`.
    Requests(Vec<&'a RawValue>),
}

impl<'a> Items<'a> {
    /// Reads a batch, and looks into none of its items. What is wrong with the whole is an error.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Error> {
        if !matches!(body.trim_ascii_start().first(), Some(b'{') | None) {
            // Text that is no JSON at all is told so.
            serde_json::from_slice::<IgnoredAny>(body).map_err(Error::MalformedJson)?;
            return Err(Error::no_object());
        }
        let body: Body<'a> = serde_json::from_slice(body).map_err(Error::MalformedJson)?;
        let mut problems = body.unknown.problems(&Path::root(), &["inputs", "items"]);
        let (key, array) = match (body.inputs, body.items) {
            (Some(_), Some(_)) => {
                let message = "there are `inputs` or `items`, not both";
                problems.push(Problem::new(Path::root().key("items"), "contradiction", message));
                return Err(Error::Invalid(problems));
            }
            (inputs, None) => ("inputs", inputs),
            (None, items) => ("items", items),
        };
        let items = match array {
            None => Err(("missing", "`inputs` or `items` is required".to_owned())),
            Some(array) => array_of(key, array),
        };
        match items {
            Ok(items) if problems.is_empty() && key == "inputs" => Ok(Self::Inputs(items)),
            Ok(items) if problems.is_empty() => Ok(Self::Requests(items)),
            Ok(_) => Err(Error::Invalid(problems)),
            Err((code, message)) => {
                problems.push(Problem::new(Path::root().key(key), code, message));
                Err(Error::Invalid(problems))
            }
        }
    }

    /// The items, and whether they are nothing but inputs.
    pub(super) fn texts(&self) -> &[&'a RawValue] {
        match self {
            Self::Inputs(texts) | Self::Requests(texts) => texts,
        }
    }

    /// An item as a body of `…/execute`.
    pub(super) fn body(&self, text: &'a RawValue) -> Cow<'a, str> {
        match self {
            Self::Inputs(_) => format!(r#"{{"input":{text}}}"#).into(),
            Self::Requests(_) => text.get().into(),
        }
    }
}

fn array_of<'a>(key: &str, array: &'a RawValue) -> Result<Vec<&'a RawValue>, (&'static str, String)> {
    let wrong_type = |_| ("wrong_type", format!("`{key}` is an array of objects"));
    let Array { first, more } = serde_json::from_str(array.get()).map_err(wrong_type)?;
    if first.is_empty() || more > 0 {
        let count = first.len() + more;
        let message = format!("there are {count} {key}, and 1 to {MAX_ITEMS} are allowed");
        return Err(("out_of_range", message));
    }
    Ok(first)
}

/// A batch's keys. Of one that stands there twice, the last one counts, and null is as good as absent.
#[derive(Default)]
struct Body<'a> {
    inputs: Option<&'a RawValue>,
    items: Option<&'a RawValue>,
    unknown: UnknownKeys,
}

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Body<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
                let mut body = Body::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "inputs" => body.inputs = not_null(map.next_value()?),
                        "items" => body.items = not_null(map.next_value()?),
                        unknown => {
                            body.unknown.add(unknown);
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(body)
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

fn not_null(value: &RawValue) -> Option<&RawValue> {
    (value.get() != "null").then_some(value)
}

/// As many items as a batch may have, and how many more there are.
#[derive(Default)]
struct Array<'a> {
    first: Vec<&'a RawValue>,
    more: usize,
}

impl<'de> Deserialize<'de> for Array<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Array<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Array<'de>, A::Error> {
                let mut array = Array::default();
                while array.first.len() < MAX_ITEMS
                    && let Some(item) = seq.next_element()?
                {
                    array.first.push(item);
                }
                while array.first.len() == MAX_ITEMS && seq.next_element::<IgnoredAny>()?.is_some() {
                    array.more += 1;
                }
                Ok(array)
            }
        }

        deserializer.deserialize_seq(Items)
    }
}
