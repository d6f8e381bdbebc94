//! How far apart two names are.

/// How many letters have to be changed, added or removed.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut costs: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut costs[0], row + 1);
        for (at, wanted) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *wanted);
            diagonal = costs[at + 1];
            costs[at + 1] = changed.min(costs[at] + 1).min(diagonal + 1);
        }
    }
    costs[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_changed_added_or_removed() {
        for (one, other, wanted) in
            [("azurecr", "azureacr", 1), ("v1.2", "v1.3", 1), ("v1", "v1", 0), ("", "ab", 2), ("acr", "car", 2)]
        {
            assert_eq!((distance(one, other), distance(other, one)), (wanted, wanted), "{one} {other}");
        }
    }
}
