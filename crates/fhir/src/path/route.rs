//! An expression flattened into the JSON members it walks, for those who run many at once.

use crate::release::{Choice, Content, Element, Release, Structure};

use super::{Expression, Literal};

/// One way from a resource down to the values an expression selects.
#[derive(Clone, Debug)]
pub struct Route {
    /// The JSON members walked, from the resource down.
    pub steps: Vec<Step>,
    /// The code of the type of the values.
    pub type_code: &'static str,
    /// The element the values stand in; none when the route is the resource itself.
    pub element: Option<&'static Element>,
    /// The type that references must point to, when `resolve() is` says one.
    pub target: Option<Box<str>>,
    /// Whether the steps say all of the expression.
    pub fidelity: Fidelity,
    content: Content,
}

/// Whether the steps of a route say all of the expression it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// Yes.
    Exact,
    /// No: there are conditions that only an evaluation can judge. The steps are those of the
    /// expression without them.
    Unconditional,
}

/// A JSON member on a route; arrays are walked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub member: Box<str>,
    /// A member that its items must have with this text: `(url, …)`, `(system, phone)`.
    pub only: Option<(Box<str>, Box<str>)>,
}

/// An expression with more routes is not flattened: the types of choices within choices multiply.
const MOST: usize = 4_096;

/// The routes of an expression from a resource type; none when it does not select elements (a
/// condition), selects none that the release knows, or has more than 4,096 ways to them.
#[must_use]
pub fn routes(expression: &Expression, resource_type: &str, release: &'static Release) -> Vec<Route> {
    let Some(root) = release.resource(resource_type) else { return Vec::new() };
    Walk { root, release }.walk(expression).unwrap_or_default()
}

struct Walk {
    root: &'static Structure,
    release: &'static Release,
}

impl Walk {
    /// `None`: more than are worth having.
    fn walk(&self, expression: &Expression) -> Option<Vec<Route>> {
        let routes = match expression {
            Expression::Here => self.start(),
            Expression::Root(name) if &**name == self.root.path || matches!(&**name, "Resource" | "DomainResource") => {
                self.start()
            }
            Expression::Member(on, name) => self.member(on, name)?,
            Expression::Extension(on, url) => {
                let mut routes = self.member(on, "extension")?;
                for route in &mut routes {
                    if let Some(last) = route.steps.last_mut() {
                        last.only = Some(("url".into(), url.clone()));
                    }
                }
                routes
            }
            Expression::Where(on, condition) => {
                let mut routes = self.walk(on)?;
                routes.iter_mut().for_each(|route| restrict(route, condition));
                routes
            }
            Expression::OfType(on, name) => {
                let mut routes = self.walk(on)?;
                routes.retain(|route| route.type_code.eq_ignore_ascii_case(name));
                routes
            }
            Expression::Index(on, _) => {
                let mut routes = self.walk(on)?;
                routes.iter_mut().for_each(|route| route.fidelity = Fidelity::Unconditional);
                routes
            }
            Expression::Union(left, right) => {
                let mut routes = self.walk(left)?;
                routes.extend(self.walk(right)?);
                routes
            }
            _ => Vec::new(),
        };
        (routes.len() <= MOST).then_some(routes)
    }

    fn start(&self) -> Vec<Route> {
        let Some(id) = self.release.structure_id(self.root.path) else { return Vec::new() };
        vec![Route {
            steps: Vec::new(),
            type_code: self.root.path,
            element: None,
            target: None,
            fidelity: Fidelity::Exact,
            content: Content::Structure(id),
        }]
    }

    fn member(&self, on: &Expression, name: &str) -> Option<Vec<Route>> {
        let mut further = Vec::new();
        for route in self.walk(on)? {
            let Content::Structure(id) = route.content else { continue };
            let Some(element) = self.release.structure(id).element(name) else { continue };
            for type_ref in &element.types {
                let mut steps = route.steps.clone();
                let member = match element.choice {
                    Choice::Single => element.name.into(),
                    Choice::OfTypes => element.json_name(type_ref).into(),
                };
                steps.push(Step { member, only: None });
                further.push(Route {
                    steps,
                    type_code: type_ref.code,
                    element: Some(element),
                    target: None,
                    fidelity: route.fidelity,
                    content: type_ref.content,
                });
            }
            if further.len() > MOST {
                return None;
            }
        }
        Some(further)
    }
}

