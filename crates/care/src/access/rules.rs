//! The decision: may somebody who stands like this do that to such a thing?

use super::{
    audience::Audience,
    belonging::Class,
    capacity::{Capacities, Capacity},
    circle::Keeping,
};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// To see it in any way: read it, find it, count it, be led to it.
    See,
    /// To make it.
    Make,
    /// To change it.
    Change,
    /// To delete it.
    Remove,
}

/// How somebody stands towards a thing at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What they are by themselves, whatever the notebook; for an operator nothing.
    pub nature: Capacities,
    /// What they are in the notebook of the thing; none for a stranger to it.
    pub in_notebook: Capacities,
    /// Whether the circle of the notebook is theirs to keep.
    pub keeping: Keeping,
    /// Whose the thing is.
    pub owner: Owner,
    /// Whether they run the server.
    pub office: Office,
}

/// Whose a thing is, seen by who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// They wrote it (or will have written it), or somebody for whom they may act; or it is about
    /// themselves.
    Oneself,
    /// Others did.
    Others,
}

/// Whether somebody runs the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Office {
    /// They do. It gives who is who and the circles, never what is noted about a person.
    Operator,
    /// They do not.
    None,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// They may.
    Granted,
    /// They may not, and may know that it is there.
    Refused(Reason),
    /// For them it is not there.
    Hidden,
}

/// Why something that one may know of is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Only its author changes it.
    NotTheAuthor,
    /// It would be written in the name of somebody else.
    InAnothersName,
    /// Only who keeps the circle changes it.
    NotAKeeper,
    /// Only some kinds of people or structures may.
    NotOfTheKind,
    /// Only who runs the server may.
    NotTheOperator,
}

use Capacity::{Establishment, HealthProfessional, LegalRepresentative, OtherProfessional, Person, SocialProfessional};

/// Those who do this for a living.
const PROFESSIONALS: Capacities =
    Capacities::of(&[HealthProfessional, SocialProfessional, OtherProfessional, Establishment]);

/// Those who say who is who in a notebook.
const IDENTIFYING: Capacities = PROFESSIONALS.and(Capacities::of(&[Person, LegalRepresentative]));

/// Those whose circle it is by what they are.
const KEEPERS: Capacities = Capacities::of(&[Person, LegalRepresentative]);

/// Decides.
#[must_use]
pub fn decide(deed: Deed, class: Class, audience: Audience, standing: Standing) -> Verdict {
    match deed {
        Deed::See if sees(class, audience, standing) => Verdict::Granted,
        Deed::Make if knows_the_notebook(class, standing) => make(class, standing),
        Deed::Change if sees(class, audience, standing) => change(class, standing),
        Deed::Remove if sees(class, audience, standing) => remove(class, standing),
        _ => Verdict::Hidden,
    }
}

fn sees(class: Class, audience: Audience, standing: Standing) -> bool {
    let own = standing.owner == Owner::Oneself;
    let operator = standing.office == Office::Operator;
    let in_circle = !standing.in_notebook.is_none() && !audience.hides_from(standing.in_notebook);
    match class {
        Class::Directory | Class::Definition => true,
        Class::Note | Class::Record => own || in_circle,
        Class::Identity | Class::Circle => own || in_circle || operator,
        Class::Private => own || operator,
    }
}

/// Whether there is a notebook, for who asks, in which it could be made; a person who is new opens one.
fn knows_the_notebook(class: Class, standing: Standing) -> bool {
    match class {
        Class::Note | Class::Record => !standing.in_notebook.is_none(),
        Class::Circle => !standing.in_notebook.is_none() || standing.office == Office::Operator,
        Class::Identity | Class::Directory | Class::Definition | Class::Private => true,
    }
}

fn make(class: Class, standing: Standing) -> Verdict {
    match class {
        Class::Note | Class::Record => granted_if(standing.owner == Owner::Oneself, Reason::InAnothersName),
        Class::Circle => keep(standing),
        Class::Identity => identify(standing),
        Class::Directory => {
            granted_if(standing.nature.meets(PROFESSIONALS) || is_operator(standing), Reason::NotOfTheKind)
        }
        Class::Definition => granted_if(is_operator(standing), Reason::NotTheOperator),
        Class::Private => Verdict::Granted,
    }
}

