//! Structured keys of a node: templates, expressions, objects and lists of objects.

use gristmill_core::Problem;
use serde_json::Value;

use crate::{Expression, Template, Text};

use super::Fields;

impl Fields<'_> {
    /// Any JSON value with `{{ … }}` in its texts.
    pub fn template(&mut self, key: &'static str) -> Option<Template> {
        let value = self.value(key)?;
        Template::compile(value, &self.path.key(key), &self.allowance, self.problems)
    }

    /// Any JSON value, as it stands.
    pub fn json(&mut self, key: &'static str) -> Option<&Value> {
        self.value(key)
    }

    /// What comes to a list and must be there: an expression, with or without `{{ }}`, or an array with `{{ … }}` in its
    /// texts.
    pub fn list(&mut self, key: &'static str) -> Option<Template> {
        self.require(key)?;
        match self.value(key)? {
            Value::String(text) if !text.trim_start().starts_with("{{") => {
                let expression = self.expression(key)?;
                Some(Template::of_expression(expression, &self.allowance))
            }
            Value::String(_) | Value::Array(_) => self.template(key),
            other => {
                let problem = Problem::wrong_type(&self.path.key(key), "an expression or an array", other);
                self.problems.push(problem);
                None
            }
        }
    }

    /// A text with `{{ … }}` in it, which renders to text.
    pub fn text(&mut self, key: &'static str) -> Option<Text> {
        let text = self.read(key, "a string", Value::as_str)?;
        Text::compile(text, &self.path.key(key), &self.allowance, self.problems)
    }

    /// Like [`text`](Self::text), for a key that must be there.
    pub fn required_text(&mut self, key: &'static str) -> Option<Text> {
        self.require(key)?;
        self.text(key)
    }

    /// An object with keys of the user's choice and `{{ … }}` in the texts of its values.
    pub fn templates(&mut self, key: &'static str) -> Option<Vec<(String, Template)>> {
        let object = self.object(key)?;
        let path = self.path.key(key);
        let mut list = Vec::with_capacity(object.len());
        for (name, value) in object {
            if let Some(template) = Template::compile(value, &path.key(name), &self.allowance, self.problems)
            {
                list.push((name.clone(), template));
            }
        }
        (list.len() == object.len()).then_some(list)
    }

    /// An expression without braces around it.
    pub fn expression(&mut self, key: &'static str) -> Option<Expression> {
        let source = self.read(key, "a string", Value::as_str)?;
        let path = self.path.key(key);
        if !self.allowance.has_room(&path, self.problems) {
            return None;
        }
        match Expression::compile(source, self.allowance.fuel) {
            Ok(expression) => Some(expression.standing_at(&path, 1)),
            Err(error) => {
                self.problem(key, "invalid_expression", error.to_string());
                None
            }
        }
    }

    /// Like [`expression`](Self::expression), for a key that must be there.
    pub fn required_expression(&mut self, key: &'static str) -> Option<Expression> {
        self.require(key)?;
        self.expression(key)
    }

    /// An object whose keys `read` asks for; unknown ones among them are reported.
    pub fn nested<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Fields<'_>) -> T) -> Option<T> {
        let object = self.object(key)?;
        let mut fields =
            Fields::new(self.path.key(key), object, self.problems).with_allowance(self.allowance.clone());
        let result = read(&mut fields);
        fields.finish();
        Some(result)
    }

    /// An array of texts.
    pub fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        let items = self.read(key, "an array", Value::as_array)?;
        let path = self.path.key(key);
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::String(text) => list.push(text.clone()),
                other => self
                    .problems
                    .push(Problem::wrong_type(&path.index(index), "a string", other)),
            }
        }
        (list.len() == items.len()).then_some(list)
    }

    /// An array of objects, each read by `read`. `None` when any of them is.
    pub fn each<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Fields<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.read(key, "an array", Value::as_array)?;
        let path = self.path.key(key);
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = path.index(index);
            let Value::Object(object) = item else {
                self.problems.push(Problem::wrong_type(&path, "an object", item));
                continue;
            };
            let mut fields = Fields::new(path, object, self.problems).with_allowance(self.allowance.clone());
            list.extend(read(&mut fields));
            fields.finish();
        }
        (list.len() == items.len()).then_some(list)
    }
}
