//! Evaluating an expression on a resource, guided by the tables of its release.

mod compare;
mod condition;
mod node;

use std::{cell::Cell, ops::ControlFlow};

use compact_str::{CompactString, format_compact};

use crate::{
    release::Release,
    tree::{Object, Value},
};

use super::{Expression, Literal};
pub(crate) use node::pointed_type;
pub use node::{Node, NodeContent, target_type};

/// Something an expression selects.
#[derive(Clone, Debug)]
pub enum Item<'t> {
    /// An element of the resource, or the resource itself.
    Node(Node<'t>),
    /// What a reference points to: only its type is known.
    Target(&'t str),
    /// A truth value that was computed.
    Truth(bool),
    /// A number that was computed.
    Integer(i64),
    /// A text that was computed.
    Text(CompactString),
    /// A literal of the expression.
    Literal(&'t Literal),
}

impl Item<'_> {
    /// Its text, when it is a primitive or a computed value.
    #[must_use]
    pub fn text(&self) -> Option<CompactString> {
        compare::text(self)
    }
}

/// How many steps evaluations may still take together: no expression and no resource, however
/// made, costs more than this.
#[derive(Debug)]
pub struct Steps(Cell<u32>);

impl Steps {
    /// As many as any sensible resource needs: a tenth of a second at most.
    #[must_use]
    pub const fn enough() -> Self {
        Self(Cell::new(5_000_000))
    }

    /// Takes one; false when there is none left.
    fn take(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }

    /// Whether none is left: then what was evaluated tells nothing.
    #[must_use]
    pub const fn are_used_up(&self) -> bool {
        self.0.get() == 0
    }
}

/// Whether items are still wanted.
type Flow = ControlFlow<()>;

/// Takes the items one by one.
type Taker<'f, 't> = &'f mut dyn FnMut(Item<'t>) -> Flow;

/// An evaluation under way.
#[derive(Clone)]
pub struct Evaluation<'t, 's> {
    release: &'static Release,
    resource: &'t Object,
    container: &'t Object,
    here: Option<Item<'t>>,
    steps: &'s Steps,
}

impl<'t, 's> Evaluation<'t, 's> {
    /// On a resource.
    #[must_use]
    pub fn of(resource: &'t Object, release: &'static Release, steps: &'s Steps) -> Self {
        let here = Some(Item::Node(Node::of_resource(resource, release)));
        Self { release, resource, container: resource, here, steps }
    }

    /// On an element of a resource, in a container (which may be the resource itself).
    #[must_use]
    pub const fn at(
        element: Node<'t>,
        resource: &'t Object,
        container: &'t Object,
        release: &'static Release,
        steps: &'s Steps,
    ) -> Self {
        Self { release, resource, container, here: Some(Item::Node(element)), steps }
    }

    /// The same, standing at another item.
    #[must_use]
    pub fn standing(&self, here: Option<Item<'t>>) -> Self {
        Self { here, ..*self }
    }

