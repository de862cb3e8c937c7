//! What the store promises: the words in which the use cases speak to it.
//!
//! The store knows resources as (type, id, version, bytes) with rows of index beside them. It does
//! not know what a type means, which releases exist, or who may see what.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use liaison_fhir::search::index::{IndexRow, Param};

/// A moment: microseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl Instant {
    /// As FHIR writes an instant, in UTC with six decimals: `2024-05-10T07:30:00.000001Z`.
    #[must_use]
    pub fn text(self) -> String {
        liaison_fhir::primitive::format_instant(self.0)
    }
}

/// The name of a resource: its type and logical id. Both were checked where they came in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The resource type.
    pub resource_type: Box<str>,
    /// The logical id.
    pub id: Box<str>,
}

/// How a version came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The first version, or the first after a deletion.
    Create,
    /// A later version.
    Update,
    /// A deletion: the version has no body.
    Delete,
}

/// Which form the body of a version was written in: an opaque tag for the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Form(pub u8);

/// The body of a version before the store gives it its version and instant.
///
/// The stored bytes are `head`, then the JSON member
/// `"versionId":"…","lastUpdated":"…"` (without a comma on either side), then `tail`.
/// Offsets of holes count in the final bytes *before* that member when they lie in `head`, and are
/// relative to the start of `tail` otherwise: see [`Hole`].
#[derive(Clone, Debug)]
pub struct PreparedBody {
    /// Everything up to and including the `{` (or the comma) of `meta`.
    pub head: Bytes,
    /// Everything after.
    pub tail: Bytes,
    /// What was left out of `tail` and comes back when the body is answered.
    pub holes: Vec<Hole>,
}

/// A place in a body where something is put back when it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Offset in `tail` (when preparing) or in the whole body (when read back).
    pub at: u32,
    /// What goes there.
    pub filler: Filler,
}

/// What fills a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filler {
    /// The FHIR base of whoever reads, with a trailing `/`: for `attachment.url`.
    Base,
    /// The base64 text of an attachment, as the member `"data":"…",`.
    Data(BlobId),
}

/// The name of an attachment: the SHA-256 of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub [u8; 32]);

/// A version, as stored.
#[derive(Clone, Debug)]
pub struct Version {
    /// Which resource.
    pub name: Name,
    /// Counted from 1.
    pub version: u32,
    /// When it was committed.
    pub updated: Instant,
    /// How it came to be.
    pub change: Change,
    /// The form it was written in.
    pub form: Form,
    /// Its bytes (compact JSON); empty for a deletion.
    pub body: Bytes,
    /// What is to be put back in, in ascending order of place.
    pub holes: Vec<Hole>,
    /// What whoever read it found in it.
    pub found: Found,
}

/// What somebody found in a version, kept with it as long as it is in memory: a version never changes.
#[derive(Clone, Default)]
pub struct Found(OnceLock<Arc<dyn Any + Send + Sync>>);

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").finish_non_exhaustive()
    }
}

impl Found {
    /// What was found, when it is of this kind.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get()?.downcast_ref()
    }

    /// Keeps what was found, unless something is kept.
    pub fn keep(&self, found: Arc<dyn Any + Send + Sync>) {
        // What is kept already is as good.
        let _ = self.0.set(found);
    }
}

/// A version to commit. Everything but its number and instant was prepared before.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// Which resource.
    pub name: Name,
    /// The resource whose notebook it belongs to: what is of one notebook is written in one order.
    /// `None` for what is of its own.
    pub notebook: Option<Name>,
    /// Who gave it its name.
    pub named: Named,
    /// What happens to it.
    pub change: Change,
    /// The form it is written in.
    pub form: Form,
    /// Its bytes; `None` for a deletion.
    pub body: Option<PreparedBody>,
    /// The rows that find it; empty for a deletion. Replace those of the version before.
    pub index: Vec<IndexRow>,
    /// Every resource of this server it refers to, whether a search parameter covers the place or
    /// not. They must be live, or become so in the same transaction.
    pub links: Vec<Link>,
    /// Keys that no other live resource may hold: replace those of the version before.
    pub unique: Vec<UniqueKey>,
    /// The attachments it needs: none of them is ever collected while a version needs it.
    pub blobs: Vec<BlobId>,
    /// Who did it: kept in the change row.
    pub caller: Box<str>,
}