fn change(class: Class, standing: Standing) -> Verdict {
    let own = standing.owner == Owner::Oneself;
    match class {
        Class::Note | Class::Record => granted_if(own, Reason::NotTheAuthor),
        Class::Circle => keep(standing),
        Class::Identity => identify(standing),
        // Nobody writes a profession for themselves: what the directory says of people is for who answers for it.
        Class::Directory => {
            let itself = own && standing.nature.meets(Establishment.into());
            granted_if(itself || is_operator(standing), Reason::NotTheOperator)
        }
        Class::Private => granted_if(own || is_operator(standing), Reason::NotTheOperator),
        Class::Definition => granted_if(is_operator(standing), Reason::NotTheOperator),
    }
}

fn remove(class: Class, standing: Standing) -> Verdict {
    match class {
        // A circle is closed, a person stays as long as anything is about them (Cercle de soins §1, Cahier de
        // liaison §1): to delete either is no use of the notebook.
        Class::Circle | Class::Identity | Class::Directory => granted_if(is_operator(standing), Reason::NotTheOperator),
        Class::Note | Class::Record | Class::Definition | Class::Private => change(class, standing),
    }
}

fn keep(standing: Standing) -> Verdict {
    let keeps = standing.keeping == Keeping::Keeper || standing.in_notebook.meets(KEEPERS);
    granted_if(keeps || is_operator(standing), Reason::NotAKeeper)
}

/// Whether they may say who somebody is: in a notebook by what they are in it, for a person who is new by
/// what they are at all, and always of themselves.
fn identify(standing: Standing) -> Verdict {
    let capacities = match standing.in_notebook.is_none() {
        true => standing.nature,
        false => standing.in_notebook,
    };
    let may = capacities.meets(IDENTIFYING) || standing.owner == Owner::Oneself || is_operator(standing);
    granted_if(may, Reason::NotOfTheKind)
}

fn is_operator(standing: Standing) -> bool {
    standing.office == Office::Operator
}

