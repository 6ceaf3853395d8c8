//! The client: asks once, follows where a thing moved, tries again what may pass.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::connector::Connect;
use super::url::{absolute, origin};

/// Times a request is tried.
const ATTEMPTS: u32 = 4;

/// Places that an answer may move on to.
const MOVES: u32 = 5;

/// How long to wait for a connection, for the head of an answer, and for each further piece.
const CONNECT: Duration = Duration::from_secs(10);
const READ: Duration = Duration::from_mins(1);

/// The longest that a server may ask to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// More than this is no state.
const LARGEST: usize = 512 << 20;

/// Headers of a request, names and values.
pub type Headers<'a> = &'a [(String, String)];

/// What is asked.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST`, ….
    pub method: &'a str,
    /// Where.
    pub url: &'a str,
    /// Secrets, mostly: they are not taken along to another host.
    pub headers: Headers<'a>,
    /// What is sent.
    pub body: &'a [u8],
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's status.
    pub status: u16,
    /// The body whole.
    pub bytes: Vec<u8>,
    /// What `Last-Modified` says.
    pub modified: Option<Timestamp>,
}

/// A client for code that is not asynchronous. Must not be used inside a tokio runtime.
#[derive(Debug)]
pub struct Web {
    runtime: tokio::runtime::Runtime,
    connector: Arc<Connector>,
    largest: usize,
}

impl Web {
    /// Starts a small runtime. Goes through the proxy of the environment, if there is one.
    ///
    /// # Errors
    /// When the system gives no thread to run on.
    pub fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            runtime,
            connector: Arc::new(connector(CONNECT)),
            largest: LARGEST,
        })
    }

    /// The same connections for a library of another store.
    #[must_use]
    pub fn connect(&self) -> Connect {
        Connect::new(Arc::clone(&self.connector), self.largest)
    }

    /// Waits for what needs the client's runtime.
    pub fn wait<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// Fetches what lies at a URL.
    ///
    /// # Errors
    /// In words, when no answer comes. An answer of any status is one.
    pub fn get(&self, url: &str, headers: Headers<'_>) -> Result<Answer, String> {
        self.send(Request {
            method: "GET",
            url,
            headers,
            body: &[],
        })
    }

    /// Asks something that may safely be asked twice.
    ///
    /// # Errors
    /// In words, when no answer comes. An answer of any status is one.
    pub fn send(&self, request: Request<'_>) -> Result<Answer, String> {
        self.wait(async {
            let mut attempt = 1;
            loop {
                let (answer, wait) = match self.follow(request).await {
                    Ok((answer, wait)) if answer.status == 429 || answer.status >= 500 => {
                        (Ok(answer), wait)
                    }
                    Ok((answer, _)) => return Ok(answer),
                    Err(Failure::Lasting(problem)) => return Err(problem),
                    Err(Failure::Passing(problem)) => (Err(problem), None),
                };
                if attempt >= ATTEMPTS {
                    return answer;
                }
                let usual = Duration::from_millis(200) * (1 << attempt) + jitter();
                tokio::time::sleep(wait.unwrap_or(usual).min(LONGEST_WAIT)).await;
                attempt += 1;
            }
        })
    }

    async fn follow(&self, request: Request<'_>) -> Result<(Answer, Option<Duration>), Failure> {
        let Request { method, body, .. } = request;
        let mut headers = request.headers;
        let mut url = request.url.to_owned();
        for _ in 0..=MOVES {
            let answer = call(&self.connector, method, &url, headers, body).await?;
            let status = answer.status().as_u16();
            let moved = matches!(status, 301 | 302 | 303 | 307 | 308);
            let Some(next) = answer.headers().get("location").filter(|_| moved) else {
                return self.read(answer).await;
            };
            let next = absolute(&url, next);
            // What was encrypted must not go on in clear, nor to just anyone.
            if url.starts_with("https://") && !next.starts_with("https://") {
                let text = "the answer moves on to a place without encryption";
                return Err(Failure::Lasting(text.to_owned()));
            }
            if origin(&next) != origin(&url) {
                headers = &[];
            }
            url = next;
        }
        Err(Failure::Lasting("the answer moves on and on".to_owned()))
    }

    async fn read(&self, answer: HttpResponse) -> Result<(Answer, Option<Duration>), Failure> {
        let status = answer.status().as_u16();
        let modified = answer.headers().get("last-modified").and_then(|text| {
            // HTTP writes `GMT` where mail of today writes an offset.
            let time = rfc2822::DateTimeParser::new();
            time.parse_timestamp(text.replace("GMT", "+0000")).ok()
        });
        let wait = answer.headers().get("retry-after");
        let wait = wait
            .and_then(|text| text.parse().ok())
            .map(Duration::from_secs);
        let bytes = collect(answer.into_body(), self.largest).await?;
        let answer = Answer {
            status,
            bytes,
            modified,
        };
        Ok((answer, wait))
    }
}

