//! Rule files of Prometheus, unchanged, as `[[alerts.rule]]` and `[[alerts.record]]` that know their
//! lines.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::Origin;
use super::problem::Problem;
use super::tree::{Node, Value};
use crate::query;
use crate::severity::Severity;
use crate::units::HumanDuration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    groups: Option<Vec<Group>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: Spanned<String>,
    interval: Option<Spanned<String>>,
    query_offset: Option<Spanned<String>>,
    limit: Option<Spanned<u64>>,
    labels: Option<Texts>,
    rules: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    record: Option<Spanned<String>>,
    alert: Option<Spanned<String>>,
    expr: Option<Spanned<String>>,
    #[serde(rename = "for")]
    hold: Option<Spanned<String>>,
    keep_firing_for: Option<Spanned<String>>,
    labels: Option<Texts>,
    annotations: Option<Texts>,
}

type Texts = BTreeMap<String, Spanned<String>>;

/// The rules of a file as a document of configuration. What keeps it from being read becomes problems;
/// a rule that cannot be one of ours is left out and `refused`.
pub(super) fn document(
    path: &Arc<Path>,
    bytes: &[u8],
    problems: &mut Vec<Problem>,
    refused: &mut Vec<Problem>,
) -> Option<Node> {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => {
            let hint = Some("save the file as UTF-8".to_owned());
            let message = "this is not UTF-8 text";
            problems.push(Problem::new(&Origin::file(path.clone()), "", message, hint));
            return None;
        }
    };
    let file: File = match serde_saphyr::from_str(text) {
        Ok(file) => file,
        // A file of comments alone has no document.
        Err(_) if is_empty(text) => File { groups: None },
        Err(error) => {
            let line = error.location().map(|location| location.line() as usize);
            let origin = Origin::File { path: path.clone(), line };
            let text = error.without_snippet().to_string();
            // The line is told before it.
            let text = text.replace(&format!(" at line {}, ", line.unwrap_or_default()), " at ");
            problems.push(Problem::new(&origin, "", text, None));
            return None;
        }
    };
    let (names, rules, records) = (HashMap::new(), Vec::new(), Vec::new());
    let mut reader = Reader { path, problems: refused, names, rules, records };
    let groups = file.groups.unwrap_or_default();
    groups.into_iter().for_each(|group| reader.group(group));
    let whole = Origin::file(path.clone());
    let lists = [("rule", reader.rules), ("record", reader.records)];
    let lists = lists.into_iter().filter(|(_, rules)| !rules.is_empty());
    let lists = lists.map(|(key, rules)| {
        (key.to_owned(), Node { value: Value::List(rules), origin: whole.clone() })
    });
    let alerts = table(lists.collect(), whole.clone());
    Some(table(BTreeMap::from([("alerts".to_owned(), alerts)]), whole))
}

/// Takes out what does not belong into a file of rules.
pub(super) fn refuse_others(root: &mut Node, problems: &mut Vec<Problem>) {
    const LISTS: [&str; 4] = ["inhibit", "maintenance", "record", "rule"];
    let mut refuse = |node: &Node, path: String| {
        let message = "only [[alerts.rule]], [[alerts.record]], [[alerts.inhibit]] and \
                       [[alerts.maintenance]] belong here";
        let hint = Some("write it into the main file, or into one of conf.d".to_owned());
        problems.push(Problem::new(&node.origin, path, message, hint));
    };
    let Value::Table(sections) = &mut root.value else { return };
    sections.retain(|key, node| {
        let Value::Table(inner) = &mut node.value else {
            refuse(node, key.clone());
            return false;
        };
        if key != "alerts" {
            refuse(inner.values().next().unwrap_or(&Node::empty(&node.origin)), key.clone());
            return false;
        }
        inner.retain(|key, node| {
            let belongs = LISTS.contains(&key.as_str());
            if !belongs {
                refuse(node, format!("alerts.{key}"));
            }
            belongs
        });
        true
    });
}

fn is_empty(text: &str) -> bool {
    text.lines().all(|line| matches!(line.trim().chars().next(), None | Some('#' | '-')))
}

