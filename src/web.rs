//! HTTP for places that are no bucket of AWS: one small client, on the connections and the TLS
//! that the AWS SDK brings anyway.

mod client;
mod connector;
mod url;

pub use client::{Answer, Headers, Request, Web};
pub use connector::Connect;
pub use url::{host, origin, shown};
