//! For tests: an API on this machine that says what a test wrote down, and a visitor who opens pages and posts forms.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;
use replay::Call;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::api::Api;
use crate::brand::Brand;
use crate::cookie::NAME as COOKIE;
use crate::forgery;
use crate::portal::Portal;
use crate::serve::serve;

/// The session that a visitor has.
pub(crate) const SESSION: &str = "prs_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// A link's token.
pub(crate) const TOKEN: &str = "prl_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A call that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Such as `GET /v1/webhooks?limit=20`.
    pub(crate) line: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Value,
    /// The body as it came.
    pub(crate) text: String,
}

type Answers = Vec<(&'static str, u16, Value)>;

/// The API.
pub(crate) struct StandIn {
    url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    at_once: Arc<AtOnce>,
}

/// Calls that wait for their answers: now, and at the most.
#[derive(Default)]
struct AtOnce {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl StandIn {
    /// One that answers calls whose line begins so, the first that fits; any other is a 404. Its session may all, unless it is answered
    /// otherwise.
    pub(crate) async fn saying(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/base", listener.local_addr().unwrap())).unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (noted, answers) = (Arc::clone(&asked), Arc::new(answers));
        let at_once: Arc<AtOnce> = Arc::default();
        let waiting = Arc::clone(&at_once);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, answers, waiting) = (Arc::clone(&noted), Arc::clone(&answers), Arc::clone(&waiting));
                tokio::spawn(async move {
                    let now = waiting.now.fetch_add(1, Ordering::Relaxed) + 1;
                    waiting.most.fetch_max(now, Ordering::Relaxed);
                    answer(stream, noted, answers).await;
                    waiting.now.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { url, asked, at_once }
    }

    /// All calls that came, but for what the session may do.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap().clone();
        asked.into_iter().filter(|asked| asked.line != "GET /v1/portal/session").collect()
    }

    /// How many waited for their answers at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.at_once.most.load(Ordering::Relaxed)
    }

    /// How many came, of whichever kind.
    pub(crate) fn all_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Whoever has the session.
    pub(crate) fn visitor(&self) -> Visitor {
        self.visitor_of(Brand::plain())
    }

    pub(crate) fn visitor_of(&self, brand: Brand) -> Visitor {
        Visitor { portal: Portal::of(Api::at(self.url.clone()), brand), cookie: Some(format!("{COOKIE}={SESSION}")) }
    }
}

/// What a session says that may these things.
pub(crate) fn session(capabilities: &[&str]) -> Value {
    json!({
        "session_id": "ses_1",
        "tenant_id": "ten_1",
        "tenant_name": "Initech",
        "capabilities": capabilities,
        "dialect": "standard",
        "expires_at": "2199-01-15T14:30:00.000Z",
    })
}

async fn answer(stream: TcpStream, noted: Arc<Mutex<Vec<Asked>>>, answers: Arc<Answers>) {
    let mut stream = BufReader::new(stream);
    let (mut first, mut headers) = (String::new(), HashMap::new());
    stream.read_line(&mut first).await.unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let mut parts = first.split_whitespace();
    let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let line = format!("{method} {}", target.strip_prefix("/base").unwrap_or(target));
    let text = String::from_utf8(body).unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    noted.lock().unwrap().push(Asked { line: line.clone(), headers, body, text });
    let known =
        answers.iter().find(|(begin, ..)| line.starts_with(begin)).map(|(_, status, body)| (*status, body.clone()));
    let usual = || match line.as_str() {
        "GET /v1/portal/session" => (200, session(&["view", "edit", "send", "secrets"])),
        _ => (404, json!({"error": {"code": "not_found", "message": "no such thing"}})),
    };
    let (status, body) = known.unwrap_or_else(usual);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

/// Whoever opens the portal's pages.
pub(crate) struct Visitor {
    pub(crate) portal: Portal,
    pub(crate) cookie: Option<String>,
}

/// What he is answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u64,
    pub(crate) headers: Value,
    pub(crate) cookies: Vec<String>,
    pub(crate) text: String,
}

impl Visitor {
    /// Opens a page, such as `webhooks?cursor=x`.
    pub(crate) async fn opens(&self, page: &str) -> Answered {
        self.sends(Call::new("GET", &format!("/portal/{page}"))).await
    }

    /// Posts a form that was filled in on one of the portal's pages.
    pub(crate) async fn posts(&self, page: &str, fields: &[(&str, &str)]) -> Answered {
        let token = forgery::token(SESSION);
        let fields = [(forgery::FIELD, token.as_str())].iter().chain(fields).copied().collect::<Vec<_>>();
        self.sends(posting(page, &fields).header("sec-fetch-site", "same-origin")).await
    }

    pub(crate) async fn sends(&self, call: Call) -> Answered {
        let call = self.cookie.iter().fold(call, |call, cookie| call.header("cookie", cookie));
        let response = serde_json::to_value(serve(&self.portal, call.event()).await).unwrap();
        let body = response["body"].as_str().unwrap_or_default();
        let text = if response["headers"]["content-encoding"] == "gzip" { unpacked(body) } else { body.to_owned() };
        let cookies = response["cookies"].as_array().into_iter().flatten();
        Answered {
            status: response["statusCode"].as_u64().unwrap(),
            headers: response["headers"].clone(),
            cookies: cookies.map(|cookie| cookie.as_str().unwrap().to_owned()).collect(),
            text,
        }
    }
}

fn unpacked(body: &str) -> String {
    use base64::Engine as _;
    let packed = base64::prelude::BASE64_STANDARD.decode(body).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut GzDecoder::new(packed.as_slice()), &mut text).unwrap();
    text
}

/// A form as a browser posts it.
pub(crate) fn posting(page: &str, fields: &[(&str, &str)]) -> Call {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Call::new("POST", &format!("/portal/{page}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(&body)
}
