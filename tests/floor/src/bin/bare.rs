//! The bare loop: signs the bytes and POSTs them with the same HTTP client, and does nothing else. No webhook can cost less.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cpu_time::ProcessTime;
use floor::{BODY, Connections, ID, Run, SECRET, tell};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use sha2::Sha256;

/// Before the clock starts: the connection is there and the session's ticket known.
const WARM_UP: u32 = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let run = Run::from_args()?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().no_proxy();
    let client = match run.connections {
        Connections::Kept => builder.build()?,
        Connections::New => builder.pool_max_idle_per_host(0).build()?,
    };
    let key = BASE64.decode(SECRET.trim_start_matches("whsec_"))?;
    for _ in 0..WARM_UP {
        post(&client, &run.url, &key).await?;
    }
    let started = ProcessTime::now();
    for _ in 0..run.posts {
        post(&client, &run.url, &key).await?;
    }
    Ok(tell(started.elapsed(), run.posts)?)
}

async fn post(client: &Client, url: &str, key: &[u8]) -> Result<(), Box<dyn Error>> {
    let seconds = Timestamp::now().as_second().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    for part in [ID, ".", &seconds, ".", BODY] {
        mac.update(part.as_bytes());
    }
    let signature = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
    let answer = client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", ID)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature)
        .body(BODY)
        .send()
        .await?;
    answer.error_for_status()?.bytes().await?;
    Ok(())
}
