//! Resource IDs in texts.

/// What a part of a resource ID is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A word of every ID, such as `resourceGroups`.
    Azure,
    /// The name of a resource provider, such as `Microsoft.ContainerRegistry`.
    Provider,
    /// The name of a type, such as `registries`.
    Type,
    /// A name, with the kind of its pseudonym.
    Name(&'static str),
    /// Anything else, such as the ID of a subscription.
    Other,
}

/// How long a resource ID is that begins here. The last name ends where a text goes on.
pub(super) fn length(text: &str) -> Option<usize> {
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if !begins("/subscriptions/") && !begins("/providers/microsoft.management/managementgroups/") {
        return None;
    }
    let ends = |letter: char| letter.is_whitespace() || "\"'`,;<>".contains(letter);
    let id = &text[..text.find(ends).unwrap_or(text.len())];
    Some(id.trim_end_matches([')', '.', ':', ']']).len())
}

/// The parts between the slashes of a resource ID.
pub(super) fn parts(id: &str) -> Vec<(&str, Part)> {
    let mut parts = Vec::new();
    let mut next = None;
    let mut is_behind_provider = false;
    for part in id.split('/') {
        let lower = part.to_ascii_lowercase();
        let this = next.take().unwrap_or(match lower.as_str() {
            "" | "subscriptions" | "resourcegroups" | "providers" => Part::Azure,
            _ if is_behind_provider => Part::Type,
            _ => Part::Name("resource"),
        });
        next = match (this, lower.as_str()) {
            (Part::Azure, "subscriptions") => Some(Part::Other),
            (Part::Azure, "resourcegroups") => Some(Part::Name("group")),
            (Part::Azure, "providers") => {
                is_behind_provider = true;
                Some(Part::Provider)
            }
            (Part::Type, "managedclusters") => Some(Part::Name("cluster")),
            (Part::Type, "registries") => Some(Part::Name("registry")),
            (Part::Type, _) => Some(Part::Name("resource")),
            _ => None,
        };
        parts.push((part, this));
    }
    parts
}
