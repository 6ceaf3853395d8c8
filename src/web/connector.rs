//! Lends the client's connections to `object_store`, so that the program holds one HTTP client and
//! one TLS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_http_client::Connector;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::{ClientOptions, Result};

use super::client::{Failure, call, collect, connector};

/// Servers that tell a machine in the cloud who it is; elsewhere nobody answers there.
const METADATA: [&str; 2] = ["metadata.google.internal", "169.254.169.254"];

/// The client's connections.
#[derive(Debug, Clone)]
pub struct Connect {
    anywhere: Arc<Connector>,
    metadata: Arc<Connector>,
    largest: usize,
}

impl Connect {
    pub(super) fn new(anywhere: Arc<Connector>, largest: usize) -> Self {
        Self {
            anywhere,
            metadata: Arc::new(connector(Duration::from_secs(2))),
            largest,
        }
    }
}

impl HttpConnector for Connect {
    fn connect(&self, _: &ClientOptions) -> Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Words(String);

impl From<Failure> for HttpError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Passing(text) => Self::new(HttpErrorKind::Connect, Words(text)),
            Failure::Lasting(text) => Self::new(HttpErrorKind::Decode, Words(text)),
        }
    }
}

#[async_trait]
impl HttpService for Connect {
    async fn call(&self, request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let host = head.uri.host().unwrap_or_default();
        let connector = if METADATA.contains(&host) {
            &self.metadata
        } else {
            &self.anywhere
        };
        let headers: Vec<(String, String)> = head
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let body = body.as_bytes().map(|bytes| &bytes[..]).unwrap_or_default();
        let url = head.uri.to_string();
        let answer = call(connector, head.method.as_str(), &url, &headers, body).await?;
        let mut response = http::Response::builder().status(answer.status().as_u16());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let bytes = collect(answer.into_body(), self.largest).await?;
        response
            .body(HttpResponseBody::from(bytes))
            .map_err(|error| HttpError::new(HttpErrorKind::Decode, error))
    }
}
