//! The Rust side of the comparison: prints how long each attach took, in milliseconds, as JSON.

use aks_acr::{AttachOptions, Client, Cloud};
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::{Duration, OffsetDateTime},
};
use std::{env::var, error::Error, sync::Arc, time::Instant};

#[derive(Debug)]
struct Known(String);

#[async_trait::async_trait]
impl TokenCredential for Known {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new(self.0.clone(), OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::builder(Arc::new(Known(var("OVERHEAD_TOKEN")?)), var("OVERHEAD_SUBSCRIPTION")?)
        .cloud(Cloud::custom(&var("OVERHEAD_ORIGIN")?, ".azurecr.io")?)
        .add_root_certificates(var("OVERHEAD_CA")?)
        .build()?;
    let (cluster, registry) = ("group/dev".parse()?, var("OVERHEAD_REGISTRY")?.parse()?);
    let mut times = Vec::new();
    for _ in 0..var("OVERHEAD_CALLS")?.parse()? {
        let begun = Instant::now();
        client.attach(&cluster, &registry, AttachOptions::default()).await?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    println!("{}", serde_json::to_string(&times)?);
    Ok(())
}
