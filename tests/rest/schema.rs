//! A small judge of JSON schemas: the keywords that the API's description uses, and no others.

use serde_json::{Map, Value};

/// What is wrong with `value`, with its place; a member that the schema does not name is wrong, too.
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut judge = Judge { document, faults: Vec::new() };
    judge.judge(schema, value, "$");
    judge.faults
}

/// The part of the document that `$ref` names.
pub fn resolve<'a>(document: &'a Value, reference: &str) -> &'a Value {
    let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is not here"));
    document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

struct Judge<'a> {
    document: &'a Value,
    faults: Vec<String>,
}

impl Judge<'_> {
    fn judge(&mut self, schema: &Value, value: &Value, place: &str) {
        let schema = match schema {
            Value::Bool(true) => return,
            Value::Object(schema) => schema,
            other => panic!("{place}: no schema: {other}"),
        };
        for (keyword, is) in schema {
            let is_good = match keyword.as_str() {
                "description" | "title" | "examples" | "default" | "format" | "pattern" => true,
                "$ref" => {
                    let part = resolve(self.document, is.as_str().expect("a reference"));
                    self.judge(part, value, place);
                    true
                }
                "type" => has_type(is, value),
                "const" => is == value,
                "enum" => is.as_array().expect("a list").contains(value),
                "minimum" => value.as_f64().is_none_or(|number| Some(number) >= is.as_f64()),
                "maximum" => value.as_f64().is_none_or(|number| Some(number) <= is.as_f64()),
                "anyOf" => self.fitting(is, value) >= 1,
                "oneOf" => self.fitting(is, value) == 1,
                "required" => {
                    let mut names = is.as_array().expect("a list").iter().filter_map(Value::as_str);
                    names.all(|name| value.get(name).is_some())
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.judge(is, item, &format!("{place}[{index}]"));
                    }
                    true
                }
                "properties" | "additionalProperties" => true,
                keyword => panic!("{place}: this judge does not know {keyword:?}"),
            };
            if !is_good {
                self.faults.push(format!("{place}: {value} does not fit {keyword}: {is}"));
            }
        }
        if let Value::Object(members) = value {
            self.members(schema, members, place);
        }
    }

    fn members(&mut self, schema: &Map<String, Value>, members: &Map<String, Value>, place: &str) {
        let properties = schema.get("properties");
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        // A schema that says nothing of members leaves them to a part it refers to, or to anybody.
        if properties.is_none() && others.is_none() {
            return;
        }
        for (name, member) in members {
            let place = format!("{place}.{name}");
            match properties.and_then(|properties| properties.get(name)).or(others) {
                Some(schema) => self.judge(schema, member, &place),
                None => self.faults.push(format!("{place} is not described")),
            }
        }
    }

    fn fitting(&self, schemas: &Value, value: &Value) -> usize {
        let schemas = schemas.as_array().expect("a list").iter();
        schemas.filter(|schema| faults(self.document, schema, value).is_empty()).count()
    }
}

fn has_type(kinds: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str().expect("a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type: {other}"),
    };
    kinds.as_array().map_or_else(|| is(kinds), |kinds| kinds.iter().any(is))
}