/// Who gave a resource its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The server, at random: nobody else can be giving the same to another.
    ByServer,
    /// The caller.
    ByCaller,
}

/// A reference to a resource of this server, with the place it stands at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it points to.
    pub to: Name,
    /// Where it stands, for the error that says it does not resolve.
    pub place: Box<str>,
}

/// A key that only one live resource may hold, such as a note's `masterIdentifier`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniqueKey {
    /// The kind of key.
    pub scope: &'static str,
    /// The key, already normalised.
    pub key: Box<str>,
}

/// Bytes of an attachment with their name, computed once and outside the writer.
#[derive(Clone, Debug)]
pub struct NewBlob {
    id: BlobId,
    bytes: Bytes,
}

impl NewBlob {
    /// Names the bytes by their SHA-256.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let mut id = [0; 32];
        id.copy_from_slice(digest.as_ref());
        Self { id: BlobId(id), bytes }
    }

    /// The name of the bytes.
    #[must_use]
    pub const fn id(&self) -> BlobId {
        self.id
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// What a commit gave.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The version as stored.
    pub version: Version,
    /// The shard it lies in.
    pub shard: u32,
    /// Its place in the change feed of the shard: gap-free, ascending.
    pub sequence: u64,
}

/// An entry of the change feed of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// The shard.
    pub shard: u32,
    /// Its place.
    pub sequence: u64,
    /// Which resource.
    pub name: Name,
    /// Which version.
    pub version: u32,
    /// When.
    pub at: Instant,
    /// What happened.
    pub change: Change,
    /// Who did it.
    pub caller: Box<str>,
}

/// How much of a result is wanted.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// At most this many matches (0: only the count).
    pub count: u32,
    /// Where to go on, from an earlier page. Carries what keeps pages consistent while others
    /// write: the sequence as of which the first page was made.
    pub cursor: Option<Cursor>,
    /// How the total is counted.
    pub total: TotalMode,
    /// At most this many included resources; beyond, [`Page::includes_cut`] says so.
    pub include_limit: u32,
    /// Give up after this long.
    pub deadline: std::time::Duration,
}

/// How the total of a search is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotalMode {
    /// Not at all.
    None,
    /// Exactly up to 10,000 matches, not beyond (the default).
    Bounded,
    /// Exactly.
    Accurate,
}

/// An opaque place in a result; text that a client can carry in a link and cannot forge into
/// anything but another place of the same search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A page of a search.
#[derive(Clone, Debug)]
pub struct Page {
    /// The matches, in order.
    pub matches: Vec<Arc<Version>>,
    /// What was brought in beside them, each once, none of them a match of this page.
    pub includes: Vec<Arc<Version>>,
    /// Whether some included resources were left out.
    pub includes_cut: Cut,
    /// The number of matches, when counted.
    pub total: Option<u64>,
    /// Where the next page begins, when there is one.
    pub next: Option<Cursor>,
}

/// How far `:iterate` goes from the matches: circles end by themselves, long threads end here.
pub const INCLUDE_DEPTH: u32 = 32;

/// Whether something was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing was.
    Whole,
    /// What is beyond the limit.
    Cut,
    /// What is more than [`INCLUDE_DEPTH`] steps away.
    Deep,
}

/// Whose history is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HistoryOf {
    /// Of one resource.
    Resource(Name),
    /// Of a type.
    Type(Box<str>),
    /// Of everything.
    All,
}

/// Which part of a history is asked for; newest first.
#[derive(Clone, Debug)]
pub struct HistoryRequest {
    /// Whose.
    pub of: HistoryOf,
    /// Only versions committed at or after this.
    pub since: Option<Instant>,
    /// Only the versions current at this moment.
    pub at: Option<(Instant, Instant)>,
    /// At most this many.
    pub count: u32,
    /// Where to go on.
    pub cursor: Option<Cursor>,
}

