//! The names of an imported image.

use super::ImportOptions;
use crate::{
    cloud::Cloud,
    error::{Error, Result},
    image::{Digest, ImageReference},
};

/// Placeholder for the target registry until its login server is known.
const UNKNOWN: &str = "target.invalid";

/// The names, checked before anything is sent.
#[derive(Debug)]
pub(super) struct Targets {
    pub tagged: Vec<ImageReference>,
    pub untagged: Vec<String>,
}

impl Targets {
    pub fn read(source: &ImageReference, options: &ImportOptions) -> Result<Self> {
        let mut untagged: Vec<String> = Vec::new();
        for repository in &options.untagged_repositories {
            let repository = repository_of(repository)?;
            if !untagged.contains(&repository) {
                untagged.push(repository);
            }
        }
        let mut tagged: Vec<ImageReference> = Vec::new();
        for text in options.target.iter().chain(&options.additional_tags) {
            let name = name_of(text)?;
            if !tagged.contains(&name) {
                tagged.push(name);
            }
        }
        if tagged.is_empty() && untagged.is_empty() {
            let message = "an image with a digest and no tag requires a target with a tag";
            tagged.push(source.tagged().ok_or_else(|| Error::invalid(message, "image", source.to_string()))?);
        }
        Ok(Self { tagged, untagged })
    }

    /// Rejects names that begin with a registry: they are names within the target registry.
    pub fn check_without_registry(&self, cloud: &Cloud) -> Result<()> {
        let with_registry = |place: &String| place.split_once('/').is_some_and(|(host, _)| cloud.has_registry(host));
        match self.places().find(with_registry) {
            Some(place) => Err(Error::invalid("expected repository:tag, without a registry", "target", place)),
            None => Ok(()),
        }
    }

    /// Each name in a canonical form, which is equal for names of the same target.
    pub fn places(&self) -> impl Iterator<Item = String> {
        let tagged = self.tagged.iter().map(|name| format!("{}:{}", name.repository(), name.manifest()));
        tagged.chain(self.untagged.iter().cloned())
    }

    /// The names with a tag in a registry.
    pub fn tagged_in(&self, login_server: &str) -> Vec<ImageReference> {
        self.tagged.iter().map(|name| name.in_registry(login_server)).collect()
    }

    /// The names in a registry; those without a tag, which come last, need the image's digest.
    pub fn in_registry(&self, login_server: &str, digest: Option<&Digest>) -> Result<Vec<ImageReference>> {
        let mut all = self.tagged_in(login_server);
        for repository in &self.untagged {
            let message = "an import without a tag requires a source with a digest, or one that can be read";
            let digest = digest.ok_or_else(|| Error::invalid(message, "untagged_repositories", repository.clone()))?;
            all.push(ImageReference::parse(&format!("{login_server}/{repository}@{digest}"))?);
        }
        Ok(all)
    }
}

fn name_of(text: &str) -> Result<ImageReference> {
    let wanted = || Error::invalid("expected repository:tag, in lower case and without a registry", "target", text);
    let named = ImageReference::parse(&format!("{UNKNOWN}/{text}")).map_err(|_| wanted())?;
    if named.digest().is_some() || !text.contains(':') {
        return Err(wanted());
    }
    Ok(named)
}

fn repository_of(text: &str) -> Result<String> {
    let wanted = || {
        let text_of = "expected a repository, in lower case and without a registry and a tag";
        Error::invalid(text_of, "untagged_repositories", text)
    };
    if text.contains([':', '@']) {
        return Err(wanted());
    }
    let named = ImageReference::parse(&format!("{UNKNOWN}/{text}")).map_err(|_| wanted())?;
    Ok(named.repository().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn read(source: &str, options: &ImportOptions) -> Result<Vec<String>> {
        Ok(Targets::read(&source.parse()?, options)?.places().collect())
    }

    #[test]
    fn a_target_needs_a_repository_and_a_tag() {
        for wrong in ["", "nginx", "Nginx:v1", "nginx:", "a b:1", "host/../x:1", "nginx@sha256:00"] {
            let err = read("nginx", &ImportOptions::default().with_target(wrong)).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidInput, "{wrong}");
        }
        assert_eq!(read("nginx", &ImportOptions::default().with_target("team/app:v1")).unwrap(), ["team/app:v1"]);
        assert_eq!(read("nginx", &ImportOptions::default()).unwrap(), ["library/nginx:latest"]);
    }

    #[test]
    fn a_source_with_a_digest_alone_needs_a_target() {
        let source = format!("ghcr.io/a/b@sha256:{}", "0".repeat(64));
        assert_eq!(read(&source, &ImportOptions::default()).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(read(&source, &ImportOptions::default().with_untagged_repository("a/b")).unwrap(), ["a/b"]);
    }

    #[test]
    fn a_target_does_not_name_a_registry() {
        for (wrong, cloud) in [
            ("myregistry.azurecr.io/app:v1", Cloud::default()),
            ("MyRegistry-e5f2.azurecr.io/team/app:v1", Cloud::default()),
            ("myregistry.azurecr.cn/app:v1", Cloud::china()),
        ] {
            let options = ImportOptions::default().with_additional_tag(wrong.to_ascii_lowercase());
            let targets = Targets::read(&"nginx".parse().unwrap(), &options).unwrap();
            let err = targets.check_without_registry(&cloud).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidInput, "{wrong}");
        }
        // Any other name with dots is a repository.
        let options = ImportOptions::default().with_target("team.example/app:v1");
        let targets = Targets::read(&"nginx".parse().unwrap(), &options).unwrap();
        targets.check_without_registry(&Cloud::default()).unwrap();
    }

    #[test]
    fn a_name_that_is_given_twice_is_one() {
        let options = ImportOptions::default()
            .with_target("a:1")
            .with_additional_tag("b:2")
            .with_additional_tag("a:1")
            .with_untagged_repository("c");
        assert_eq!(read("nginx", &options).unwrap(), ["a:1", "b:2", "c"]);
        for wrong in ["c:1", "C", "c@sha256:00", ""] {
            let err = read("nginx", &ImportOptions::default().with_untagged_repository(wrong)).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidInput, "{wrong}");
        }
    }
}
