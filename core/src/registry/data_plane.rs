//! The data plane of registries: reads a manifest, wherever the registry keeps it, and counts repositories.

use super::{
    Registry, RegistryToken,
    access::Access,
    address, attributes, catalog, describe,
    manifest::{self, Seen},
    probe::{Probe, failed},
    referrers::{self, Page},
    sign_in::{Challenge, SignIn},
};
use crate::{
    call::Call,
    cloud::Cloud,
    error::{Error, ErrorKind, Result},
    http::{Answer, Registries, Tokens},
    image::{Digest, Image, ImageDetails, ImageReference, ManifestAttributes, Platform, ReadSwitches, Referrer},
    role::RoleAssignmentMode,
};
use azure_core::http::Method;
use std::sync::Mutex;
use url::Url;

/// The maximum number of redirects. Real registries use at most one.
const MOST_MOVES: usize = 5;

/// Reads images in any registry.
#[derive(Clone, Debug)]
pub(crate) struct DataPlane {
    registries: Registries,
    sign_in: SignIn,
}

impl DataPlane {
    pub fn new(registries: Registries, cloud: Cloud, entra: Tokens) -> Self {
        Self { registries, sign_in: SignIn::new(cloud, entra) }
    }

    /// The image with its digest, `None` if the registry does not have it.
    /// If the image is named by its digest, any other digest in the response is an error. If the registry does not report the digest, it is
    /// computed from the manifest's bytes.
    pub async fn image(&self, image: &ImageReference, call: &Call) -> Result<Option<Image>> {
        let probe = self.probe(Access::Image(image), call);
        match manifest::read_head(image, &self.follow(Method::Head, image, &probe).await?)? {
            Seen::Image(found) => Ok(Some(found)),
            Seen::Absent => Ok(None),
            Seen::Unnamed => manifest::read_body(image, &self.follow(Method::Get, image, &probe).await?),
        }
    }

    /// The image with its kind and its platforms, `None` if the registry does not have it.
    pub async fn describe(&self, image: &ImageReference, call: &Call) -> Result<Option<ImageDetails>> {
        let probe = self.probe(Access::Details(image), call);
        let answer = self.follow(Method::Get, image, &probe).await?;
        let Some(found) = manifest::read_body(image, &answer)? else { return Ok(None) };
        let details = describe::read_details(image, found, &answer)?;
        if details.platforms.is_some() || !details.is_image() || self.sign_in.own_challenge(probe.access).is_none() {
            return Ok(Some(details));
        }
        let platforms = self.platform(image, &details.digest, &probe).await?.map(|platform| vec![platform]);
        Ok(Some(ImageDetails { platforms, ..details }))
    }

    /// The platform of a manifest, from its attributes. A caller that reads images may lack the permission to read attributes.
    async fn platform(&self, image: &ImageReference, digest: &Digest, probe: &Probe<'_>) -> Result<Option<Platform>> {
        let url = super::sign_in::url(&format!(
            "https://{}/acr/v1/{}/_manifests/{digest}",
            probe.access.api_host(),
            image.repository()
        ))?;
        let probe = &probe.reading(Access::Attributes(image));
        let answer = self.ask_registry(Method::Get, &url, probe).await?;
        match answer.status {
            401 | 403 | 404 => Ok(None),
            _ if !answer.is_success() => Err(failed(probe.access, &answer, "the registry did not return the platform")),
            _ => describe::read_platform(&answer),
        }
    }

    /// The newest manifests of an image's repository; `None` if the repository does not exist.
    pub async fn manifests(&self, image: &ImageReference, call: &Call) -> Result<Option<Vec<ManifestAttributes>>> {
        let probe = &self.probe(Access::Attributes(image), call);
        let answer = self.ask_registry(Method::Get, &attributes::manifests_url(image)?, probe).await?;
        attributes::read_manifests(image, &answer)
    }

    /// Whether an image's repository and its tag can be read.
    pub async fn read_switches(&self, image: &ImageReference, call: &Call) -> Result<ReadSwitches> {
        let probe = &self.probe(Access::Attributes(image), call);
        let (repository, tag) = (attributes::repository_url(image)?, attributes::tag_url(image)?);
        let tag = async {
            match &tag {
                Some(url) => self.ask_registry(Method::Get, url, probe).await.map(Some),
                None => Ok(None),
            }
        };
        let (repository, tag) = futures::try_join!(self.ask_registry(Method::Get, &repository, probe), tag)?;
        attributes::read_switches(image, (&repository, tag.as_ref()))
    }

