//! The memory that a JSON text needs once it is parsed. Six bytes, `{"":0}`, become a map of 632: a limit on bytes alone is not enough.

use serde::{
    Deserializer, Serialize,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use std::{cell::Cell, fmt, io};

/// Per item of a list or a map: the value, and as much again for the list's growth.
const ITEM: usize = 64;
/// A key's text, and its share of the map.
const ENTRY: usize = 96;
/// Maps reserve room for eleven entries. An empty one has none, but may stand for a struct of ours that has all its fields.
const MAP: usize = 640;
const EMPTY_MAP: usize = 256;
/// Lists reserve room for four items.
const LIST: usize = 128;
/// The overhead of an allocation.
const TEXT: usize = 32;

/// Whether the parsed text needs at most this much memory. Nothing of it is kept meanwhile. If the text is not JSON, its parser
/// reports that.
pub(super) fn is_within(json: &[u8], most: usize) -> bool {
    let left = Cell::new(Some(most));
    let mut reader = serde_json::Deserializer::from_slice(json);
    // What goes wrong besides is for the reader to say.
    let _ = Scale(&left).deserialize(&mut reader);
    left.get().is_some()
}

/// The approximate memory of a kept value. Each text in it has two quotes when it is written.
pub(crate) fn of(kept: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            let weight = |byte: &u8| if *byte == b'"' { 1 + TEXT / 2 } else { 1 };
            self.0 += part.iter().map(weight).sum::<usize>();
            Ok(part.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What cannot be written counts by the part that could.
    let _ = serde_json::to_writer(&mut count, kept);
    count.0
}

/// The approximate memory of a part of streamed text.
#[cfg(feature = "kubernetes")]
pub(crate) fn of_part(json: &[u8]) -> usize {
    let each = |byte: &u8| match byte {
        b'{' => MAP,
        b'[' => LIST,
        b',' => ENTRY,
        _ => 1,
    };
    json.iter().map(each).sum()
}

/// The rest of a limit; `None` once it is exceeded.
#[derive(Clone, Copy)]
struct Scale<'a>(&'a Cell<Option<usize>>);

impl Scale<'_> {
    fn take<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().and_then(|left| left.checked_sub(bytes));
        self.0.set(left);
        left.map(|_| ()).ok_or_else(|| E::custom("too heavy"))
    }
}

impl<'de> DeserializeSeed<'de> for Scale<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scale<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.take(TEXT + text.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.take(LIST)?;
        while items.next_element_seed(self)?.is_some() {
            self.take(ITEM)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.take(EMPTY_MAP)?;
        let mut is_empty = true;
        while entries.next_key_seed(self)?.is_some() {
            self.take(if is_empty { MAP - EMPTY_MAP } else { ENTRY })?;
            is_empty = false;
            entries.next_value_seed(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest limit that the text stays within.
    fn weight(json: &str) -> usize {
        let (mut too_little, mut enough) = (0, 1 << 20);
        while enough - too_little > 1 {
            let most = usize::midpoint(too_little, enough);
            *(if is_within(json.as_bytes(), most) { &mut enough } else { &mut too_little }) = most;
        }
        enough
    }

    #[test]
    fn what_is_small_as_text_and_big_in_memory_is_heavy() {
        assert!(weight("{\"\":0}") >= 632, "a leaf of a map");
        assert!(weight("[0]") >= 4 * 32, "four values");
        assert!(weight("[[0],[0]]") >= 2 * 4 * 32);
        assert!(weight(&format!("\"{}\"", "x".repeat(1000))) >= 1000);
        assert!(weight(&format!("[{}0]", "0,".repeat(999))) >= 1000 * 32);
        assert!(weight("{\"a\":{\"b\":{\"c\":0}}}") >= 3 * 632);
    }

    #[test]
    fn invalid_json_is_left_to_the_parser() {
        for text in ["", "{", "<html>", "[1,", "\u{feff}{}"] {
            assert!(is_within(text.as_bytes(), 1000), "{text}");
        }
        assert!(!is_within(b"[[0],[0],[0],[0],[0],[0],[0],[0]", 1000), "it was too much before that");
        assert!(is_within("[".repeat(1000).as_bytes(), 1 << 20), "the reader goes no deeper than 128");
    }

    #[test]
    fn what_is_kept_counts_with_its_texts() {
        let texts = vec![String::new(); 100];
        assert!(of(&texts) >= 100 * 24);
        assert!(of(&"x".repeat(1000)) >= 1000);
    }
}
