//! What serde says of a wrong value, in JavaScript's words.

/// A complaint as a caller in JavaScript knows its types; one that is written for people already stays as it is. Of a text only that it is
/// one: it may be a secret.
pub fn of_javascript(complaint: &str) -> String {
    let wrong = complaint.strip_prefix("invalid type: ").or_else(|| complaint.strip_prefix("invalid value: "));
    // From its end: what was found may be a text with anything in it.
    if let Some((found, wanted)) = wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) {
        let wanted = wanted_word(wanted);
        return format!("wanted {wanted}, not {}", found_word(found, wanted.contains("number")));
    }
    // The rest is napi's own: what has no form as data, and what is no word of a list of words.
    if let Some(of) =
        complaint.strip_prefix("typeof ").and_then(|of| of.strip_suffix(" value could not be deserialized"))
    {
        return format!("wanted data, not a {}", of.to_lowercase());
    }
    if let Some(of) = complaint.strip_suffix(" type could not deserialize to Enum type") {
        let article = if matches!(of, "Null" | "Undefined") { "" } else { "a " };
        return format!("wanted a string, not {article}{}", of.to_lowercase());
    }
    if complaint.starts_with("object key length") {
        return "wanted a string, not an object".to_owned();
    }
    complaint.to_owned()
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
