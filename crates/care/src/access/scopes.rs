//! SMART scopes: what a token was granted. They limit what its bearer may do, and never widen it.
//!
//! Both forms of SMART App Launch 2.0: `patient/Observation.rs`, with the letters of create, read, update,
//! delete and search in this order, and a restriction behind `?`; and `user/*.read`, `.write`, `.*` of the
//! first form.

/// What was granted. Scopes of other kinds (`openid`, `offline_access`) say nothing here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    granted: Vec<Scope>,
}

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Of whose data.
    pub context: Context,
    /// The type of the resources; `None` for every type.
    pub resource_type: Option<String>,
    /// What may be done.
    rights: u8,
    /// What the resources must match besides, as in the query string of a search.
    pub restriction: Option<String>,
}

/// Of whose data a scope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Of the one person that the token was launched for.
    Patient,
    /// Of what the user may see.
    User,
    /// Of what software may see without a user.
    System,
}

/// A right, as the letters of the second form name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// `c`: to create.
    Create,
    /// `r`: to read, versions and history of one resource among it.
    Read,
    /// `u`: to update and patch.
    Update,
    /// `d`: to delete.
    Delete,
    /// `s`: to search, and to read the history of a type.
    Search,
}

impl Right {
    const ALL: [(u8, Self); 5] =
        [(b'c', Self::Create), (b'r', Self::Read), (b'u', Self::Update), (b'd', Self::Delete), (b's', Self::Search)];

    const fn bit(self) -> u8 {
        match self {
            Self::Create => 1,
            Self::Read => 1 << 1,
            Self::Update => 1 << 2,
            Self::Delete => 1 << 3,
            Self::Search => 1 << 4,
        }
    }
}

/// A scope for data that cannot be understood: the token that carries it is refused rather than half
/// understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scope {0} is not understood")]
pub struct NoScope(pub String);

impl Scopes {
    /// Reads the scopes of a token, separated by blanks.
    ///
    /// # Errors
    /// A scope that begins as one for data does, and goes on as none.
    pub fn read(text: &str) -> Result<Self, NoScope> {
        let granted: Result<Vec<_>, _> = text.split_ascii_whitespace().filter_map(Scope::read).collect();
        Ok(Self { granted: granted? })
    }

    /// Whether no scope for data was granted: then scopes limit nothing, and the rules alone decide.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.granted.is_empty()
    }

    /// Everything that was granted.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.granted.iter()
    }

    /// The scopes that give a right on a type: it needs one of them, and what it reaches must match the
    /// restriction of one of them. `None` for the type asks for every type at once.
    pub fn giving(&self, right: Right, resource_type: Option<&str>) -> impl Iterator<Item = &Scope> {
        self.granted.iter().filter(move |scope| {
            let of_type = scope.resource_type.is_none() || scope.resource_type.as_deref() == resource_type;
            of_type && scope.rights & right.bit() != 0
        })
    }
}

impl Scope {
    /// Whether it gives a right on a type, be it on some of its resources only.
    #[must_use]
    pub fn gives(&self, right: Right, resource_type: &str) -> bool {
        let of_type = self.resource_type.as_deref().is_none_or(|own| own == resource_type);
        of_type && self.rights & right.bit() != 0
    }

    fn read(text: &str) -> Option<Result<Self, NoScope>> {
        let (context, rest) = text.split_once('/')?;
        let context = match context {
            "patient" => Context::Patient,
            "user" => Context::User,
            "system" => Context::System,
            _ => return None,
        };
        Some(Self::granted(context, rest).ok_or_else(|| NoScope(text.to_owned())))
    }

    fn granted(context: Context, rest: &str) -> Option<Self> {
        let (rest, restriction) = match rest.split_once('?') {
            Some((rest, restriction)) if !restriction.is_empty() => (rest, Some(restriction.to_owned())),
            Some(_) => return None,
            None => (rest, None),
        };
        let (resource_type, rights) = rest.split_once('.')?;
        let resource_type = match resource_type {
            "*" => None,
            name if name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.bytes().all(|letter| letter.is_ascii_alphanumeric()) =>
            {
                Some(name.to_owned())
            }
            _ => return None,
        };
        Some(Self { context, resource_type, rights: rights_of(rights)?, restriction })
    }
}

fn rights_of(text: &str) -> Option<u8> {
    let of = |rights: &[Right]| rights.iter().fold(0, |bits, right| bits | right.bit());
    Some(match text {
        "read" => of(&[Right::Read, Right::Search]),
        "write" => of(&[Right::Create, Right::Update, Right::Delete]),
        "*" => of(&Right::ALL.map(|(_, right)| right)),
        "" => return None,
        // The letters stand in one order, each at most once.
        letters => {
            let mut known = Right::ALL.iter();
            letters.bytes().try_fold(0, |bits, letter| {
                known.find(|(its, _)| *its == letter).map(|(_, right)| bits | right.bit())
            })?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(text: &str, resource_type: &str) -> String {
        let scopes = Scopes::read(text).unwrap();
        let given = |right: Right| scopes.giving(right, Some(resource_type)).next().is_some();
        Right::ALL.iter().filter(|(_, right)| given(*right)).map(|(letter, _)| char::from(*letter)).collect()
    }

    #[test]
    fn both_forms_say_what_may_be_done() {
        assert_eq!(rights("user/DocumentReference.rs", "DocumentReference"), "rs");
        assert_eq!(rights("user/DocumentReference.cruds", "DocumentReference"), "cruds");
        assert_eq!(rights("patient/*.read", "DocumentReference"), "rs");
        assert_eq!(rights("patient/*.write", "DocumentReference"), "cud");
        assert_eq!(rights("system/*.*", "DocumentReference"), "cruds");
    }

    #[test]
    fn scopes_of_one_type_give_nothing_on_another() {
        assert_eq!(rights("user/DocumentReference.rs user/Patient.r", "Patient"), "r");
        assert_eq!(rights("user/DocumentReference.rs", "Patient"), "");
        let scopes = Scopes::read("user/DocumentReference.rs").unwrap();
        assert_eq!(scopes.giving(Right::Search, None).count(), 0, "everything at once needs a scope of every type");
    }

    #[test]
    fn a_restriction_goes_with_its_scope() {
        let scopes = Scopes::read("patient/Observation.rs?category=laboratory&status=final").unwrap();
        let restriction = scopes.giving(Right::Read, Some("Observation")).next().unwrap().restriction.as_deref();
        assert_eq!(restriction, Some("category=laboratory&status=final"));
    }

    #[test]
    fn other_scopes_say_nothing_here() {
        for text in ["", "openid profile offline_access", "launch/patient fhirUser", "online_access scope_all"] {
            assert!(Scopes::read(text).unwrap().is_silent(), "{text}");
        }
    }

    #[test]
    fn a_scope_for_data_that_is_not_understood_is_refused() {
        for text in [
            "user/DocumentReference",
            "user/DocumentReference.",
            "user/DocumentReference.sr",
            "user/DocumentReference.rr",
            "user/DocumentReference.rx",
            "user/documentReference.rs",
            "user/.rs",
            "patient/*.rs?",
            "user/Document Reference.rs",
            "system/../Patient.r",
        ] {
            assert!(Scopes::read(text).is_err(), "{text}");
        }
    }
}