    /// The digest of an image that was deleted and can be restored.
    pub async fn deleted(&self, image: &ImageReference, call: &Call) -> Result<Option<Digest>> {
        let probe = &self.probe(Access::Deleted(image), call);
        let answer = self.ask_registry(Method::Get, &attributes::deleted_url(image)?, probe).await?;
        attributes::read_deleted(image, &answer)
    }

    /// What refers to an image, which is named by its digest, and to each image of its index.
    pub async fn referrers(&self, image: &ImageReference, call: &Call) -> Result<Vec<Referrer>> {
        let probe = &self.probe(Access::Image(image), call);
        let answer = self.follow(Method::Get, image, probe).await?;
        let mut subjects: Vec<Digest> = image.digest().into_iter().cloned().collect();
        if manifest::read_body(image, &answer)?.is_some() {
            subjects.extend(referrers::read_children(image, &answer)?);
        }
        let mut all = Vec::new();
        for subject in &subjects {
            let (listed, tagged) =
                futures::try_join!(self.listed(image, subject, probe), self.tagged(image, subject, call))?;
            all.extend(listed.into_iter().chain(tagged));
        }
        Ok(all)
    }

    /// Those that the registry lists, page by page, or that clients list in a tag where the registry has no such list.
    async fn listed(&self, image: &ImageReference, subject: &Digest, probe: &Probe<'_>) -> Result<Vec<Referrer>> {
        let first = referrers::first_url(image, subject)?;
        let (mut all, mut url) = (Vec::new(), first.clone());
        for page in 0..referrers::MOST_PAGES {
            let answer = self.follow_from(Method::Get, url, image, probe).await?;
            if page == 0 && referrers::is_unsupported(&answer) {
                return self.listed_in_tag(image, subject, probe).await;
            }
            let Page { referrers, next } = referrers::read_page(image, subject, &answer, &first)?;
            all.extend(referrers);
            let Some(next) = next else { return Ok(all) };
            url = next;
        }
        Err(referrers::endless(image))
    }

    async fn listed_in_tag(
        &self,
        image: &ImageReference,
        subject: &Digest,
        probe: &Probe<'_>,
    ) -> Result<Vec<Referrer>> {
        let index = image.with_tag(&referrers::tag_of(subject))?;
        let answer = self.follow(Method::Get, &index, probe).await?;
        match manifest::read_body(&index, &answer)? {
            Some(_) => referrers::read_index(&index, subject, &answer),
            None => Ok(Vec::new()),
        }
    }

    /// Those that only a tag connects with the image.
    async fn tagged(&self, image: &ImageReference, subject: &Digest, call: &Call) -> Result<Vec<Referrer>> {
        let mut all = Vec::new();
        for tag in referrers::cosign_tags(subject) {
            if let Some(found) = self.image(&image.with_tag(&tag)?, call).await? {
                all.push(Referrer { tag: Some(tag), ..Referrer::new(found.digest, subject.clone()) });
            }
        }
        Ok(all)
    }

    /// The number of repositories of an Azure registry. It is read page by page.
    pub async fn repository_count(&self, registry: &Registry, call: &Call) -> Result<u32> {
        let probe = &self.probe(Access::Catalog(&registry.login_server), call);
        let mut pages = catalog::Pages::of(&registry.login_server);
        while let Some(url) = pages.next_url()? {
            let answer = self.ask_registry(Method::Get, &url, probe).await;
            let taken = answer.and_then(|answer| pages.take(&answer));
            taken.map_err(|err| {
                // One with repository permissions signs in every principal of the tenant: only then it is the action that is missing.
                let lacks_right = registry.mode == RoleAssignmentMode::LegacyRegistryPermissions
                    || self.sign_in.has_refresh_token(probe.access);
                if err.status() == Some(401) && lacks_right {
                    return err.with_missing_action(registry.mode.catalog_action(), registry.id.as_str());
                }
                err
            })?;
        }
        Ok(pages.count())
    }

    /// A new refresh token of an Azure registry.
    pub async fn refresh_token(&self, host: &str, call: &Call) -> Result<RegistryToken> {
        let probe = &self.probe(Access::SignIn(host), call);
        let url = super::sign_in::url(&format!("https://{host}/v2/"))?;
        let answer = probe.request(Method::Get, &url, None).await?;
        let challenge = SignIn::challenge(&answer, probe.access)?;
        let token = self.sign_in.new_refresh_token(&challenge, probe).await?;
        Ok(RegistryToken::new(host, token))
    }

