//! An application that receives events: it keeps what comes, and answers as it is told.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What came: the headers in small letters, and the body.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    pub fn claims(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether the signature is right, as a receiver that knows the secret finds out.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let signed = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        let tag = STANDARD.decode(self.header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes(), &tag).is_ok()
    }

    /// The names of its events without their common beginning.
    pub fn told(&self) -> String {
        let claims = self.claims();
        let names = claims["events"].as_object().unwrap().keys();
        let names: Vec<&str> = names.map(|name| name.trim_start_matches("urn:ietf:params:scim:event:prov:")).collect();
        names.join(" ")
    }
}

/// Something that happens while a sender waits for its answer.
type Meanwhile = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The receiver.
#[derive(Clone, Default)]
pub struct Receiver {
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
    arrivals: Arc<Notify>,
    came: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    pub url: String,
}

impl Receiver {
    /// Listens; answers 204 where nothing else was asked for.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { url, ..Self::default() };
        let own = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move { own.serve(stream).await });
            }
        });
        receiver
    }

    /// How the next requests are answered: status lines, with headers where there are some.
    pub fn answer(&self, answers: &[&'static str]) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// What happens before the next answer.
    pub fn before_answer(
        &self,
        meanwhile: impl Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + 'static,
    ) {
        *self.meanwhile.lock().unwrap() = Some(Arc::new(meanwhile));
    }

    /// Ready when something has come.
    pub async fn arrival(&self) {
        self.arrivals.notified().await;
    }

    /// What came since this was last asked.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.came.lock().unwrap())
    }

    async fn serve(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(received) = read(&mut stream).await {
            self.came.lock().unwrap().push(received);
            self.arrivals.notify_one();
            let meanwhile = self.meanwhile.lock().unwrap().take();
            if let Some(meanwhile) = meanwhile {
                meanwhile().await;
            }
            let answer = self.answers.lock().unwrap().pop_front().unwrap_or("204 No Content");
            let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
            if stream.get_mut().write_all(head.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let (mut headers, mut line) = (Vec::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None if line == "\r\n" => break,
            None => headers.push((":first".to_owned(), line.trim_end().to_owned())),
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { headers, body: String::from_utf8(body).unwrap() })
}
