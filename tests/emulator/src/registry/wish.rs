//! What a path of the distribution protocol asks for.

/// What is asked for, or to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Base,
    Catalog,
    Manifest {
        repository: String,
        reference: String,
    },
    Blob {
        repository: String,
        digest: String,
    },
    Tags {
        repository: String,
    },
    /// What refers to a manifest: signatures, bills of material.
    Referrers {
        repository: String,
        digest: String,
    },
    /// An upload of a blob, or the start of one when it has no id yet.
    Upload {
        repository: String,
        id: String,
    },
}

impl Wish {
    /// The repository it is about, where it is about one.
    pub(super) fn repository(&self) -> Option<&str> {
        match self {
            Self::Base | Self::Catalog => None,
            Self::Manifest { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Tags { repository }
            | Self::Referrers { repository, .. }
            | Self::Upload { repository, .. } => Some(repository),
        }
    }
}

/// Reads a path below `/v2/`.
pub(super) fn wish(path: &str) -> Option<Wish> {
    let path = crate::arm::decoded(path);
    let rest = path.strip_prefix("/v2")?.trim_start_matches('/');
    match rest {
        "" => return Some(Wish::Base),
        "_catalog" => return Some(Wish::Catalog),
        _ => {}
    }
    if let Some(repository) = rest.strip_suffix("/tags/list") {
        return Some(Wish::Tags { repository: repository.to_owned() });
    }
    if let Some((repository, id)) = rest.rsplit_once("/blobs/uploads") {
        let (repository, id) = (repository.to_owned(), id.trim_matches('/').to_owned());
        return Some(Wish::Upload { repository, id });
    }
    if let Some((repository, reference)) = rest.rsplit_once("/manifests/") {
        return Some(Wish::Manifest { repository: repository.to_owned(), reference: reference.to_owned() });
    }
    if let Some((repository, digest)) = rest.rsplit_once("/referrers/") {
        return Some(Wish::Referrers { repository: repository.to_owned(), digest: digest.to_owned() });
    }
    let (repository, digest) = rest.rsplit_once("/blobs/")?;
    Some(Wish::Blob { repository: repository.to_owned(), digest: digest.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_may_have_folders() {
        let manifest = Wish::Manifest { repository: "library/nginx".into(), reference: "latest".into() };
        assert_eq!(wish("/v2/library/nginx/manifests/latest"), Some(manifest));
        assert_eq!(wish("/v2/"), Some(Wish::Base));
        assert_eq!(wish("/v2/a/b/tags/list"), Some(Wish::Tags { repository: "a/b".into() }));
        assert_eq!(wish("/v2/a"), None);
    }

    #[test]
    fn an_upload_has_no_id_until_it_has_begun() {
        let upload = |id: &str| Some(Wish::Upload { repository: "a/b".into(), id: id.into() });
        assert_eq!(wish("/v2/a/b/blobs/uploads/"), upload(""));
        assert_eq!(wish("/v2/a/b/blobs/uploads/1"), upload("1"));
        let blob = Wish::Blob { repository: "a".into(), digest: "sha256:0".into() };
        assert_eq!(wish("/v2/a/blobs/sha256%3A0"), Some(blob));
    }
}
