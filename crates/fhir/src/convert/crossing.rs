//! A relation at one node: crossed, kept where it has to be, restored where it was kept.

use std::collections::BTreeMap;

use super::{
    adapt::{End, adapt, shaped},
    items::{same, same_value},
    keep,
    node::Converter,
    plan::{How, Plan, Relation},
    rules::Scene,
};
use crate::{
    release::{Choice, Content, Element, TypeRef},
    tree::Object,
};

/// The members of one relation.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// As they were.
    pub raw: Object,
    /// In their old shape, with what is inside converted.
    pub converted: Object,
}

/// An extension that may hold an element of the target.
#[derive(Debug)]
pub(super) struct Kept {
    pub relation: usize,
    /// The extension as the target has it.
    pub extension: Object,
}

/// A relation at one node.
pub(super) struct Crossing<'a> {
    pub converter: &'a Converter<'a>,
    pub plan: &'static Plan,
    pub relation: &'a Relation,
    pub scene: &'a Scene<'a>,
}

impl Crossing<'_> {
    /// The members of the source as members of the target.
    pub(super) fn there(&self, members: &Object) -> Object {
        match self.relation.how {
            How::Identity | How::Adapt => adapt(members, self.source(), self.target(), self.scene),
            How::Shapes { there, .. } => shaped(there, members, self.source(), self.target(), self.scene),
        }
    }

    /// The members of the source as members of the target, and whether that says all.
    pub(super) fn say(&self, part: &Part) -> (Object, Said) {
        let members = &part.converted;
        // What is in it may have got another form on the way.
        if self.source().is_filled(&part.raw, self.target(), self.scene) {
            return (self.there(&Object::new()), Said::All);
        }
        let crossed = self.there(members);
        if same(&self.back(&crossed), members) {
            (crossed, Said::All)
        } else {
            (without_shared_siblings(crossed, members), Said::InPart)
        }
    }

    /// Whether these members of the target would be said like those of the source.
    fn would_be_said(&self, members: &Object, as_these: &Object) -> bool {
        let crossed = self.back(members);
        if same(&self.there(&crossed), members) {
            same(&crossed, as_these)
        } else {
            same(&without_shared_siblings(crossed, members), as_these)
        }
    }

    /// The members of the target as members of the source.
    fn back(&self, members: &Object) -> Object {
        match self.relation.how {
            How::Identity | How::Adapt => adapt(members, self.target(), self.source(), self.scene),
            How::Shapes { back, .. } => shaped(back, members, self.target(), self.source(), self.scene),
        }
    }

    /// What was kept of the target, if it explains what stands here: if it would be said like this,
    /// and would not follow from what is said. The positions of its extensions are then taken.
    pub(super) fn restore(
        &self,
        kept: &BTreeMap<usize, Kept>,
        relation: usize,
        part: &Part,
        taken: &mut Vec<usize>,
    ) -> Option<Object> {
        let mine = || kept.iter().filter(|(_, k)| k.relation == relation);
        let extensions: Vec<&Object> = mine().map(|(_, k)| &k.extension).collect();
        if extensions.is_empty() {
            return None;
        }
        let members = keep::decode(&extensions, self.plan.to.path, &self.relation.to, self.converter.to)?;
        let explains = self.would_be_said(&members, &part.converted) && !same(&self.there(&part.converted), &members);
        explains.then(|| {
            taken.extend(mine().map(|(position, _)| *position));
            members
        })
    }

    /// What is here, as extensions of the target.
    pub(super) fn keep(&self, part: &Part) -> Option<Vec<Object>> {
        let encode = |part| keep::encode(part, self.plan.from.path, &self.relation.from, self.converter.from);
        let is_plain = |e: &&Element| {
            e.choice == Choice::Single && matches!(e.types[..], [TypeRef { content: Content::Primitive(_), .. }])
        };
        if self.relation.from.iter().all(is_plain) && !self.relation.to.is_empty() {
            // Primitives are the same in every release, and what stands beside them is converted.
            return encode(&part.converted);
        }
        Some(encode(&part.raw)?.iter().map(|extension| self.converter.extension(extension)).collect())
    }

    fn source(&self) -> End {
        End {
            release: self.converter.from,
            structure: self.plan.from.path,
            element: self.relation.from.first().copied(),
            demand: self.relation.from_demand,
        }
    }

    fn target(&self) -> End {
        End {
            release: self.converter.to,
            structure: self.plan.to.path,
            element: self.relation.to.first().copied(),
            demand: self.relation.to_demand,
        }
    }
}

/// Whether the members of the target say all that those of the source do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    All,
    /// What was there has to be kept as well.
    InPart,
}

/// What stands beside a primitive is not said twice where the primitive is kept: it may hold as much
/// as anything, and at each level there would be twice as much.
fn without_shared_siblings(mut crossed: Object, members: &Object) -> Object {
    crossed.retain(|name, value| {
        !name.starts_with('_') || !members.iter().any(|(n, v)| n.starts_with('_') && same_value(v, value))
    });
    crossed
}