/// Why no answer came.
pub(super) enum Failure {
    /// Another try may do.
    Passing(String),
    /// It will be so again.
    Lasting(String),
}

/// Connections that are waited for this long.
pub(super) fn connector(connect: Duration) -> Connector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(connect)
        .read_timeout(READ)
        .build();
    Connector::builder()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .proxy_config(ProxyConfig::from_env())
        .connector_settings(settings)
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .build()
}

/// Sends one request and waits for the head of the answer.
pub(super) async fn call(
    connector: &Connector,
    method: &str,
    url: &str,
    headers: Headers<'_>,
    body: &[u8],
) -> Result<HttpResponse, Failure> {
    let lasting = |text: &str| Failure::Lasting(text.to_owned());
    let mut request = HttpRequest::get(url).map_err(|_| lasting("this is no address of HTTP"))?;
    request
        .set_method(method)
        .map_err(|_| lasting("HTTP has no such method"))?;
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        request
            .headers_mut()
            .try_append(name, value.clone())
            .map_err(|_| lasting("a header holds what no header can"))?;
    }
    if !body.is_empty() {
        *request.body_mut() = SdkBody::from(body);
    }
    let answer = connector.call(request).await;
    answer.map_err(|error| Failure::Passing(causes(&error)))
}

/// A body in one piece.
pub(super) async fn collect(body: SdkBody, largest: usize) -> Result<Vec<u8>, Failure> {
    let mut body = ByteStream::new(body);
    let mut bytes = Vec::new();
    loop {
        let chunk = match tokio::time::timeout(READ, body.try_next()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok(bytes),
            Ok(Err(error)) => return Err(Failure::Passing(causes(&error))),
            Err(_) => return Err(Failure::Passing("the answer stopped halfway".to_owned())),
        };
        if bytes.len() + chunk.len() > largest {
            let text = format!("the answer is longer than {} MiB", largest >> 20);
            return Err(Failure::Lasting(text));
        }
        bytes.extend_from_slice(&chunk);
    }
}

/// A little that differs from one client to the next, so that not all come back at once.
fn jitter() -> Duration {
    let now = Timestamp::now().subsec_nanosecond().unsigned_abs();
    Duration::from_millis(u64::from(now % 200))
}

/// What an error says and what its causes say, on one line.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let mut said: Vec<String> = Vec::new();
    for message in chain.map(ToString::to_string) {
        if !said.iter().any(|earlier| earlier.contains(&message)) {
            said.push(message);
        }
    }
    said.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// The URL of a server that gives these answers, one to each connection, and then is gone.
    fn server(answers: Vec<String>) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for answer in answers {
                let (mut socket, _) = listener.accept().unwrap();
                let _ = socket.read(&mut [0; 4096]);
                let _ = socket.write_all(answer.as_bytes());
            }
        });
        url
    }

    fn answer(status: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
        )
    }

    #[test]
    fn an_answer_that_is_too_long_is_refused_and_one_that_breaks_off_is_asked_for_again() {
        let web = Web {
            largest: 10,
            ..Web::new().unwrap()
        };
        let long = server(vec![answer("200 OK", "", "12345678901")]);
        let problem = web.get(&long, &[]).unwrap_err();
        assert!(problem.contains("longer than"), "{problem}");
        let whole = answer(
            "200 OK",
            "last-modified: Wed, 14 Jan 2026 08:00:00 GMT\r\n",
            "123",
        );
        let cut = whole.trim_end_matches("23").to_owned();
        let answer = web.get(&server(vec![cut, whole]), &[]).unwrap();
        assert_eq!((answer.status, &*answer.bytes), (200, &b"123"[..]));
        assert_eq!(answer.modified, "2026-01-14T08:00:00Z".parse().ok());
    }

    #[test]
    fn what_goes_in_circles_or_is_no_address_is_an_error() {
        let web = Web::new().unwrap();
        let again = answer("302 Found", "location: /x\r\n", "");
        let circle = server(vec![again; 6]);
        assert_eq!(
            web.get(&circle, &[]).unwrap_err(),
            "the answer moves on and on"
        );
        for url in ["", "no address", "http://"] {
            assert!(web.get(url, &[]).is_err(), "{url}");
        }
        let headers = [("x".to_owned(), "a\nb".to_owned())];
        let problem = web.get("http://127.0.0.1:1/", &headers).unwrap_err();
        assert_eq!(problem, "a header holds what no header can");
    }
}
