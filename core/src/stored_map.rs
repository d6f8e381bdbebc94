//! Maps in stored results: lists of pairs. Every key of a stored form is a field of ours, so that no name of a user stands where a name is not
//! looked for.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Writes a map.
pub(crate) fn serialize<K: Serialize, T: Serialize, S: Serializer>(
    map: &BTreeMap<K, T>,
    into: S,
) -> Result<S::Ok, S::Error> {
    into.collect_seq(map)
}

/// Reads a map.
pub(crate) fn deserialize<'de, K: Deserialize<'de> + Ord, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<K, T>, D::Error> {
    Ok(Vec::<(K, T)>::deserialize(from)?.into_iter().collect())
}