fn table(values: BTreeMap<String, Node>, origin: Origin) -> Node {
    Node { value: Value::Table(values), origin }
}

struct Reader<'a> {
    path: &'a Arc<Path>,
    problems: &'a mut Vec<Problem>,
    /// How many rules there are of each id.
    names: HashMap<String, usize>,
    rules: Vec<Node>,
    records: Vec<Node>,
}

impl Reader<'_> {
    fn origin<T>(&self, spanned: &Spanned<T>) -> Origin {
        let line = spanned.referenced.line() as usize;
        Origin::File { path: self.path.clone(), line: (line > 0).then_some(line) }
    }

    fn text(&self, spanned: &Spanned<String>) -> Node {
        Node { value: Value::String(spanned.value.clone()), origin: self.origin(spanned) }
    }

    fn refuse<T>(&mut self, at: &Spanned<T>, path: &str, message: &str, hint: Option<&str>) {
        let origin = self.origin(at);
        let problem = Problem::new(&origin, path, message, hint.map(str::to_owned));
        self.problems.push(problem);
    }

    fn group(&mut self, group: Group) {
        if let Some(limit) = group.limit.as_ref().filter(|limit| limit.value > 0) {
            let hint = "alerts.max_alerts_per_rule bounds every rule";
            self.refuse(limit, "limit", "a limit of a group is not supported", Some(hint));
        }
        if let Some(offset) = &group.query_offset {
            let hint = "write offset into the expressions";
            self.refuse(offset, "query_offset", "this is not supported", Some(hint));
        }
        let interval = group.interval.as_ref().and_then(|it| self.duration(it, "interval"));
        for entry in group.rules.unwrap_or_default() {
            let mut labels = group.labels.clone().unwrap_or_default();
            labels.extend(entry.labels.clone().unwrap_or_default());
            match &entry.record {
                Some(record) => {
                    let node = self.record(record, &group.name, interval.as_ref(), &labels, &entry);
                    self.records.extend(node);
                }
                None => {
                    let node = self.rule(&group.name, interval.as_ref(), labels, &entry);
                    self.rules.extend(node);
                }
            }
        }
    }

    fn record(
        &mut self,
        record: &Spanned<String>,
        group: &Spanned<String>,
        interval: Option<&Node>,
        labels: &Texts,
        entry: &Entry,
    ) -> Option<Node> {
        let Entry { alert, hold, keep_firing_for, annotations, .. } = entry;
        let has = [
            ("alert", alert.is_some()),
            ("for", hold.is_some()),
            ("keep_firing_for", keep_firing_for.is_some()),
            ("annotations", annotations.is_some()),
        ];
        if let Some((key, _)) = has.iter().find(|(_, has)| *has) {
            let message = format!("a recording rule has no key {key:?}");
            self.refuse(record, &format!("record {}", record.value), &message, None);
            return None;
        }
        let mut values = self.common(record, group, interval, entry)?;
        values.insert("record".to_owned(), self.text(record));
        let origin = self.origin(record);
        values.insert("labels".to_owned(), self.texts(labels, &origin));
        Some(table(values, origin))
    }

    /// What both kinds of rules have.
    fn common(
        &mut self,
        name: &Spanned<String>,
        group: &Spanned<String>,
        interval: Option<&Node>,
        entry: &Entry,
    ) -> Option<BTreeMap<String, Node>> {
        let Some(expr) = &entry.expr else {
            self.refuse(name, &name.value, "the key \"expr\" is missing", None);
            return None;
        };
        let id = Node { value: Value::String(self.id(group, name)), origin: self.origin(name) };
        let mut values = BTreeMap::from([
            ("id".to_owned(), id),
            ("group".to_owned(), self.text(group)),
            ("expr".to_owned(), self.text(expr)),
        ]);
        values.extend(interval.map(|interval| ("interval".to_owned(), interval.clone())));
        Some(values)
    }

    fn texts(&self, texts: &Texts, origin: &Origin) -> Node {
        let texts = texts.iter().map(|(name, text)| (name.clone(), self.text(text)));
        table(texts.collect(), origin.clone())
    }

    fn rule(
        &mut self,
        group: &Spanned<String>,
        interval: Option<&Node>,
        labels: Texts,
        entry: &Entry,
    ) -> Option<Node> {
        let Some(alert) = &entry.alert else {
            let place = entry.expr.as_ref().unwrap_or(group);
            self.refuse(place, &group.value, "a rule has neither \"alert\" nor \"record\"", None);
            return None;
        };
        let origin = self.origin(alert);
        let mut values = self.common(alert, group, interval, entry)?;
        values.insert("name".to_owned(), self.text(alert));
        for (key, text) in [("for", &entry.hold), ("keep_firing_for", &entry.keep_firing_for)] {
            let node = text.as_ref().and_then(|text| self.duration(text, key));
            values.extend(node.map(|node| (key.to_owned(), node)));
        }
        if let Some(level) = labels.get("severity") {
            let value = Value::String(severity(&level.value).name().to_owned());
            values.insert("severity".to_owned(), Node { value, origin: self.origin(level) });
        }
        let annotations = entry.annotations.as_ref();
        let told =
            annotations.and_then(|all| all.get("summary").or_else(|| all.get("description")));
        values.extend(told.map(|text| ("message".to_owned(), self.text(text))));
        let none = Texts::new();
        for (key, texts) in [("labels", &labels), ("annotations", annotations.unwrap_or(&none))] {
            values.insert(key.to_owned(), self.texts(texts, &origin));
        }
        Some(table(values, origin))
    }

    /// An id that stays the same as long as the file, the group and the rule have their names.
    fn id(&mut self, group: &Spanned<String>, rule: &Spanned<String>) -> String {
        let file = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let id = format!("{file}/{}/{}", group.value, rule.value);
        let count = self.names.entry(id.clone()).or_default();
        *count += 1;
        if *count == 1 { id } else { format!("{id}#{count}") }
    }

    fn duration(&mut self, text: &Spanned<String>, key: &str) -> Option<Node> {
        let parsed = match text.value.as_str() {
            "0" => Some(std::time::Duration::ZERO),
            text => query::duration(text),
        };
        match parsed {
            Some(duration) => {
                let value = Value::String(HumanDuration(duration).exact());
                Some(Node { value, origin: self.origin(text) })
            }
            None => {
                let message = format!("{:?} is not a duration", text.value);
                self.refuse(text, key, &message, Some("write one such as \"5m\" or \"1h30m\""));
                None
            }
        }
    }
}

