//! A server without sockets: the router over a store of its own.

use std::{cell::RefCell, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri},
};
use liaison_app::{App, settings::Settings};
use liaison_fhir::search::index::Param;
use liaison_rest::{RestOptions, router};
use liaison_store::store::{Store, StoreOptions, StoreUrl};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// No request of a fuzzer takes longer, or it hangs. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A house takes in so many requests, then there is a new one: its store must not grow for ever.
const REQUESTS: usize = 2_000;

/// A server and the runtime it lives in.
pub(crate) struct House {
    runtime: Runtime,
    router: Router,
    store: Store,
    requests: usize,
    _folder: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

thread_local! {
    static HOUSE: RefCell<Option<House>> = const { RefCell::new(None) };
}

/// Runs something in this thread's house.
pub(crate) fn in_house<T>(visit: impl FnOnce(&mut House) -> T) -> T {
    HOUSE.with_borrow_mut(|house| {
        if house.as_ref().is_some_and(|house| house.requests > REQUESTS)
            && let Some(old) = house.take()
        {
            old.runtime.block_on(old.store.close());
        }
        visit(house.get_or_insert_with(House::open))
    })
}

impl House {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("liaison.db"));
        let timelines = vec![Param { base: "DocumentReference", code: "date" }];
        let options = StoreOptions { readers: 1, timelines, ..StoreOptions::default() };
        let store = Store::open(&url, options).expect("a store");
        let app = runtime.block_on(App::open(store.clone(), Settings::default())).expect("an application");
        Self { runtime, router: router(app, RestOptions::default()), store, requests: 0, _folder: folder }
    }

    /// Sends a request. `None` when HTTP itself would not let it through.
    pub(crate) fn send(
        &mut self,
        method: &[u8],
        address: &[u8],
        headers: &[(&[u8], &[u8])],
        body: Vec<u8>,
    ) -> Option<Answer> {
        self.requests += 1;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::from_bytes(method).ok()?;
        *request.uri_mut() = Uri::try_from(address).ok().filter(|uri| uri.path().starts_with('/'))?;
        for (name, value) in headers {
            let (name, value) = (HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
            request.headers_mut().append(name, value);
        }
        let router = self.router.clone();
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(PATIENCE, async {
                let (parts, body) = router.oneshot(request).await.expect("a router answers").into_parts();
                let body = to_bytes(body, usize::MAX).await.expect("an answer to its end").to_vec();
                Answer { status: parts.status, headers: parts.headers, body }
            })
            .await
        });
        Some(answer.expect("an answer in time"))
    }
}

impl Answer {
    /// A header, when there is one.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