fn granted_if(may: bool, reason: Reason) -> Verdict {
    if may { Verdict::Granted } else { Verdict::Refused(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(capacity: Capacity) -> Standing {
        Standing {
            nature: capacity.into(),
            in_notebook: capacity.into(),
            keeping: Keeping::Member,
            owner: Owner::Others,
            office: Office::None,
        }
    }

    fn stranger(capacity: Capacity) -> Standing {
        Standing { in_notebook: Capacities::NONE, ..standing(capacity) }
    }

    fn operator() -> Standing {
        Standing {
            nature: Capacities::NONE,
            in_notebook: Capacities::NONE,
            keeping: Keeping::Member,
            owner: Owner::Others,
            office: Office::Operator,
        }
    }

    const IN_NOTEBOOK: [Class; 4] = [Class::Note, Class::Identity, Class::Circle, Class::Record];

    #[test]
    fn for_a_stranger_nothing_of_a_notebook_is_there_whatever_they_try() {
        for capacity in Capacity::ALL {
            for class in IN_NOTEBOOK {
                for deed in [Deed::See, Deed::Change, Deed::Remove] {
                    let verdict = decide(deed, class, Audience::OPEN, stranger(capacity));
                    assert_eq!(verdict, Verdict::Hidden, "{capacity:?} {class:?} {deed:?}");
                }
            }
            for class in [Class::Note, Class::Record, Class::Circle] {
                let own = Standing { owner: Owner::Oneself, ..stranger(capacity) };
                assert_eq!(decide(Deed::Make, class, Audience::OPEN, own), Verdict::Hidden, "{capacity:?} {class:?}");
            }
        }
    }

    #[test]
    fn an_author_sees_and_changes_the_note_even_when_no_longer_in_the_circle_or_held_from_it() {
        for capacity in Capacity::ALL {
            for before in [standing(capacity), stranger(capacity)] {
                let author = Standing { owner: Owner::Oneself, ..before };
                for deed in [Deed::See, Deed::Change, Deed::Remove] {
                    assert_eq!(decide(deed, Class::Note, Audience::from_bits(u8::MAX), author), Verdict::Granted);
                }
            }
        }
    }

    #[test]
    fn nobody_but_the_author_changes_a_note_not_even_the_person_or_the_operator() {
        for capacity in [Person, LegalRepresentative, HealthProfessional, SocialProfessional] {
            for deed in [Deed::Change, Deed::Remove] {
                let verdict = decide(deed, Class::Note, Audience::OPEN, standing(capacity));
                assert_eq!(verdict, Verdict::Refused(Reason::NotTheAuthor));
            }
        }
        assert_eq!(decide(Deed::Change, Class::Note, Audience::OPEN, operator()), Verdict::Hidden);
    }

    #[test]
    fn what_is_hidden_cannot_be_told_from_what_is_not_there() {
        for capacity in Capacity::ALL {
            for deed in [Deed::See, Deed::Change, Deed::Remove] {
                let verdict = decide(deed, Class::Note, Audience::from_bits(u8::MAX), standing(capacity));
                assert_eq!(verdict, Verdict::Hidden);
            }
        }
    }

    #[test]
    fn a_note_is_written_in_ones_own_name() {
        for capacity in Capacity::ALL {
            let other = decide(Deed::Make, Class::Note, Audience::OPEN, standing(capacity));
            assert_eq!(other, Verdict::Refused(Reason::InAnothersName));
            let own = Standing { owner: Owner::Oneself, ..standing(capacity) };
            assert_eq!(decide(Deed::Make, Class::Note, Audience::OPEN, own), Verdict::Granted);
        }
    }

    #[test]
    fn the_circle_is_kept_by_the_person_who_acts_for_them_who_is_charged_with_it_and_the_operator() {
        let may = |standing| decide(Deed::Change, Class::Circle, Audience::OPEN, standing) == Verdict::Granted;
        assert!(may(standing(Person)) && may(standing(LegalRepresentative)) && may(operator()));
        assert!(may(Standing { keeping: Keeping::Keeper, ..standing(HealthProfessional) }));
        for capacity in [Capacity::Relative, HealthProfessional, SocialProfessional, OtherProfessional, Establishment] {
            assert!(!may(standing(capacity)), "{capacity:?}");
        }
    }

    #[test]
    fn the_operator_sees_who_is_who_and_the_circles_but_nothing_that_is_noted() {
        let sees = |class| decide(Deed::See, class, Audience::OPEN, operator()) == Verdict::Granted;
        assert!(sees(Class::Identity) && sees(Class::Circle) && sees(Class::Directory));
        assert!(!sees(Class::Note) && !sees(Class::Record));
    }

    #[test]
    fn professionals_bring_in_persons_and_relatives_do_not() {
        let may = |capacity| decide(Deed::Make, Class::Identity, Audience::OPEN, stranger(capacity));
        assert_eq!(may(HealthProfessional), Verdict::Granted);
        assert_eq!(may(Establishment), Verdict::Granted);
        assert_eq!(may(Capacity::Relative), Verdict::Refused(Reason::NotOfTheKind));
        assert_eq!(may(Capacity::Device), Verdict::Refused(Reason::NotOfTheKind));
    }

    #[test]
    fn a_device_writes_and_sees_what_it_wrote_and_nothing_else() {
        let device = standing(Capacity::Device);
        assert_eq!(decide(Deed::See, Class::Note, Audience::OPEN, device), Verdict::Hidden);
        let own = Standing { owner: Owner::Oneself, ..device };
        for deed in [Deed::Make, Deed::See] {
            assert_eq!(decide(deed, Class::Note, Audience::OPEN, own), Verdict::Granted);
        }
    }

    #[test]
    fn the_directory_is_read_by_all_and_changed_by_a_structure_itself_or_the_operator() {
        let nurse = stranger(HealthProfessional);
        assert_eq!(decide(Deed::See, Class::Directory, Audience::OPEN, stranger(Capacity::Relative)), Verdict::Granted);
        let change = |standing| decide(Deed::Change, Class::Directory, Audience::OPEN, standing);
        assert_eq!(change(nurse), Verdict::Refused(Reason::NotTheOperator));
        let own = |capacity| change(Standing { owner: Owner::Oneself, ..stranger(capacity) });
        assert_eq!(own(HealthProfessional), Verdict::Refused(Reason::NotTheOperator), "nor a profession of one's own");
        assert_eq!(own(Establishment), Verdict::Granted);
        assert_eq!(change(operator()), Verdict::Granted);
    }
}
