//! Manifests and tags.
//!
//! In: a tag or digest. Out: a manifest's bytes and what the registry says they are; the tags of a
//! repository. None is larger than [`MAX_MANIFEST`].

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, LINK};
use serde::Deserialize;

use crate::connect;
use crate::error::{Error, Result};
use crate::retry::retrying;
use crate::session::{Ask, Session, read};

/// What registries themselves bear.
const MAX_MANIFEST: usize = 4 << 20;
/// Most pages of tags.
const MAX_PAGES: usize = 1000;

/// What we understand; the last is refused by name, which is better than a 404.
const KINDS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.5";

/// A manifest or an index, byte for byte.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// What the registry says it is.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// All tags of a repository.
pub type TagList = Vec<String>;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<TagList>,
}

impl Session {
    /// The manifest of a tag or a digest.
    ///
    /// # Errors
    /// NotFound, Unauthorized and Denied as the registry says; Misbehaves for one that is huge.
    pub async fn manifest(&self, reference: &str) -> Result<Manifest> {
        let uri = self.path(&format!("manifests/{reference}"))?;
        retrying(|| async {
            let ask = Ask::new(Method::GET, uri.clone()).with(ACCEPT, KINDS);
            let answer = self.send(ask, connect::empty(), None).await?;
            let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default();
            let media_type = kind.trim().to_owned();
            let bytes = read(&self.config, answer, MAX_MANIFEST, "a manifest").await?;
            Ok(Manifest { media_type, bytes })
        })
        .await
    }

    /// Stores a manifest under a tag.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn put_manifest(&self, tag: &str, manifest: &Manifest) -> Result<()> {
        let uri = self.path(&format!("manifests/{tag}"))?;
        retrying(|| async {
            let ask = Ask::new(Method::PUT, uri.clone()).with(CONTENT_TYPE, &manifest.media_type);
            let sent = std::sync::atomic::AtomicU64::new(0);
            let body = connect::full(manifest.bytes.clone());
            self.send(ask, body, Some(&sent)).await.map(drop)
        })
        .await
    }

    /// The repository's tags.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn tags(&self) -> Result<TagList> {
        let mut all = Vec::new();
        let mut uri = self.path("tags/list")?;
        for _ in 0..MAX_PAGES {
            let (page, next) = retrying(|| async {
                let ask = Ask::new(Method::GET, uri.clone());
                let answer = self.send(ask, connect::empty(), None).await?;
                let link = answer.headers().get(LINK).and_then(|value| value.to_str().ok());
                let next = link.and_then(next_page);
                let bytes = read(&self.config, answer, MAX_MANIFEST, "a list of tags").await?;
                let page: Page = serde_json::from_slice(&bytes)
                    .map_err(|error| Error::Misbehaves(format!("no list of tags: {error}")))?;
                Ok((page, next))
            })
            .await?;
            all.extend(page.tags.unwrap_or_default());
            let Some(next) = next else { return Ok(all) };
            uri = next.parse().map_err(|_| Error::Misbehaves("no next page".to_owned()))?;
        }
        Err(Error::Misbehaves(format!("more than {MAX_PAGES} pages of tags")))
    }
}

/// The path of `</v2/x/tags/list?last=b>; rel="next"`; the next page is at the same registry.
fn next_page(link: &str) -> Option<String> {
    let (target, relation) = link.strip_prefix('<')?.split_once('>')?;
    (relation.contains("next") && target.starts_with('/')).then(|| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::next_page;

    #[test]
    fn pages_are_followed_at_home() {
        let next = |link| next_page(link);
        assert_eq!(
            next("</v2/a/tags/list?last=b>; rel=\"next\"").unwrap(),
            "/v2/a/tags/list?last=b"
        );
        assert_eq!(next("<https://evil.example/>; rel=\"next\""), None);
        assert_eq!(next("</x>; rel=\"prev\""), None);
    }
}