    fn probe<'a>(&'a self, access: Access<'a>, call: &'a Call) -> Probe<'a> {
        Probe { access, call, registries: &self.registries, left: call.registry_timeout().map(Mutex::new) }
    }

    /// Requests the manifest from the registry, and follows its redirects. A token goes only to the host that it is for.
    async fn follow(&self, method: Method, image: &ImageReference, probe: &Probe<'_>) -> Result<Answer> {
        self.follow_from(method, first_url(image)?, image, probe).await
    }

    async fn follow_from(
        &self,
        method: Method,
        mut url: Url,
        image: &ImageReference,
        probe: &Probe<'_>,
    ) -> Result<Answer> {
        let mut answer = self.ask_registry(method, &url, probe).await?;
        for _ in 0..MOST_MOVES {
            let Some(moved) = moved(&answer, &url)? else { return Ok(answer) };
            url = moved;
            answer = self.ask_elsewhere(method, &url, probe).await?;
        }
        if moved(&answer, &url)?.is_none() {
            return Ok(answer);
        }
        let text = "the registry redirects endlessly";
        Err(Error::new(ErrorKind::Unexpected, text).with_context("image", image.to_string()))
    }

    /// A registry's tokens carry the permissions at the time of issue. So a refusal with a cached one is not final: it is dropped, and
    /// the second try signs in again.
    async fn ask_registry(&self, method: Method, url: &Url, probe: &Probe<'_>) -> Result<Answer> {
        let cached = self.sign_in.cached(probe.access);
        // The challenge of an Azure registry is known: one request is saved where the number of steps in a row matters.
        let known = if cached.is_none() { self.known_challenge(probe.access) } else { None };
        let challenge = if let Some(challenge) = known {
            challenge
        } else {
            let first = probe.request(method, url, cached.as_ref()).await?;
            if first.status != 401 {
                return Ok(first);
            }
            SignIn::challenge(&first, probe.access)?
        };
        let had_refresh_token = self.sign_in.has_refresh_token(probe.access);
        let asked = self.ask_signed_in(method, url, probe, &challenge).await;
        let is_refused = match &asked {
            Ok(answer) => answer.status == 401,
            Err(err) => err.status() == Some(401),
        };
        if !(is_refused && had_refresh_token) {
            return asked;
        }
        self.sign_in.forget_refresh_token(probe.access);
        self.ask_signed_in(method, url, probe, &challenge).await
    }

    fn known_challenge(&self, access: Access<'_>) -> Option<Challenge> {
        matches!(access, Access::Details(_) | Access::Attributes(_) | Access::Deleted(_))
            .then(|| self.sign_in.own_challenge(access))
            .flatten()
    }

    async fn ask_signed_in(
        &self,
        method: Method,
        url: &Url,
        probe: &Probe<'_>,
        challenge: &Challenge,
    ) -> Result<Answer> {
        self.sign_in.forget(probe.access);
        let token = self.sign_in.token(challenge, probe).await?;
        let answer = probe.request(method, url, Some(&token)).await?;
        if !matches!(answer.status, 401 | 403) {
            self.sign_in.keep(probe.access, token);
        }
        Ok(answer)
    }

    /// The same at a redirect's host: anonymously, by that host's own rules, and without caching.
    async fn ask_elsewhere(&self, method: Method, url: &Url, probe: &Probe<'_>) -> Result<Answer> {
        let first = probe.request(method, url, None).await?;
        if first.status != 401 {
            return Ok(first);
        }
        let challenge = SignIn::challenge(&first, probe.access)?;
        let token = SignIn::anonymous(&challenge, &address::authority(url), probe).await?;
        probe.request(method, url, Some(&token)).await
    }
}

fn first_url(image: &ImageReference) -> Result<Url> {
    super::sign_in::url(&format!(
        "https://{}/v2/{}/manifests/{}",
        Access::Image(image).api_host(),
        image.repository(),
        image.manifest()
    ))
}

/// The target of a redirect, if the response is one.
fn moved(answer: &Answer, from: &Url) -> Result<Option<Url>> {
    match (answer.status, answer.header("location")) {
        (301 | 302 | 303 | 307 | 308, Some(to)) => address::moved(to, from).map(Some),
        _ => Ok(None),
    }
}
