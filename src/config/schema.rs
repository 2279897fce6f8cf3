//! What may be written where: the JSON schema of the whole configuration, and a way to walk it.

use serde_json::Value as Json;

use super::Config;
use super::tree::Step;

/// The JSON schema (draft 2020-12) of a configuration file, for editors and for `taplo`.
pub fn schema() -> Json {
    schemars::schema_for!(Config).into()
}

/// The same, with every key that is always there listed as `required`, in the order of the structs.
pub(super) fn ordered_schema() -> Json {
    let settings = schemars::generate::SchemaSettings::default().for_serialize();
    settings.into_generator().into_root_schema_for::<Config>().into()
}

/// One place in the schema.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    root: &'a Json,
    node: &'a Json,
    /// The place itself with its own description and default, where `node` is the shared type.
    outer: &'a Json,
}

impl<'a> Shape<'a> {
    pub(super) fn new(root: &'a Json) -> Self {
        Self { root, node: root, outer: root }
    }

    /// A place within this schema. Follows references, and drops the `null` of an optional value.
    fn at(&self, outer: &'a Json) -> Self {
        let mut node = outer;
        // Each step goes from a use to its definition, so a chain is short; the bound is for a
        // schema that refers to itself and says nothing else.
        for _ in 0..8 {
            if let Some(reference) = node["$ref"].as_str() {
                let name = reference.trim_start_matches("#/$defs/");
                node = &self.root["$defs"][name];
            } else if let Some(some) = optional(node) {
                node = some;
            } else {
                break;
            }
        }
        Self { root: self.root, node, outer }
    }

    /// The keys that are spelled out, by name.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&'a str, Shape<'a>)> {
        let properties = self.node["properties"].as_object().into_iter().flatten();
        properties.map(|(key, node)| (key.as_str(), self.at(node)))
    }

    /// The place one step on; `None` if nothing may be there or anything may.
    pub(super) fn step(&self, step: &Step) -> Option<Shape<'a>> {
        let next = match step {
            Step::Key(key) => match self.node["properties"].get(key) {
                Some(property) => property,
                None => self.node.get("additionalProperties").filter(|any| any.is_object())?,
            },
            Step::Index(_) => self.node.get("items")?,
        };
        Some(self.at(next))
    }

    /// Whether keys that are not spelled out are refused.
    pub(super) fn is_closed(&self) -> bool {
        self.node["additionalProperties"] == Json::Bool(false)
    }

    /// JSON's names of the types that a value may have, but `null`; empty if any.
    pub(super) fn types(&self) -> Vec<&'a str> {
        let types = match &self.node["type"] {
            Json::String(name) => vec![name.as_str()],
            Json::Array(names) => names.iter().filter_map(Json::as_str).collect(),
            _ if !self.choices().is_empty() => vec!["string"],
            _ => Vec::new(),
        };
        types.into_iter().filter(|name| *name != "null").collect()
    }

    /// Whether the value is of the one type `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.types() == [name]
    }

    /// The texts of which one is to be chosen; empty if it is not such a value.
    pub(super) fn choices(&self) -> Vec<&'a str> {
        let plain = self.node["enum"].as_array().into_iter().flatten().filter_map(Json::as_str);
        let variants = self.node["oneOf"].as_array().into_iter().flatten();
        // Variants that are documented stand alone, the others together.
        let texts = |one: &'a Json| match (&one["const"], &one["enum"]) {
            (Json::String(text), _) => Some(vec![text.as_str()]),
            (_, Json::Array(texts)) => texts.iter().map(Json::as_str).collect(),
            _ => None,
        };
        let grouped: Option<Vec<Vec<&str>>> = variants.map(texts).collect();
        plain.chain(grouped.unwrap_or_default().into_iter().flatten()).collect()
    }

    /// The keys that have to be there.
    pub(super) fn required(&self) -> impl Iterator<Item = &'a str> {
        self.node["required"].as_array().into_iter().flatten().filter_map(Json::as_str)
    }

    /// What the documentation says about this place.
    pub(super) fn description(&self) -> &'a str {
        let text = self.outer["description"].as_str();
        text.or_else(|| self.node["description"].as_str()).unwrap_or_default()
    }

    /// A text that would do here.
    pub(super) fn example(&self) -> Option<&'a str> {
        self.node["examples"].get(0).and_then(Json::as_str)
    }

    /// What holds where nothing is said, if the schema knows; as TOML has it.
    pub(super) fn default(&self) -> Option<String> {
        let default = self.outer.get("default").filter(|default| !default.is_null())?;
        Some(default.to_string())
    }

    /// The same of a list, as TOML has it.
    pub(super) fn example_list(&self) -> Option<String> {
        let list = self.node["examples"].get(0)?.as_array()?;
        let list: Vec<String> = list.iter().map(Json::to_string).collect();
        Some(format!("[{}]", list.join(", ")))
    }

    /// JSON schema's name of what a text means: `ip`.
    pub(super) fn format(&self) -> Option<&'a str> {
        self.node["format"].as_str()
    }

    /// The least and the greatest integer.
    pub(super) fn bounds(&self) -> (i64, i64) {
        let greatest = match self.format() {
            Some("uint32") => i64::from(u32::MAX),
            Some("int32") => i64::from(i32::MAX),
            _ => i64::MAX,
        };
        let bound = |key: &str| self.node[key].as_i64();
        (bound("minimum").unwrap_or(i64::MIN), bound("maximum").unwrap_or(greatest))
    }
}

/// The other branch of `anyOf: [some, null]`.
fn optional(node: &Json) -> Option<&Json> {
    let branches = node["anyOf"].as_array()?;
    let mut some = branches.iter().filter(|branch| branch["type"] != "null");
    some.next().filter(|_| branches.len() == 2)
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Section {
        /// Which one.
        choice: Option<Choice>,
        plain: Choice,
        count: Option<u32>,
    }

    #[derive(JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Choice {
        One,
        /// Described.
        Two,
    }

    #[test]
    fn an_optional_value_is_looked_at_as_if_it_were_there() {
        let schema: Json = schemars::schema_for!(Section).into();
        let shape = Shape::new(&schema);
        let property = |name: &str| shape.step(&Step::Key(name.to_owned())).expect(name);
        assert_eq!(property("choice").choices(), ["one", "two"]);
        assert_eq!(property("plain").choices(), ["one", "two"]);
        assert!(property("choice").is("string"));
        assert_eq!(property("choice").description(), "Which one.");
        assert!(property("count").is("integer"));
        assert_eq!(property("count").bounds(), (0, i64::from(u32::MAX)));
        assert_eq!(shape.required().collect::<Vec<_>>(), ["plain"]);
    }
}
