//! The binary form in which `kubectl create` and `kubectl drain` send objects.
//!
//! It reads namespaces, secrets, config maps, service accounts, options of a deletion, and the parts of deployments that
//! `kubectl create deployment` fills. A body with anything else in it is refused as a media type that is not
//! accepted, rather than read in part. Answers are JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Media type of the form.
pub(super) const MEDIA: &str = "application/vnd.kubernetes.protobuf";
const MAGIC: &[u8] = b"k8s\0";

/// What a field of a message holds.
#[derive(Clone, Copy)]
enum Form {
    Text,
    List,
    Flag,
    Number,
    /// Texts by text.
    Texts,
    /// Bytes by text; JSON has them in base64.
    Blobs,
    Message(&'static [Field]),
    Messages(&'static [Field]),
}

/// Number, name and form of a field.
type Field = (u64, &'static str, Form);

const METADATA: &[Field] = &[
    (1, "name", Form::Text),
    (2, "generateName", Form::Text),
    (3, "namespace", Form::Text),
    (11, "labels", Form::Texts),
    (12, "annotations", Form::Texts),
];
const REFERENCE: &[Field] = &[(1, "name", Form::Text)];
const NAMESPACE: &[Field] = &[(1, "metadata", Form::Message(METADATA))];
const SECRET: &[Field] = &[
    (1, "metadata", Form::Message(METADATA)),
    (2, "data", Form::Blobs),
    (3, "type", Form::Text),
    (4, "stringData", Form::Texts),
    (5, "immutable", Form::Flag),
];
const CONFIG_MAP: &[Field] = &[
    (1, "metadata", Form::Message(METADATA)),
    (2, "data", Form::Texts),
    (3, "binaryData", Form::Blobs),
    (4, "immutable", Form::Flag),
];
const SERVICE_ACCOUNT: &[Field] = &[
    (1, "metadata", Form::Message(METADATA)),
    (3, "imagePullSecrets", Form::Messages(REFERENCE)),
    (4, "automountServiceAccountToken", Form::Flag),
];
const PRECONDITIONS: &[Field] = &[(1, "uid", Form::Text), (2, "resourceVersion", Form::Text)];
const DELETE_OPTIONS: &[Field] = &[
    (1, "gracePeriodSeconds", Form::Number),
    (2, "preconditions", Form::Message(PRECONDITIONS)),
    (4, "propagationPolicy", Form::Text),
    (5, "dryRun", Form::List),
];
const PORT: &[Field] = &[(1, "name", Form::Text), (3, "containerPort", Form::Number), (4, "protocol", Form::Text)];
const CONTAINER: &[Field] = &[
    (1, "name", Form::Text),
    (2, "image", Form::Text),
    (3, "command", Form::List),
    (4, "args", Form::List),
    (6, "ports", Form::Messages(PORT)),
    (14, "imagePullPolicy", Form::Text),
];
const POD: &[Field] = &[(2, "containers", Form::Messages(CONTAINER))];
const TEMPLATE: &[Field] = &[(1, "metadata", Form::Message(METADATA)), (2, "spec", Form::Message(POD))];
const SELECTOR: &[Field] = &[(1, "matchLabels", Form::Texts)];
const DEPLOYMENT_SPEC: &[Field] = &[
    (1, "replicas", Form::Number),
    (2, "selector", Form::Message(SELECTOR)),
    (3, "template", Form::Message(TEMPLATE)),
];
const DEPLOYMENT: &[Field] = &[(1, "metadata", Form::Message(METADATA)), (2, "spec", Form::Message(DEPLOYMENT_SPEC))];
const TYPE: &[Field] = &[(1, "apiVersion", Form::Text), (2, "kind", Form::Text)];
/// Fields of the envelope: what the object is, and the object.
const ENVELOPE: (u64, u64) = (1, 2);

/// The object in a body; `None` when it is broken or of a kind that is not read.
pub(super) fn object(body: &[u8]) -> Option<Value> {
    let envelope = parts(body.strip_prefix(MAGIC)?)?;
    let part = |wanted: u64| envelope.iter().find(|(number, _)| *number == wanted).map(|(_, part)| part);
    let (Some(Part::Bytes(types)), Some(Part::Bytes(raw))) = (part(ENVELOPE.0), part(ENVELOPE.1)) else {
        return None;
    };
    let types = message(types, TYPE)?;
    let fields = match types["kind"].as_str()? {
        "Namespace" => NAMESPACE,
        "Secret" => SECRET,
        "ConfigMap" => CONFIG_MAP,
        "ServiceAccount" => SERVICE_ACCOUNT,
        "Deployment" => DEPLOYMENT,
        "DeleteOptions" => DELETE_OPTIONS,
        _ => return None,
    };
    let mut object = message(raw, fields)?;
    object["apiVersion"] = types["apiVersion"].clone();
    object["kind"] = types["kind"].clone();
    Some(object)
}

enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Numbers and values of the fields of a message.
fn parts(mut rest: &[u8]) -> Option<Vec<(u64, Part<'_>)>> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let tag = number(&mut rest)?;
        let part = match tag & 7 {
            0 => Part::Number(number(&mut rest)?),
            2 => {
                let length = usize::try_from(number(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Part::Bytes(bytes)
            }
            _ => return None,
        };
        parts.push((tag >> 3, part));
    }
    Some(parts)
}

/// Whether a field says nothing: the binary form writes out many that were never set.
fn is_blank(part: &Part<'_>) -> bool {
    match part {
        Part::Number(number) => *number == 0,
        Part::Bytes([]) => true,
        Part::Bytes(bytes) => parts(bytes).is_some_and(|parts| parts.iter().all(|(_, part)| is_blank(part))),
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn message(bytes: &[u8], fields: &[Field]) -> Option<Value> {
    let mut object = Map::new();
    for (number, part) in parts(bytes)? {
        let Some((_, name, form)) = fields.iter().find(|(known, ..)| *known == number) else {
            if is_blank(&part) {
                continue;
            }
            return None;
        };
        match (form, part) {
            (Form::Flag, Part::Number(flag)) => {
                object.insert((*name).to_owned(), json!(flag != 0));
            }
            (Form::Number, Part::Number(number)) => {
                object.insert((*name).to_owned(), json!(number));
            }
            (Form::List, Part::Bytes(bytes)) => {
                let list = object.entry(*name).or_insert_with(|| json!([]));
                list.as_array_mut()?.push(json!(std::str::from_utf8(bytes).ok()?));
            }
            (Form::Text, Part::Bytes(bytes)) => {
                // An empty text is the binary form's way of leaving a field out.
                if !bytes.is_empty() {
                    object.insert((*name).to_owned(), json!(std::str::from_utf8(bytes).ok()?));
                }
            }
            (Form::Message(fields), Part::Bytes(bytes)) => {
                object.insert((*name).to_owned(), message(bytes, fields)?);
            }
            (Form::Messages(fields), Part::Bytes(bytes)) => {
                let list = object.entry(*name).or_insert_with(|| json!([]));
                list.as_array_mut()?.push(message(bytes, fields)?);
            }
            (Form::Texts | Form::Blobs, Part::Bytes(bytes)) => {
                let (key, value) = entry(bytes)?;
                let value = match form {
                    Form::Texts => std::str::from_utf8(value).ok()?.to_owned(),
                    _ => STANDARD.encode(value),
                };
                let map = object.entry(*name).or_insert_with(|| json!({}));
                map.as_object_mut()?.insert(key, json!(value));
            }
            _ => return None,
        }
    }
    Some(Value::Object(object))
}

/// Key and value of one entry of a map.
fn entry(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    for (number, part) in parts(bytes)? {
        match (number, part) {
            (1, Part::Bytes(bytes)) => key = bytes,
            (2, Part::Bytes(bytes)) => value = bytes,
            _ => return None,
        }
    }
    Some((String::from_utf8(key.to_vec()).ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).unwrap();
        [&[number << 3 | 2, length], bytes].concat()
    }

    fn envelope(kind: &str, raw: &[u8]) -> Vec<u8> {
        let types = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &types), field(2, raw)].concat()
    }

    #[test]
    fn a_secret_is_read_with_its_bytes_in_base64() {
        let metadata = [field(1, b"s"), field(3, b"")].concat();
        let data = [field(1, b"k"), field(2, &[0, 255])].concat();
        let raw = [field(1, &metadata), field(2, &data), field(3, b"Opaque"), vec![5 << 3, 1]].concat();
        let expected = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "AP8="},
            "type": "Opaque", "immutable": true});
        assert_eq!(object(&envelope("Secret", &raw)), Some(expected));
    }

    #[test]
    fn other_kinds_and_broken_bodies_are_not_read() {
        assert_eq!(object(&envelope("Ingress", &[])), None);
        assert_eq!(object(&envelope("Secret", &field(1, b"\x0a\x09"))), None);
        assert_eq!(object(b"{}"), None);
    }

    #[test]
    fn what_is_never_set_is_passed_over_and_what_is_unknown_refused() {
        let blank = [field(1, b""), vec![2 << 3, 0]].concat();
        let metadata = field(1, &field(1, b"n"));
        let read = object(&envelope("Namespace", &[metadata.clone(), field(2, &blank)].concat()));
        assert_eq!(read, Some(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})));
        assert_eq!(object(&envelope("Namespace", &[metadata, field(2, &field(1, b"x"))].concat())), None);
    }

    #[test]
    fn options_of_a_deletion_are_read() {
        let raw = [vec![1 << 3, 30], field(4, b"Orphan")].concat();
        let read = object(&envelope("DeleteOptions", &raw)).unwrap();
        assert_eq!((&read["gracePeriodSeconds"], &read["propagationPolicy"]), (&json!(30), &json!("Orphan")));
    }
}
