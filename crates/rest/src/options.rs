//! How the FHIR bases are served.

use std::{sync::Arc, time::Duration};

use liaison_identity::certified::Certified;
use liaison_inbound::{
    rates::{Allowed, Rates},
    sender::Way,
};

use crate::{authenticate::Authentication, figures::Counting};

/// The options of [`router`](crate::router).
#[derive(Clone, Debug)]
pub struct RestOptions {
    /// The address people and programs use, without trailing `/`: `https://example.org`. Without
    /// it, links name the host each request was sent to.
    pub public_url: Option<String>,
    /// How requests come when nothing else is said: the scheme of links that name the host.
    pub way: Way,
    /// Most bytes of a request body, after decompression.
    pub body_limit: usize,
    /// How long a request may take in all.
    pub timeout: Duration,
    /// Which web pages of other origins may call.
    pub cors: Cors,
    /// Whether requests are counted.
    pub counting: Counting,
    /// How often somebody may ask.
    pub rates: Arc<Rates>,
    /// Software that is known by its certificate, where callers need to be known.
    pub certified: Certified,
    /// How it is known who sent a request.
    pub authentication: Authentication,
}

impl Default for RestOptions {
    fn default() -> Self {
        Self {
            public_url: None,
            way: Way::Clear,
            body_limit: 30 * 1024 * 1024,
            timeout: Duration::from_secs(60),
            cors: Cors::Off,
            counting: Counting::Off,
            rates: Arc::new(Rates::new(Allowed::default())),
            certified: Certified::default(),
            authentication: Authentication::default(),
        }
    }
}

/// Which web pages of other origins may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cors {
    /// None (the guide says `cors = false`).
    Off,
    /// Those of these origins.
    Origins(Vec<String>),
}