/// Our level for what people write into the label `severity`; what nobody knows is in the middle.
fn severity(text: &str) -> Severity {
    match text.to_lowercase().as_str() {
        "info" | "information" | "informational" | "none" | "debug" => Severity::Info,
        "low" | "notice" => Severity::Low,
        "high" | "error" | "major" => Severity::High,
        "critical" | "page" | "emergency" | "disaster" | "fatal" => Severity::Critical,
        _ => Severity::Medium,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Node>, Vec<String>) {
        let (mut problems, mut refused) = (Vec::new(), Vec::new());
        let path = Path::new("alerts.d/node.yml").into();
        let node = document(&path, text.as_bytes(), &mut problems, &mut refused);
        problems.append(&mut refused);
        (node, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_rule_of_prometheus_becomes_one_of_ours() {
        let text = "groups:\n- name: example\n  interval: 1m\n  labels: { team: a }\n  rules:\n  \
                    - alert: HighLatency\n    expr: |\n      x > 0.5\n    for: 1d\n    labels:\n      \
                    severity: page\n    annotations:\n      summary: High on {{ $labels.job }}\n  \
                    - alert: HighLatency\n    expr: 1\n";
        let (node, problems) = read(text);
        assert_eq!(problems, Vec::<String>::new());
        let node = node.expect("a document");
        insta::assert_snapshot!(serde_json::to_string_pretty(&node.to_json()).expect("JSON"), @r#"
        {
          "alerts": {
            "rule": [
              {
                "annotations": {
                  "summary": "High on {{ $labels.job }}"
                },
                "expr": "x > 0.5\n",
                "for": "1d",
                "group": "example",
                "id": "node/example/HighLatency",
                "interval": "1m",
                "labels": {
                  "severity": "page",
                  "team": "a"
                },
                "message": "High on {{ $labels.job }}",
                "name": "HighLatency",
                "severity": "critical"
              },
              {
                "annotations": {},
                "expr": "1",
                "group": "example",
                "id": "node/example/HighLatency#2",
                "interval": "1m",
                "labels": {
                  "team": "a"
                },
                "name": "HighLatency"
              }
            ]
          }
        }
        "#);
        let path = super::super::tree::keys("alerts.rule");
        let Some(Value::List(rules)) = node.get(&path).map(|node| &node.value) else {
            panic!("a list");
        };
        let line = |rule: &Node, key: &str| {
            let step = super::super::tree::Step::Key(key.to_owned());
            rule.step(&step).map(|node| node.origin.to_string()).expect(key)
        };
        assert_eq!(line(&rules[0], "severity"), "alerts.d/node.yml:11");
        assert_eq!(line(&rules[1], "expr"), "alerts.d/node.yml:15");
    }

    #[test]
    fn a_recording_rule_of_prometheus_becomes_one_of_ours() {
        let text = "groups:\n- name: g\n  labels: { team: a }\n  rules:\n  - record: a:b\n    \
                    expr: sum(x)\n    labels: { site: y }\n";
        let (node, problems) = read(text);
        assert_eq!(problems, Vec::<String>::new());
        let json = node.expect("a document").to_json().to_string();
        let expected = concat!(
            r#"{"alerts":{"record":[{"expr":"sum(x)","group":"g","id":"node/g/a:b","#,
            r#""labels":{"site":"y","team":"a"},"record":"a:b"}]}}"#
        );
        assert_eq!(json, expected);
    }

    #[test]
    fn what_is_not_supported_is_refused_with_its_line() {
        let check = |text: &str| read(text).1.join("\n");
        let group = "groups:\n- name: g\n  rules:\n";
        let refusals = [
            check(&format!("{group}  - record: a:b\n    expr: x\n    for: 5m\n")),
            check(&format!("{group}  - record: a:b\n")),
            check(&format!("{group}  - expr: x\n")),
            check(&format!("{group}  - alert: a\n")),
            check(&format!("{group}  - alert: a\n    expr: x\n    for: 5 minutes\n")),
            check(&format!("{group}  - alert: a\n    expr: x\n    for: -5\n")),
            check(&format!("{group}  - alert: a\n    expr: x\n    for: 1e30\n")),
            check(&format!("{group}  - alert: a\n    expr: x\n    foo: 1\n")),
            check("groups:\n- name: g\n  limit: 5\n  query_offset: 1m\n"),
            check("groups: [\n"),
            check("# nothing\n"),
            check("a: b\n"),
        ];
        insta::assert_snapshot!(refusals.join("\n--\n"), @r#"
        alerts.d/node.yml:4: record a:b: a recording rule has no key "for"
        --
        alerts.d/node.yml:4: a:b: the key "expr" is missing
        --
        alerts.d/node.yml:4: g: a rule has neither "alert" nor "record"
        --
        alerts.d/node.yml:4: a: the key "expr" is missing
        --
        alerts.d/node.yml:6: for: "5 minutes" is not a duration; write one such as "5m" or "1h30m"
        --
        alerts.d/node.yml:6: for: "-5" is not a duration; write one such as "5m" or "1h30m"
        --
        alerts.d/node.yml:6: for: "1e30" is not a duration; write one such as "5m" or "1h30m"
        --
        alerts.d/node.yml:6: unknown field `foo`, expected one of record, alert, expr, for, keep_firing_for, labels, annotations at column 5
        --
        alerts.d/node.yml:3: limit: a limit of a group is not supported; alerts.max_alerts_per_rule bounds every rule
        alerts.d/node.yml:4: query_offset: this is not supported; write offset into the expressions
        --
        alerts.d/node.yml:1: unclosed bracket '[' at column 9
        --

        --
        alerts.d/node.yml:1: unknown field `a`, expected one of groups at column 1
        "#);
    }
}
