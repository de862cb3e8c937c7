//! Several servers on one database.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;

use crate::{Fhir, Launch, Server, Store};

/// Servers that were started at the same moment.
pub struct Nodes {
    servers: Vec<Server>,
    book: Book,
}

/// Where the nodes are now, for those who go on while they are killed and started again.
#[derive(Clone)]
pub struct Book {
    bases: Arc<Mutex<Vec<Fhir>>>,
    patience: Duration,
}

impl Book {
    /// A client of one of them; numbers go round.
    pub fn r4(&self, number: usize) -> Fhir {
        let bases = self.bases();
        bases[number % bases.len()].clone()
    }

    fn put(&self, number: usize, server: &Server) {
        let base = server.r4_within(self.patience);
        let mut bases = self.bases();
        match bases.get_mut(number) {
            Some(there) => *there = base,
            None => bases.push(base),
        }
    }

    fn bases(&self) -> MutexGuard<'_, Vec<Fhir>> {
        self.bases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Longer than a server may take to answer: who waited so long was forgotten.
const PATIENCE: Duration = Duration::from_secs(90);

impl Nodes {
    /// Three on an empty database.
    pub async fn three() -> Self {
        Self::start(&Launch::on(Store::in_a_database()), 3).await
    }

    /// So many, started like this.
    pub async fn start(how: &Launch, many: usize) -> Self {
        let servers = join_all((0..many).map(|_| Server::launch(how.clone()))).await;
        let book = Book { bases: Arc::default(), patience: PATIENCE };
        for (number, server) in servers.iter().enumerate() {
            book.put(number, server);
        }
        Self { servers, book }
    }

    /// Where they are, for clients that go on.
    pub fn book(&self) -> Book {
        self.book.clone()
    }

    /// How many there are.
    pub fn many(&self) -> usize {
        self.servers.len()
    }

    /// One of them; numbers go round.
    pub fn server(&self, number: usize) -> &Server {
        &self.servers[number % self.many()]
    }

    /// A client of the R4 base of one of them.
    pub fn r4(&self, number: usize) -> Fhir {
        self.server(number).r4()
    }

    /// Clients of all of them, beginning with this one.
    pub fn all_r4(&self, first: usize) -> Vec<Fhir> {
        (0..self.many()).map(|number| self.r4(first + number)).collect()
    }

    /// The same address at another node: a link of one is followed there.
    pub fn at(&self, number: usize, address: &str) -> String {
        let mine = self.servers.iter().find_map(|server| address.strip_prefix(server.root()));
        let rest = mine.unwrap_or_else(|| panic!("{address} is an address of no node"));
        format!("{}{rest}", self.server(number).root())
    }

    /// Ends one as a power cut would.
    pub async fn kill(&mut self, number: usize) {
        self.servers[number].kill().await;
    }

    /// Starts one again that was killed; its address is another.
    pub async fn start_again(&mut self, number: usize) {
        let how = self.servers[number].how();
        self.servers[number] = Server::launch(how).await;
        self.book.put(number, &self.servers[number]);
    }
}
