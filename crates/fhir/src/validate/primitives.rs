//! Primitive values: their JSON type, their text, their code.

use super::Walk;
use crate::{
    outcome::IssueKind,
    place::Place,
    primitive,
    release::{BindingStrength, Element, Primitive},
    text,
    tree::Value,
};

impl Walk<'_> {
    pub(super) fn primitive(&mut self, value: &Value, primitive: Primitive, element: &Element, place: Place<'_>) {
        let text = match (value, primitive) {
            (Value::Bool(_), Primitive::Boolean) => return,
            (Value::Number(digits), _) if primitive.is_number() => digits.as_str(),
            (Value::String(text), _) if !primitive.is_number() && primitive != Primitive::Boolean => text.as_str(),
            _ => {
                self.wrong_type(value, primitive, place);
                return;
            }
        };
        if let Err(wrong) = primitive::check(primitive, text) {
            self.error(IssueKind::Value, place, wrong);
            return;
        }
        match primitive {
            Primitive::Xhtml => self.check_narrative(text, place),
            Primitive::Code => {
                let required = element.binding.filter(|b| b.strength == BindingStrength::Required);
                if let Some(binding) = required {
                    self.check_code(text, binding.value_set, place);
                }
            }
            // Canonicals and plain URIs may point into `contained` as references do.
            Primitive::Uri | Primitive::Url | Primitive::Canonical => {
                if let Some(id) = text.strip_prefix('#') {
                    self.contained_type(id);
                }
            }
            _ => {}
        }
    }

    fn wrong_type(&mut self, value: &Value, primitive: Primitive, place: Place<'_>) {
        let text = match (value, primitive) {
            (Value::Null, _) => text!(
                en: "null is no value; leave the element out instead.",
                fr: "null n'est pas une valeur ; omettre l'élément à la place.",
            ),
            (_, Primitive::Boolean) => text!(
                en: "A boolean is expected here: true or false, without quotes.",
                fr: "Un booléen est attendu ici : true ou false, sans guillemets.",
            ),
            (_, number) if number.is_number() => text!(
                en: "A number is expected here, without quotes.",
                fr: "Un nombre est attendu ici, sans guillemets.",
            ),
            _ => text!(en: "A string is expected here.", fr: "Une chaîne est attendue ici."),
        };
        self.error(IssueKind::Structure, place, text);
    }
}
