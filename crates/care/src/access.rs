//! Who may see what, and do what: the rules of access, pure and in one place.
//!
//! The words. A *notebook* is what is kept about one person. Somebody stands towards a notebook in
//! one or several [`Capacity`]s (the person, a relative, a health professional…), which the person's
//! circle gives: the active `CareTeam`, its period and those of its members ([`circle`]). What is in
//! the notebook is hidden from some capacities by its labels ([`audience`]). What a resource belongs
//! to is read from it alone ([`belonging`]). From the three, [`rules`] decides.
//!
//! The rules, all of them:
//!
//! | of a notebook | is seen by | is made by | is changed by |
//! |---|---|---|---|
//! | the note | the circle and the person, unless its label hides it; its author always | the circle and the person, as themselves | its author |
//! | who is who ([`Class::Identity`]) | the circle and the person; the operator | professionals, establishments, the person, legal representatives | the same |
//! | the circle itself | the circle and the person; the operator | whoever keeps it | whoever keeps it ([`Keeping`]) |
//! | anything else about the person | the circle and the person | the circle and the person | whoever made it |
//! | *of no notebook:* directory | everybody who is known here | professionals, establishments, the operator | an establishment itself, the operator |
//! | *of no notebook:* definitions | everybody who is known here | the operator | the operator |
//! | *of no notebook:* the rest | whoever made it, the operator | everybody who is known here | whoever made it, the operator |
//!
//! Of who is who, what access rests on is for fewer ([`said`]): a relation by law for who keeps the circle, one's own
//! number on somebody else for nobody.
//!
//! What is not seen does not exist: it is answered as what was never there. The sources: Cercle de
//! soins 2.0.1 (the circle), Cahier de liaison 3.0.0 §2 (labels of JDV_J110, only the author changes a
//! note), the volet of 2017 (confidentiality codes). Both volets leave access to who runs a server;
//! `docs/decisions/0040-access.md` gives the reasons for what they do not say.

pub mod audience;
pub mod belonging;
pub mod capacity;
pub mod circle;
pub mod emergency;
pub mod identity;
pub mod limits;
pub mod rules;
pub mod said;
pub mod scopes;
pub mod sight;

pub use audience::Audience;
pub use belonging::{Belonging, Class, Party};
pub use capacity::{Capacities, Capacity};
pub use circle::{Circle, Keeping, Member};
pub use identity::{Acting, Identity};
pub use limits::{Leave, Limits};
pub use rules::{Deed, Office, Owner, Reason, Standing, Verdict, decide};
pub use scopes::Scopes;
pub use sight::{InNotebook, Sight};

#[cfg(test)]
mod tests;
