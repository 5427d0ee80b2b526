//! The same POSTs as `bare`, by deliver's own sender: signed, sent and read as a delivery is.
//!
//! `first` in place of the number of POSTs measures one delivery of a process that has made none, building the client
//! included; `none` does what goes before that and no more.

use std::error::Error;
use std::time::Duration;

use cpu_time::ProcessTime;
use deliver::clients::{Opened, Way};
use deliver::sender::{Post, Sender, Sent, client, once};
use deliver::trust::Trust;
use floor::{BODY, Connections, ID, Run, SECRET, tell};
use jiff::Timestamp;
use postrider_domain::content_type;
use postrider_domain::dialect::STANDARD;
use postrider_domain::egress::{Egress, PrivateTargets};
use postrider_domain::hidden::Hidden;
use postrider_domain::secret::Secret;
use postrider_domain::signature;
use postrider_host::resolver::Resolver;
use reqwest::Client;
use url::Url;

const WARM_UP: u32 = 20;
const TIMEOUT: Duration = Duration::from_secs(20);

/// As production sends, and as the sender's own client sends where production never would: over plain HTTP, or with a
/// connection for each POST.
enum By {
    Sender(Sender),
    Client(Client, Url),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let secret = [Secret::parse(SECRET.to_owned(), STANDARD.signing.key)?];
    let args: Vec<String> = std::env::args().skip(1).collect();
    if matches!(args.as_slice(), [_, none] if none == "none") {
        return Ok(());
    }
    if let [url, first] = args.as_slice()
        && first == "first"
    {
        let started = ProcessTime::now();
        let by = By::Sender(Sender::new(resolver()));
        by.send(url, &secret).await?;
        return Ok(tell(started.elapsed(), 1)?);
    }
    let run = Run::from_args()?;
    let by = By::of(&run)?;
    for _ in 0..WARM_UP {
        by.send(&run.url, &secret).await?;
    }
    let started = ProcessTime::now();
    for _ in 0..run.posts {
        by.send(&run.url, &secret).await?;
    }
    Ok(tell(started.elapsed(), run.posts)?)
}

/// As on a local stack, whose receivers are on this machine.
fn resolver() -> Resolver {
    Resolver::new(Egress::new(PrivateTargets::AllowLoopback))
}

impl By {
    fn of(run: &Run) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let url: Url = run.url.parse()?;
        if run.connections == Connections::Kept && url.scheme() == "https" {
            return Ok(Self::Sender(Sender::new(resolver())));
        }
        let way = Way { timeout: TIMEOUT, alone: run.connections == Connections::New };
        Ok(Self::Client(client(&resolver(), &Opened::default(), Trust::platform().config()?, way).build()?, url))
    }

    async fn send(&self, url: &str, secrets: &[Secret]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let signed = signature::headers(&STANDARD.signing, secrets, ID, Timestamp::now(), BODY.as_bytes());
        let common = [("content-type", content_type::DEFAULT), ("accept", "*/*"), ("user-agent", "Postrider")];
        let common = common.map(|(name, value)| (name, value.to_owned()));
        let headers = common.into_iter().chain(signed).map(|(name, value)| (name.to_owned(), value)).collect();
        let body = BODY.as_bytes().to_vec();
        let hidden = Hidden::default();
        let post = Post { url: url.to_owned(), headers, body, hidden, timeout: TIMEOUT, is_last: false };
        let Sent { outcome, error, .. } = match self {
            Self::Sender(sender) => sender.send(&post).await?,
            Self::Client(client, url) => once(client, url.clone(), &post).await?,
        };
        if outcome.status().is_some_and(|status| (200..300).contains(&status)) {
            return Ok(());
        }
        Err(format!("the receiver did not take it: {outcome:?} {error:?}").into())
    }
}
