//! Whether an expression holds: yes, no, or nobody can tell.

use std::{cmp::Ordering, collections::HashSet};

use crate::path::{Comparison, Expression};

use super::{Evaluation, Flow, Item, compare, truth};

impl<'t> Evaluation<'t, '_> {
    /// Whether the expression holds; none when that cannot be told. Where it is no truth value,
    /// something there is true.
    #[must_use]
    pub fn condition(&self, expression: &'t Expression) -> Option<bool> {
        if !self.steps.take() {
            return None;
        }
        match expression {
            Expression::Exists(on) => Some(self.any(on)),
            Expression::Not(on) => self.condition(on).map(|truth| !truth),
            Expression::And(left, right) => match self.condition(left) {
                Some(false) => Some(false),
                left => match (left, self.condition(right)) {
                    (_, Some(false)) => Some(false),
                    (Some(true), right) => right,
                    (_, _) => None,
                },
            },
            Expression::Or(left, right) => match self.condition(left) {
                Some(true) => Some(true),
                left => match (left, self.condition(right)) {
                    (_, Some(true)) => Some(true),
                    (Some(false), right) => right,
                    (_, _) => None,
                },
            },
            Expression::Xor(left, right) => Some(self.condition(left)? != self.condition(right)?),
            Expression::Implies(left, right) => match self.condition(left) {
                Some(false) => Some(true),
                left => match (left, self.condition(right)) {
                    (_, Some(true)) => Some(true),
                    (Some(true), right) => right,
                    (_, _) => None,
                },
            },
            Expression::Is(on, name) => {
                let mut is = None;
                let _ = self.each(on, &mut |item| {
                    let fits = compare::is_of_type(&item, name);
                    is = Some(fits);
                    if fits { Flow::Continue(()) } else { Flow::Break(()) }
                });
                is
            }
            Expression::HasValue(on) => {
                Some(matches!(self.single(on), Some(Item::Node(node)) if node.text().is_some()))
            }
            Expression::All(on, condition) => {
                let one_fails = self.each(on, &mut |item| match self.standing(Some(item)).condition(condition) {
                    Some(true) => Flow::Continue(()),
                    _ => Flow::Break(()),
                });
                Some(one_fails.is_continue())
            }
            Expression::AllFalse(on) => {
                let one_true = self.each(on, &mut |item| match truth(&item) {
                    Some(false) => Flow::Continue(()),
                    _ => Flow::Break(()),
                });
                Some(one_true.is_continue())
            }
            Expression::IsDistinct(on) => Some(self.is_distinct(on)),
            Expression::MemberOf(on, value_set) => {
                let list = self.release.code_list(value_set)?;
                let code = compare::text(&self.single(on)?)?;
                Some(list.get(&code).is_some())
            }
            Expression::StartsWith(on, other) => self.with_texts(on, other, |text, other| text.starts_with(other)),
            Expression::Contains(on, other) => self.with_texts(on, other, |text, other| text.contains(other)),
            Expression::Matches(on, pattern) => Some(pattern.is_in(&compare::text(&self.single(on)?)?)),
            Expression::Equal(left, right) => self.equal(left, right),
            Expression::Compare(left, comparison, right) => {
                let order = compare::order(&self.single(left)?, &self.single(right)?)?;
                Some(match comparison {
                    Comparison::Less => order == Ordering::Less,
                    Comparison::LessOrEqual => order != Ordering::Greater,
                    Comparison::Greater => order == Ordering::Greater,
                    Comparison::GreaterOrEqual => order != Ordering::Less,
                })
            }
            Expression::In(one, among) => {
                let one = self.single(one)?;
                let found = self.each(among, &mut |item| {
                    if compare::same(&one, &item) { Flow::Break(()) } else { Flow::Continue(()) }
                });
                Some(found.is_break() && !self.steps.are_used_up())
            }
            other => self.as_condition(other),
        }
    }

    /// What is no truth value counts as true when it is there.
    fn as_condition(&self, expression: &'t Expression) -> Option<bool> {
        let mut first = None;
        let several = self.each(expression, &mut |item| {
            if first.is_some() {
                return Flow::Break(());
            }
            first = Some(truth(&item).unwrap_or(true));
            Flow::Continue(())
        });
        if several.is_break() && !self.steps.are_used_up() { Some(true) } else { first }
    }

    fn with_texts(
        &self,
        on: &'t Expression,
        other: &'t Expression,
        holds: impl Fn(&str, &str) -> bool,
    ) -> Option<bool> {
        let text = compare::text(&self.single(on)?)?;
        let other = compare::text(&self.single(other)?)?;
        Some(holds(&text, &other))
    }

    /// Equality of FHIRPath: nothing when a side is empty; otherwise the same items in the same
    /// order.
    fn equal(&self, left: &'t Expression, right: &'t Expression) -> Option<bool> {
        if left.is_condition() && right.is_condition() {
            return Some(self.condition(left)? == self.condition(right)?);
        }
        if let Expression::Literal(literal) = right {
            let literal = Item::Literal(literal);
            let mut same = None;
            let _ = self.each(left, &mut |item| {
                // A second item is one too many.
                let first = same.is_none();
                same = Some(first && compare::same(&item, &literal));
                if first { Flow::Continue(()) } else { Flow::Break(()) }
            });
            return same;
        }
        let (left, right) = (self.all(left), self.all(right));
        if left.is_empty() || right.is_empty() {
            return None;
        }
        Some(left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| compare::same(left, right)))
    }

    fn is_distinct(&self, on: &'t Expression) -> bool {
        let mut texts = HashSet::new();
        let mut others: Vec<Item<'t>> = Vec::new();
        let twice = self.each(on, &mut |item| {
            let new = match compare::text(&item) {
                Some(text) => texts.insert(text),
                None => {
                    let new = others.iter().all(|other| self.steps.take() && !compare::same(other, &item));
                    others.push(item);
                    new
                }
            };
            if new { Flow::Continue(()) } else { Flow::Break(()) }
        });
        twice.is_continue()
    }
}
