//! The items of a list, one by one: a whole page would need many times its length in memory.

use super::read_body::TooLarge;
use crate::error::Result;
use serde::{
    Deserializer as _,
    de::{SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use std::fmt;

/// Gives each item of a page to `take`, which can end the list with an error. `null` is an empty list. `odd` creates the error for
/// anything else that is not a list.
pub(crate) fn each_item(
    list: &RawValue,
    step: &str,
    odd: impl Fn(serde_json::Error) -> crate::error::Error,
    mut take: impl FnMut(Value) -> Result<()>,
) -> Result<()> {
    struct Items<F>(F);
    impl<'de, F: FnMut(&'de RawValue) -> bool> Visitor<'de> for Items<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_unit<E>(self) -> std::result::Result<(), E> {
            Ok(())
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> std::result::Result<(), A::Error> {
            while let Some(item) = items.next_element()? {
                if !(self.0)(item) {
                    break;
                }
            }
            Ok(())
        }
    }
    let mut taken = Ok(());
    let one = |item: &RawValue| {
        let read = || {
            TooLarge::check_item(item.get().as_bytes()).map_err(|err| err.error(step))?;
            take(serde_json::from_str(item.get()).map_err(&odd)?)
        };
        taken = { read }();
        taken.is_ok()
    };
    let read = serde_json::Deserializer::from_str(list.get()).deserialize_any(Items(one));
    // If an item ended the list, the parser misses the rest.
    taken.and(read.map_err(&odd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};

    fn read(list: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let odd = |_| Error::new(ErrorKind::Unexpected, "no list");
        let take = |item: Value| {
            if item == 13 {
                return Err(Error::new(ErrorKind::Conflict, "enough"));
            }
            items.push(item);
            Ok(())
        };
        each_item(&RawValue::from_string(list.to_owned()).unwrap(), "testing", odd, take).map(|()| items)
    }

    #[test]
    fn a_list_is_read_item_by_item() {
        assert_eq!(read("[1, {\"a\": []}, null]").unwrap().len(), 3);
        assert_eq!(read("null").unwrap().len() + read("[]").unwrap().len(), 0);
        for none in ["{}", "\"text\"", "5", "true"] {
            assert_eq!(read(none).unwrap_err().to_string(), "no list", "{none}");
        }
        assert_eq!(read("[1, 13, 2]").unwrap_err().kind(), ErrorKind::Conflict);
        let heavy = format!("[[{}0]]", "0,".repeat(1 << 17));
        assert!(read(&heavy).unwrap_err().to_string().contains("the limit for an item of a list"));
    }
}
