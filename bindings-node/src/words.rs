//! What serde says of a wrong value, in JavaScript's words.

use crate::operations::{OPTIONS, TIMES};

/// A complaint as a caller in JavaScript knows its types; one that is written for people already stays as it is. Of a text only that it is
/// one: it may be a secret.
pub fn of_javascript(complaint: &str) -> String {
    if let Some(rest) = complaint.strip_prefix("unknown field ") {
        return format!("unknown option {rest}");
    }
    let wrong = complaint.strip_prefix("invalid type: ").or_else(|| complaint.strip_prefix("invalid value: "));
    // From its end: what was found may be a text with anything in it.
    if let Some((found, wanted)) = wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) {
        let wanted = wanted_word(wanted);
        return format!("must be {wanted}, not {}", found_word(found, wanted.contains("number")));
    }
    // The rest are napi's own errors: a value that has no form as data, and an invalid word for a list of words.
    if let Some(of) =
        complaint.strip_prefix("typeof ").and_then(|of| of.strip_suffix(" value could not be deserialized"))
    {
        return format!("must be data, not a {}", of.to_lowercase());
    }
    if let Some(of) = complaint.strip_suffix(" type could not deserialize to Enum type") {
        let article = if matches!(of, "Null" | "Undefined") { "" } else { "a " };
        return format!("must be a string, not {article}{}", of.to_lowercase());
    }
    if complaint.starts_with("object key length") {
        return "must be a string, not an object".to_owned();
    }
    complaint.to_owned()
}

/// The list of known names, with those that are not read by serde.
pub fn with_others(complaint: String, others: &str) -> String {
    if !complaint.starts_with("unknown option ") {
        return complaint;
    }
    let Some((unknown, known)) = complaint.split_once(", expected ") else { return complaint };
    // Two are named as `a` or `b`, and more as one of a list.
    let known = known.trim_start_matches("one of ").replace("` or `", "`, `");
    format!("{unknown}, expected one of {known}, {others}")
}

/// Settings of the client and options of every call whose names have several words.
const SETTINGS: [&str; 3] = ["on_progress", "on_write", "read_only"];

/// A text of core's with the options that it names written as Node has them: those of several words wherever they stand as a word, and
/// those of one in backticks.
pub fn with_names_of_node(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|letter| !is_part(letter)).unwrap_or(from.len()));
        let is_quoted = before.ends_with('`') && after.starts_with('`');
        // A part of a path, an address or a field is no option.
        let stands_alone = !before.ends_with(['/', '.', '-', '$', '"']) && !after.starts_with(['/', '=', '"']);
        out.push_str(before);
        if ((OPTIONS.contains(&word) || SETTINGS.contains(&word)) && stands_alone)
            || (is_quoted && TIMES.contains(&word))
        {
            out.push_str(&node_name(word));
        } else {
            out.push_str(word);
        }
        rest = after;
    }
    out + rest
}

fn node_name(option: &str) -> String {
    let mut parts = option.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    let name = parts.fold(first, |name, part| {
        let (head, tail) = part.split_at(part.len().min(1));
        name + &head.to_uppercase() + tail
    });
    if TIMES.contains(&option) { name + "Ms" } else { name }
}

fn wanted_word(wanted: &str) -> &str {
    match wanted {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0",
        "path string" | "variant identifier" | "field identifier" => "a string",
        "a sequence" => "an array",
        "a map" => "an object",
        _ if wanted.starts_with("struct ") || wanted.contains("enum ") => "an object",
        _ => wanted,
    }
}

fn found_word(found: &str, is_number_told: bool) -> String {
    let (kind, value) = found.split_once(" `").unwrap_or((found, ""));
    let value = match value.trim_end_matches('`') {
        "inf" => "Infinity",
        "-inf" => "-Infinity",
        value => value,
    };
    match kind {
        "integer" | "floating point" if is_number_told => value.to_owned(),
        "integer" | "floating point" => "a number".to_owned(),
        "boolean" => "a boolean".to_owned(),
        "map" => "an object".to_owned(),
        "sequence" => "an array".to_owned(),
        "byte array" => "bytes".to_owned(),
        "unit value" | "null" | "Option value" => "null or undefined".to_owned(),
        _ if kind.starts_with("string ") => "a string".to_owned(),
        _ => found.to_owned(),
    }
}
