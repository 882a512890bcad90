//! Tests that everything that a request schema allows is accepted: each allowed value of every
//! parameter, each branch of every union, and each member of every object. Each is added by itself
//! to a minimal body. Also tests that an unknown parameter is refused.

use crate::support::{as_form, check_fields, everywhere, schema};
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_strict::{Strength, check};
use serde_json::{Map, Value, json};

/// The name of a model that no rule mentions.
const MODEL: &str = "m";

#[test]
fn every_documented_parameter_and_value_is_accepted() {
    for (surface, endpoint) in everywhere() {
        let schema = schema(surface, endpoint);
        let samples = Samples { schema: &schema };
        let bodies = samples.of(&schema, &mut Vec::new());
        let parameters = schema["properties"].as_object().expect("an object").len();
        assert!(bodies.len() >= parameters, "{endpoint:?}: {} bodies", bodies.len());
        for mut body in bodies {
            satisfy_the_rules(&schema, &mut body);
            let violation = if endpoint.is_multipart() {
                check_fields(surface, endpoint, MODEL, &as_form(&body))
            } else {
                check(surface, endpoint, MODEL, body.to_string().as_bytes())
            };
            assert_eq!(violation, None, "{surface:?} {endpoint:?}: {body}");
        }
    }
}

#[test]
fn an_unknown_parameter_is_refused_on_every_endpoint() {
    for (surface, endpoint) in everywhere() {
        for model in ["gpt-5", "gpt-4o", "gpt-3.5-turbo", "dall-e-3", "whisper-1", ""] {
            let mut body = smallest(surface, endpoint);
            body["zzz_unknown"] = json!(1);
            let violation = if endpoint.is_multipart() {
                check_fields(surface, endpoint, model, &as_form(&body))
            } else {
                check(surface, endpoint, model, body.to_string().as_bytes())
            };
            let violation =
                violation.unwrap_or_else(|| panic!("{surface:?} {endpoint:?} takes it"));
            assert_eq!(violation.pointer, "/zzz_unknown", "{surface:?} {endpoint:?}");
            assert!(violation.message.contains("zzz_unknown"), "{}", violation.message);
            // It is not known how the providers reply to a form with an unknown field.
            let strength =
                if endpoint.is_multipart() { Strength::Documented } else { Strength::Observed };
            assert_eq!(violation.strength, strength, "{surface:?} {endpoint:?}");
        }
    }
}

/// A body with only the required parameters.
fn smallest(surface: Surface, endpoint: Endpoint) -> Value {
    let schema = schema(surface, endpoint);
    Samples { schema: &schema }.simplest(&schema)
}

/// Adds the parameters that the rules require.
fn satisfy_the_rules(schema: &Value, body: &mut Value) {
    for rule in schema["x-rules"].as_array().expect("a list") {
        let param = rule["param"].as_str().expect("a name");
        if rule["kind"] != "requires" || body[param].is_null() {
            continue;
        }
        for (name, value) in rule["requires"].as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        for name in rule["requires_present"].as_array().into_iter().flatten() {
            let name = name.as_str().expect("a name");
            body[name] = Samples { schema }.simplest(&schema["properties"][name]);
        }
    }
}

/// Valid values for the nodes of a schema.
struct Samples<'a> {
    schema: &'a Value,
}

impl<'a> Samples<'a> {
    /// One value for each way to satisfy this node. `above` holds the names of the enclosing
    /// definitions. Within a recursive definition, only the simplest value is used.
    fn of(&self, node: &'a Value, above: &mut Vec<&'a str>) -> Vec<Value> {
        if let Some(reference) = node["$ref"].as_str() {
            if above.contains(&reference) {
                return vec![self.simplest(node)];
            }
            above.push(reference);
            let samples = self.of(self.definition(reference), above);
            above.pop();
            return samples;
        }
        if let Some(branches) = node["anyOf"].as_array() {
            return branches.iter().flat_map(|branch| self.of(branch, above)).collect();
        }
        if let Some(choices) = node["enum"].as_array() {
            return choices.clone();
        }
        let kinds = match &node["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().map_or_else(|| vec!["string"], |kind| vec![kind]),
        };
        kinds.into_iter().flat_map(|kind| self.of_kind(kind, node, above)).collect()
    }

    fn of_kind(&self, kind: &str, node: &'a Value, above: &mut Vec<&'a str>) -> Vec<Value> {
        match kind {
            "null" => vec![Value::Null],
            "boolean" => vec![json!(true), json!(false)],
            "integer" => limits(node, &[json!(1)]),
            "number" => limits(node, &[json!(1), json!(0.5)]),
            "string" => vec![json!("a")],
            "array" => self.arrays(node, above),
            "object" => self.objects(node, above),
            other => panic!("unknown type: {other}"),
        }
    }

    fn arrays(&self, node: &'a Value, above: &mut Vec<&'a str>) -> Vec<Value> {
        let least = if node["minItems"].is_null() { vec![json!([])] } else { vec![] };
        let items = match &node["items"] {
            Value::Null => vec![],
            items => self.of(items, above),
        };
        least.into_iter().chain(items.into_iter().map(|item| json!([item]))).collect()
    }

    fn objects(&self, node: &'a Value, above: &mut Vec<&'a str>) -> Vec<Value> {
        let least = self.least(node);
        let mut out = vec![Value::Object(least.clone())];
        for (name, member) in node["properties"].as_object().into_iter().flatten() {
            for value in self.of(member, above) {
                let mut object = least.clone();
                object.insert(name.clone(), value);
                out.push(Value::Object(object));
            }
        }
        if node["additionalProperties"].is_object() {
            for value in self.of(&node["additionalProperties"], above) {
                out.push(json!({"any name": value}));
            }
        }
        out
    }

    fn simplest(&self, node: &'a Value) -> Value {
        if let Some(reference) = node["$ref"].as_str() {
            return self.simplest(self.definition(reference));
        }
        if let Some(branches) = node["anyOf"].as_array() {
            return self.simplest(&branches[0]);
        }
        let kind = if node["type"].is_array() { &node["type"][0] } else { &node["type"] };
        match kind.as_str() {
            Some("object") if node["enum"].is_null() => Value::Object(self.least(node)),
            Some("array") if !node["minItems"].is_null() => json!([self.simplest(&node["items"])]),
            Some("array") => json!([]),
            _ => self.of(node, &mut Vec::new()).swap_remove(0),
        }
    }

    /// An object with only its required members.
    fn least(&self, node: &'a Value) -> Map<String, Value> {
        let required = node["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let member = |name: &str| self.simplest(&node["properties"][name]);
        required.map(|name| (name.to_owned(), member(name))).collect()
    }

    fn definition(&self, reference: &str) -> &'a Value {
        let pointer = reference.strip_prefix('#').expect("a reference within the file");
        self.schema.pointer(pointer).expect("the definition is there")
    }
}

/// The limits of the node, and those of `numbers` that are within the limits.
fn limits(node: &Value, numbers: &[Value]) -> Vec<Value> {
    let (least, most) = (&node["minimum"], &node["maximum"]);
    let within = |number: &&Value| {
        let number = number.as_f64().unwrap_or_default();
        least.as_f64().is_none_or(|least| number >= least)
            && most.as_f64().is_none_or(|most| number <= most)
    };
    let numbers = numbers.iter().filter(within);
    numbers.chain([least, most].into_iter().filter(|limit| !limit.is_null())).cloned().collect()
}