fn restrict(route: &mut Route, condition: &Expression) {
    match condition {
        Expression::Is(what, name) if is_resolved_here(what) && route.target.is_none() => {
            route.target = Some(name.clone());
            return;
        }
        Expression::Equal(left, right) => {
            if let (Expression::Member(on, name), Expression::Literal(Literal::Text(text))) = (&**left, &**right)
                && let (Expression::Here, Some(last)) = (&**on, route.steps.last_mut())
                && last.only.is_none()
            {
                last.only = Some((name.clone(), text.clone()));
                return;
            }
        }
        _ => {}
    }
    route.fidelity = Fidelity::Unconditional;
}

fn is_resolved_here(expression: &Expression) -> bool {
    matches!(expression, Expression::Resolve(on) if **on == Expression::Here)
}

#[cfg(test)]
mod tests {
    use crate::{path::Path, release::r4};

    use super::*;

    /// The routes of a path, as text: `telecom[system=phone] ContactPoint`.
    fn told(path: &str, base: &str) -> Vec<String> {
        let path = Path::parse(path).unwrap();
        routes(path.expression(), base, r4())
            .iter()
            .map(|route| {
                let steps: Vec<_> = route
                    .steps
                    .iter()
                    .map(|step| match &step.only {
                        Some((member, text)) => format!("{}[{member}={text}]", step.member),
                        None => step.member.to_string(),
                    })
                    .collect();
                let target = route.target.as_deref().map(|target| format!(" to {target}")).unwrap_or_default();
                let hint = if route.fidelity == Fidelity::Exact { "" } else { " …" };
                format!("{} {}{target}{hint}", steps.join("."), route.type_code)
            })
            .collect()
    }

    #[test]
    fn paths_become_the_members_of_the_json_form() {
        assert_eq!(told("Patient.name.given", "Patient"), ["name.given string"]);
        assert_eq!(told("Patient.telecom.where(system='phone')", "Patient"), ["telecom[system=phone] ContactPoint"]);
        assert_eq!(
            told("Patient.deceased | Patient.name", "Patient"),
            ["deceasedBoolean boolean", "deceasedDateTime dateTime", "name HumanName"]
        );
        assert_eq!(told("Resource.meta.profile", "Patient"), ["meta.profile canonical"]);
        assert_eq!(
            told("Patient.extension('http://example.org/place').value as Address", "Patient"),
            ["extension[url=http://example.org/place].valueAddress Address"]
        );
    }

    #[test]
    fn conditions_are_told_or_admitted() {
        assert_eq!(
            told("DocumentReference.subject.where(resolve() is Patient)", "DocumentReference"),
            ["subject Reference to Patient"]
        );
        assert_eq!(told("DocumentReference.where(status = 'current').date", "DocumentReference"), ["date instant …"]);
        assert_eq!(told("Patient.active.exists()", "Patient"), [""; 0]);
        assert_eq!(told("Patient.unheardOf", "Patient"), [""; 0]);
    }

    #[test]
    fn choices_within_choices_do_not_multiply_without_end() {
        let deeper = |times: usize| format!("Patient{}", ".extension('u').value".repeat(times));
        let one = told(&deeper(1), "Patient").len();
        assert!(one > 40, "{one}");
        assert_eq!(told(&deeper(2), "Patient").len(), one * extended(&deeper(1)));
        assert_eq!(told(&deeper(9), "Patient"), [""; 0]);
    }

    /// How many of the types at the end of a path have extensions.
    fn extended(path: &str) -> usize {
        told(&format!("{path}.extension('u')"), "Patient").len()
    }
}
