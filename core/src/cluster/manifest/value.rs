//! From nodes to values, as `sigs.k8s.io/yaml` converts them to JSON: aliases, merges, keys that are not text.

use super::{
    number,
    scalar::Scalar,
    tree::{Fault, Kind, Node, Tree},
};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The maximum nesting depth. Kubernetes' own schemas stay far below.
pub(super) const DEEPEST: usize = 250;
pub(super) const TOO_DEEP: &str = "nested too deeply";
const TWICE: &str = "a key occurs twice in a mapping";
const REPEATED: &str = "aliases expand to too much data";
const NOT_MERGED: &str = "<< can merge mappings only";
const NO_JSON: &str = ".inf and .nan cannot be represented in JSON";
/// How many bytes of text aliases may repeat. Kubernetes accepts bodies of 3 MiB.
const MOST_REPEATED: usize = 16 << 20;

/// The value of a document; an empty one is null.
pub(super) fn value(tree: &Tree) -> Result<Value, Fault> {
    let Some(root) = tree.root else { return Ok(Value::Null) };
    Reader { tree, nodes: 0, repeated: 0, repeated_bytes: 0, open: Vec::new() }.value(root, DEEPEST)
}

/// A key as text.
pub(super) fn key(tree: &Tree, index: usize) -> Result<String, Fault> {
    let node = found(tree, index)?;
    match &node.kind {
        Kind::Alias(of) => match found(tree, *of)? {
            Node { kind: Kind::Scalar(_) | Kind::Value(_), .. } => key(tree, *of),
            _ => Err(Fault::new("a list or mapping cannot be a key", node.at)),
        },
        Kind::Value(Value::String(key)) => Ok(key.clone()),
        Kind::Scalar(written) => match written.resolve().map_err(|why| Fault::new(why, node.at))? {
            Scalar::Text(key) => Ok(key),
            Scalar::Bool(key) => Ok(key.to_string()),
            Scalar::Int(key) => Ok(key.to_string()),
            Scalar::Float(key) => Ok(number::float_key(key)),
            Scalar::Null => Err(Fault::new("null cannot be a key", node.at)),
            Scalar::Large(_) => Err(Fault::new("an integer above 9223372036854775807 cannot be a key", node.at)),
        },
        _ => Err(Fault::new("a list or mapping cannot be a key", node.at)),
    }
}

fn found(tree: &Tree, index: usize) -> Result<&Node, Fault> {
    tree.node(index).ok_or(Fault::new("a node is missing", 0))
}

