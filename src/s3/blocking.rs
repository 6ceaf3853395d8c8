//! The client for code that is not asynchronous.

use super::{Client, Condition, Error, Fetched, Found, Listing, Location, Options, Page, Version};

/// The same client for code that is not asynchronous. Must not be used inside a tokio runtime.
#[derive(Debug)]
pub struct Blocking {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Blocking {
    /// Starts a small runtime and builds a client in it.
    ///
    /// # Errors
    /// When the system gives no thread to run on.
    pub fn new(options: &Options) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let client = runtime.block_on(Client::new(options));
        Ok(Self { runtime, client })
    }

    /// Asks for something unless `end` comes first: then there is none.
    pub fn unless<T>(
        &self,
        end: impl Future<Output = ()>,
        ask: impl AsyncFnOnce(&Client) -> T,
    ) -> Option<T> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = end => None,
                answer = ask(&self.client) => Some(answer),
            }
        })
    }

    /// See [`Client::list_all`].
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub fn list_all(&self, bucket: &str, listing: Listing) -> Result<Page, Error> {
        self.runtime.block_on(self.client.list_all(bucket, listing))
    }

    /// See [`Client::get`].
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub fn get(&self, location: &Location, version: Option<&str>) -> Result<Fetched, Error> {
        self.runtime.block_on(self.client.get(location, version))
    }

    /// See [`Client::put`].
    ///
    /// # Errors
    /// When the condition does not hold, the store refuses or cannot be reached.
    pub fn put(
        &self,
        location: &Location,
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<(), Error> {
        let put = self.client.put(location, bytes, condition);
        self.runtime.block_on(put)
    }

    /// See [`Client::head`].
    ///
    /// # Errors
    /// When there is no such object, the store refuses or cannot be reached.
    pub fn head(&self, location: &Location) -> Result<Found, Error> {
        self.runtime.block_on(self.client.head(location))
    }

    /// See [`Client::versions`].
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub fn versions(&self, location: &Location) -> Result<Vec<Version>, Error> {
        self.runtime.block_on(self.client.versions(location))
    }
}