    /// What the expression selects.
    #[must_use]
    pub fn all(&self, expression: &'t Expression) -> Vec<Item<'t>> {
        let mut items = Vec::new();
        let _ = self.each(expression, &mut |item| {
            items.push(item);
            Flow::Continue(())
        });
        items
    }

    /// The one item the expression selects; none when there are none, or several.
    fn single(&self, expression: &'t Expression) -> Option<Item<'t>> {
        let mut one = None;
        let several = self.each(expression, &mut |item| match one {
            None => {
                one = Some(item);
                Flow::Continue(())
            }
            Some(_) => Flow::Break(()),
        });
        if several.is_break() { None } else { one }
    }

    /// Whether the expression selects anything.
    fn any(&self, expression: &'t Expression) -> bool {
        // Whether a member is there can be seen without looking at what it is.
        if let Expression::Member(on, name) = expression {
            let found = self.flat(on, &mut |node| if node.has(name) { Flow::Break(()) } else { Flow::Continue(()) });
            return found.is_break() && !self.steps.are_used_up();
        }
        self.each(expression, &mut |_| Flow::Break(())).is_break() && !self.steps.are_used_up()
    }

    /// Hands on what the expression selects, until nothing more is wanted.
    fn each(&self, expression: &'t Expression, taker: Taker<'_, 't>) -> Flow {
        if !self.steps.take() {
            return Flow::Break(());
        }
        if expression.is_condition() {
            return match self.condition(expression) {
                Some(truth) => taker(Item::Truth(truth)),
                None => Flow::Continue(()),
            };
        }
        match expression {
            Expression::Here => match &self.here {
                Some(here) => taker(here.clone()),
                None => Flow::Continue(()),
            },
            Expression::Root(name) => {
                let root = Node::of_resource(self.resource, self.release);
                let fits = root.type_code == &**name || matches!(&**name, "Resource" | "DomainResource");
                if fits { taker(Item::Node(root)) } else { Flow::Continue(()) }
            }
            Expression::Resource => taker(Item::Node(Node::of_resource(self.resource, self.release))),
            Expression::Container => taker(Item::Node(Node::of_resource(self.container, self.release))),
            Expression::Member(on, name) => self.flat(on, &mut |node| node.member(name, self.release, taker)),
            Expression::Children(on) => self.flat(on, &mut |node| node.children(self.release, taker)),
            Expression::Descendants(on) => self.flat(on, &mut |node| self.descendants(&node, taker)),
            Expression::Extension(on, url) => self.flat(on, &mut |node| {
                node.member("extension", self.release, &mut |item| match &item {
                    Item::Node(found) if found.object().and_then(|object| object.str("url")) == Some(&**url) => {
                        taker(item)
                    }
                    _ => Flow::Continue(()),
                })
            }),
            Expression::Index(on, position) => {
                let mut at = 0;
                let mut found = None;
                let _ = self.each(on, &mut |item| {
                    if at == *position {
                        found = Some(item);
                        return Flow::Break(());
                    }
                    at += 1;
                    Flow::Continue(())
                });
                found.map_or(Flow::Continue(()), taker)
            }
            Expression::Tail(on) => {
                let mut first = true;
                self.each(on, &mut |item| {
                    if std::mem::take(&mut first) { Flow::Continue(()) } else { taker(item) }
                })
            }
            Expression::Where(on, condition) => self.each(on, &mut |item| {
                let holds = self.standing(Some(item.clone())).condition(condition) == Some(true);
                if holds { taker(item) } else { Flow::Continue(()) }
            }),
            Expression::Select(on, wanted) => {
                self.each(on, &mut |item| self.standing(Some(item)).each(wanted, &mut *taker))
            }
            Expression::Resolve(on) => {
                self.flat(on, &mut |node| node.target(self.container).map_or(Flow::Continue(()), &mut *taker))
            }
            Expression::OfType(on, name) => self.each(on, &mut |item| {
                if compare::is_of_type(&item, name) { taker(item) } else { Flow::Continue(()) }
            }),
            Expression::Union(left, right) => {
                self.each(left, &mut *taker)?;
                self.each(right, taker)
            }
            Expression::If(on, branches) => {
                let [condition, then, otherwise] = &**branches;
                let inside = self.standing(self.single(on));
                let branch = if inside.condition(condition) == Some(true) { then } else { otherwise };
                inside.each(branch, taker)
            }
            Expression::Literal(literal) => taker(Item::Literal(literal)),
            _ => self.computed(expression).map_or(Flow::Continue(()), taker),
        }
    }

    /// The numbers and texts that are not in the resource.
    fn computed(&self, expression: &'t Expression) -> Option<Item<'t>> {
        let text = |of: &'t Expression| self.single(of).and_then(|item| compare::text(&item));
        Some(match expression {
            Expression::Count(on) => {
                let mut count = 0;
                let _ = self.each(on, &mut |_| {
                    count += 1;
                    Flow::Continue(())
                });
                Item::Integer(count)
            }
            Expression::ToInteger(on) => Item::Integer(text(on)?.parse().ok()?),
            Expression::ToText(on) => Item::Text(text(on)?),
            Expression::Replace(on, pattern, with) => Item::Text(pattern.replace(&text(on)?, with).into()),
            Expression::Join(left, right) => {
                let (left, right) = (text(left).unwrap_or_default(), text(right).unwrap_or_default());
                Item::Text(format_compact!("{left}{right}"))
            }
            Expression::Plus(left, right) => {
                let (left, right) = (self.single(left)?, self.single(right)?);
                match (compare::integer(&left), compare::integer(&right)) {
                    (Some(left), Some(right)) => Item::Integer(left.checked_add(right)?),
                    _ => Item::Text(format_compact!("{}{}", left.text()?, right.text()?)),
                }
            }
            _ => return None,
        })
    }

    fn flat(&self, on: &'t Expression, each: &mut dyn FnMut(Node<'t>) -> Flow) -> Flow {
        if matches!(on, Expression::Here) {
            return match &self.here {
                Some(Item::Node(node)) => each(*node),
                _ => Flow::Continue(()),
            };
        }
        self.each(on, &mut |item| match item {
            Item::Node(node) => each(node),
            _ => Flow::Continue(()),
        })
    }

    fn descendants(&self, node: &Node<'t>, taker: Taker<'_, 't>) -> Flow {
        node.children(self.release, &mut |child| {
            if !self.steps.take() {
                return Flow::Break(());
            }
            let inner = match &child {
                Item::Node(inner) => Some(*inner),
                _ => None,
            };
            taker(child)?;
            inner.map_or(Flow::Continue(()), |inner| self.descendants(&inner, &mut *taker))
        })
    }
}

/// The truth of an item that is a truth value.
fn truth(item: &Item<'_>) -> Option<bool> {
    match item {
        Item::Truth(truth) | Item::Literal(Literal::Truth(truth)) => Some(*truth),
        Item::Node(node) => node.value().and_then(Value::as_bool),
        Item::Target(_) | Item::Literal(_) | Item::Integer(_) | Item::Text(_) => None,
    }
}

#[cfg(test)]
mod tests;
