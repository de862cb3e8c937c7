//! The request that operations are carried out for, as far as the trail tells of it.

use std::{
    future::Future,
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::caller::Caller;

tokio::task_local! {
    static CURRENT: Arc<Call>;
}

/// A request.
#[derive(Debug)]
pub struct Call {
    address: Option<IpAddr>,
    request: String,
    caller: OnceLock<Caller>,
    told: AtomicBool,
}

impl Call {
    /// A request of this name, from this address.
    #[must_use]
    pub fn new(address: Option<IpAddr>, request: &str) -> Arc<Self> {
        let (request, caller, told) = (request.to_owned(), OnceLock::new(), AtomicBool::new(false));
        Arc::new(Self { address, request, caller, told })
    }

    /// Carries out what is carried out for it.
    pub async fn around<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// The request that runs comes from this caller.
    pub fn comes_from(caller: &Caller) {
        // Said once; where nothing is told, there is no call.
        let _ = CURRENT.try_with(|call| call.caller.set(caller.clone()));
    }

    pub(super) fn is_told_of(&self) {
        self.told.store(true, Ordering::Release);
    }

    pub(crate) fn was_told_of(&self) -> bool {
        self.told.load(Ordering::Acquire)
    }

    pub(super) const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    pub(super) fn request(&self) -> &str {
        &self.request
    }

    pub(super) fn caller(&self) -> Option<&Caller> {
        self.caller.get()
    }
}

/// The request that runs.
pub(crate) fn current() -> Option<Arc<Call>> {
    CURRENT.try_with(Arc::clone).ok()
}
