//! Formats values from a request as the providers print them.

use serde_json::Value as Json;

use crate::body::Value;

/// The order in which chat errors list the roles. Other discriminators are listed alphabetically,
/// as <https://github.com/langfuse/langfuse/issues/17166> shows for item types.
const CHAT_ROLES: [&str; 6] = ["system", "assistant", "user", "function", "tool", "developer"];

/// The allowed values except null, in the provider's order.
pub(super) fn printed(choices: &[&Json]) -> Vec<String> {
    let mut texts: Vec<_> = choices.iter().filter(|choice| !choice.is_null()).collect();
    let role = |choice: &Json| CHAT_ROLES.iter().position(|role| choice == role);
    if texts.len() == CHAT_ROLES.len() && texts.iter().all(|choice| role(choice).is_some()) {
        texts.sort_by_key(|choice| role(choice));
    }
    texts
        .into_iter()
        .map(|choice| {
            choice.as_str().map_or_else(|| choice.to_string(), |text| format!("'{text}'"))
        })
        .collect()
}

/// A value as Python prints it, which is how some messages contain it.
pub(super) fn python(value: &Value<'_>) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(text) => (*text).to_owned(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => {
            let members = object.members.iter();
            let members: Vec<_> =
                members.map(|(key, value)| format!("'{key}': {}", python(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::File => "<file>".to_owned(),
    }
}

/// A string in quotes, as the provider prints values. A string longer than `limit` characters is
/// shortened.
pub(super) fn quoted(text: &str, limit: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= limit.max(6) {
        return format!("'{text}'");
    }
    let ends = |part: &[char]| part.iter().collect::<String>();
    format!("'{}...{}'", ends(&chars[..3]), ends(&chars[chars.len() - 3..]))
}

/// The items as an English list: `a`, `a or b`, `a, b, or c`.
pub(super) fn list(items: &[String], conjunction: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first, second] => format!("{first} {conjunction} {second}"),
        [rest @ .., last] => format!("{}, {conjunction} {last}", rest.join(", ")),
    }
}