struct Reader<'a> {
    tree: &'a Tree,
    nodes: usize,
    /// Those of the nodes that an alias repeats.
    repeated: usize,
    repeated_bytes: usize,
    /// The nodes repeated by the aliases that are being read.
    open: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, index: usize, depth: usize) -> Result<Value, Fault> {
        let node = self.enter(index)?;
        let at = node.at;
        let deeper = depth.checked_sub(1).ok_or(Fault::new(TOO_DEEP, at))?;
        match &node.kind {
            Kind::Alias(of) => self.repeating(*of, at, |reader| reader.value(*of, deeper)),
            Kind::Value(value) => Ok(value.clone()),
            Kind::Scalar(written) => {
                let resolved = written.resolve().map_err(|why| Fault::new(why, at))?;
                self.count(written.text.len(), at)?;
                match resolved {
                    Scalar::Null => Ok(Value::Null),
                    Scalar::Bool(value) => Ok(Value::Bool(value)),
                    Scalar::Int(value) => Ok(Value::from(value)),
                    Scalar::Text(value) => Ok(Value::String(value)),
                    Scalar::Large(value) => number::large_value(value).ok_or(Fault::new(NO_JSON, at)),
                    Scalar::Float(value) => number::float_value(value).ok_or(Fault::new(NO_JSON, at)),
                }
            }
            Kind::List(items) => items.iter().map(|item| self.value(*item, deeper)).collect(),
            Kind::Map(pairs) => {
                let mut map = Map::new();
                self.fill(pairs, &mut map, deeper)?;
                Ok(Value::Object(map))
            }
        }
    }

    /// Adds the pairs of a mapping, in their order: what a merge adds later takes the place of an earlier key, as in kubectl.
    /// Only the mapping's own keys must be unique.
    fn fill(&mut self, pairs: &'a [(usize, usize)], map: &mut Map<String, Value>, depth: usize) -> Result<(), Fault> {
        let mut own = HashSet::new();
        for (name, index) in pairs {
            let node = self.enter(*name)?;
            if matches!(&node.kind, Kind::Scalar(written) if written.is_merge()) {
                self.merge(*index, map, depth)?;
                continue;
            }
            let name = key(self.tree, *name)?;
            self.count(name.len(), node.at)?;
            if !own.insert(name.clone()) {
                return Err(Fault::new(TWICE, node.at));
            }
            let value = self.value(*index, depth)?;
            map.insert(name, value);
        }
        Ok(())
    }

    /// Adds what `<<` names: a mapping, or a list of mappings, of which the first takes precedence.
    fn merge(&mut self, index: usize, map: &mut Map<String, Value>, depth: usize) -> Result<(), Fault> {
        match &found(self.tree, index)?.kind {
            Kind::List(items) => items.iter().rev().try_for_each(|item| self.merge_one(*item, map, depth)),
            _ => self.merge_one(index, map, depth),
        }
    }

    fn merge_one(&mut self, index: usize, map: &mut Map<String, Value>, depth: usize) -> Result<(), Fault> {
        let node = self.enter(index)?;
        let at = node.at;
        let deeper = depth.checked_sub(1).ok_or(Fault::new(TOO_DEEP, at))?;
        match &node.kind {
            Kind::Map(pairs) => self.fill(pairs, map, deeper),
            Kind::Alias(of) => match &found(self.tree, *of)?.kind {
                Kind::Map(pairs) => self.repeating(*of, at, |reader| {
                    reader.enter(*of)?;
                    reader.fill(pairs, map, deeper)
                }),
                _ => Err(Fault::new(NOT_MERGED, at)),
            },
            _ => Err(Fault::new(NOT_MERGED, at)),
        }
    }

    fn repeating<T>(
        &mut self,
        of: usize,
        at: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.open.contains(&of) {
            return Err(Fault::new("an alias refers to a value that contains it", at));
        }
        self.open.push(of);
        let done = read(self);
        self.open.pop();
        done
    }

    /// Counts a node. The limit on nodes repeated by aliases is goyaml's: 99 of 100 nodes, fewer in large documents.
    fn enter(&mut self, index: usize) -> Result<&'a Node, Fault> {
        let node = found(self.tree, index)?;
        self.nodes += 1;
        self.repeated += usize::from(!self.open.is_empty());
        let per_hundred = match self.nodes {
            0..=400_000 => 99,
            400_001..4_000_000 => 99 - 89 * (self.nodes - 400_000) / 3_600_000,
            _ => 10,
        };
        if self.repeated > 100 && self.nodes > 1000 && self.repeated * 100 > self.nodes * per_hundred {
            return Err(Fault::new(REPEATED, node.at));
        }
        Ok(node)
    }

    fn count(&mut self, bytes: usize, at: usize) -> Result<(), Fault> {
        if !self.open.is_empty() {
            self.repeated_bytes += bytes;
        }
        if self.repeated_bytes > MOST_REPEATED { Err(Fault::new(REPEATED, at)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Result<Value, &'static str> {
        yaml::read(text).and_then(|tree| value(&tree)).map_err(|fault| fault.why)
    }

    #[test]
    fn aliases_are_bounded() {
        let line = |(from, to)| format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 10].join(","));
        let lines: String = ('a'..='h').zip('b'..='i').map(line).collect();
        let bomb = format!("a: &a [x,x,x,x,x,x,x,x,x,x]\n{lines}");
        assert_eq!(read(&bomb), Err(REPEATED));
        let large = format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), vec!["*a"; 20].join(","));
        assert_eq!(read(&large), Err(REPEATED));
        assert!(read("a: &a [*a]").is_err() && read("a: &a {<<: *a}").is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        for (open, close) in [("[", "]"), ("{a: ", "}")] {
            assert!(read(&format!("{}{}", open.repeat(240), close.repeat(240))).is_ok());
            assert!(read(&format!("{}{}", open.repeat(100_000), close.repeat(100_000))).is_err());
        }
        assert!(read(&"- ".repeat(100_000)).is_err());
    }

    /// In goyaml v2, a merge is one more write to the mapping.
    #[test]
    fn a_merge_takes_the_place_of_earlier_keys_and_gives_way_to_later_ones() {
        let found = read("m: &m {a: 1, b: 2}\nw: {a: 3, <<: *m, b: 4}").unwrap();
        assert_eq!(found["w"], json!({"a": 1, "b": 4}));
        assert_eq!(read("a: {<<: [{b: 1}, {b: 2, c: 3}]}").unwrap(), json!({"a": {"b": 1, "c": 3}}));
        assert_eq!(read("a: {<<: b}"), Err(NOT_MERGED));
    }

    #[test]
    fn a_key_occurs_once_in_whatever_way_it_is_written() {
        for text in ["a: 1\na: 2", "yes: 1\n'true': 2", "0x10: 1\n16: 2", "1.0: 1\n1: 2"] {
            assert_eq!(read(text), Err(TWICE), "{text}");
        }
    }

    #[test]
    fn what_json_does_not_have_is_no_null() {
        for number in [".inf", "-.inf", ".nan"] {
            assert_eq!(read(&format!("a: {number}")), Err(NO_JSON));
        }
        assert_eq!(read("a: 1e999"), Ok(json!({"a": "1e999"})));
    }
}