/// A page of history.
#[derive(Clone, Debug)]
pub struct HistoryPage {
    /// The versions, newest first.
    pub versions: Vec<Version>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins, when there is one.
    pub next: Option<Cursor>,
}

/// What answers a repeated request with the same `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedAnswer {
    /// SHA-256 of the request it answered.
    pub request: [u8; 32],
    /// The versions it made, in order.
    pub versions: Vec<(Name, u32)>,
    /// When.
    pub at: Instant,
}

/// What went wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A key is already held by another resource.
    #[error("key already held by {holder:?}")]
    KeyTaken {
        /// The key.
        key: UniqueKey,
        /// Who holds it.
        holder: Name,
    },
    /// References that do not resolve to a live resource.
    #[error("references do not resolve")]
    Unresolved(Vec<Link>),
    /// Others still refer to what would be deleted.
    #[error("still referred to")]
    Referred {
        /// Some of them, at most 10.
        by: Vec<Name>,
    },
    /// The resource was at another version than the change supposes (a creation of what is live, a
    /// change or deletion of what is not).
    #[error("not in the state the change supposes")]
    WrongState,
    /// The deadline passed.
    #[error("took too long")]
    TooSlow,
    /// The cursor is not one of ours, or of another search.
    #[error("unknown cursor")]
    BadCursor,
    /// An attachment that a body needs is not there.
    #[error("attachment missing")]
    BlobMissing(BlobId),
    /// The store is not at the version of this program.
    #[error("store at schema {found}, program at {expected}")]
    Schema {
        /// What the store has.
        found: u32,
        /// What the program needs.
        expected: u32,
    },
    /// The rows of these parameters are not there for all resources: they must be made anew.
    #[error("not indexed: {}", .params.iter().map(|param| format!("{}.{}", param.base, param.code)).collect::<Vec<_>>().join(", "))]
    NotReady {
        /// Which, at least one.
        params: Vec<Param>,
    },
    /// The store is indexed by the definitions of another version of the program: this one would write rows
    /// that searches miss.
    #[error("the store is indexed by another version of the program")]
    Superseded,
    /// What was being made anew is not any more: another pass was begun, or a program of other definitions.
    #[error("the index is made anew by somebody else, or was changed")]
    Overtaken,
    /// The file is a database, but not one of ours.
    #[error("not a store of this program")]
    Foreign,
    /// The attachments of this store are kept in another place than it was opened with.
    #[error("attachments are kept in {found}, not in {given}")]
    Attachments {
        /// Where they are.
        found: String,
        /// Where they were said to be.
        given: String,
    },
    /// Another process serves this store.
    #[error("store in use by another process")]
    InUse,
    /// What is there is not what was written: pages, rows, or pieces of attachments. Nothing of it
    /// was given.
    #[error("the store is damaged")]
    Damaged(#[source] Cause),
    /// The store ends before a change that was acknowledged: its log is gone or damaged.
    #[error("the store ends at change {found}, but changes up to {acknowledged} were acknowledged")]
    LogLost {
        /// The last change that was acknowledged.
        acknowledged: u64,
        /// The last change that is there.
        found: u64,
    },
    /// The disk is full: nothing was written; what is there can be read.
    #[error("the disk is full")]
    Full(#[source] Cause),
    /// The file cannot be written to: nothing was written; what is there can be read.
    #[error("the store is read-only")]
    ReadOnly(#[source] Cause),
    /// The file cannot be opened, for a reason that lies with the file system.
    #[error("the file cannot be opened")]
    Unopened(#[source] std::io::Error),
    /// The store went away while it committed: whether it did is not known.
    #[error("whether it was committed is not known")]
    InDoubt(#[source] Cause),
    /// The store is broken or away: the cause is for the log.
    #[error("store unavailable")]
    Unavailable(#[source] Cause),
}

/// Why the store failed, in whatever words there are: for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
