//! Text with places to fill, cut once so that filling it costs a copy.

/// Text in which `@0@`, `@1@`, … are places to fill. `@` followed by anything else is itself.
pub struct Template {
    pieces: Vec<(Vec<u8>, Option<usize>)>,
}

impl Template {
    /// Cuts the text at its places.
    pub fn new(text: &str) -> Template {
        let mut pieces = Vec::new();
        let (mut from, mut at) = (0, 0);
        let bytes = text.as_bytes();
        while let Some(window) = bytes.get(at..at + 3) {
            match window {
                [b'@', digit @ b'0'..=b'9', b'@'] => {
                    pieces.push((bytes.get(from..at).unwrap_or_default().to_vec(), Some(usize::from(digit - b'0'))));
                    at += 3;
                    from = at;
                }
                _ => at += 1,
            }
        }
        pieces.push((bytes.get(from..).unwrap_or_default().to_vec(), None));
        Template { pieces }
    }

    /// The text with its places filled; a place without a value stays empty.
    pub fn fill(&self, values: &[&str]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(self.pieces.iter().map(|(text, _)| text.len() + 48).sum());
        for (text, place) in &self.pieces {
            filled.extend_from_slice(text);
            if let Some(value) = place.and_then(|place| values.get(place)) {
                filled.extend_from_slice(value.as_bytes());
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn fills_places_and_leaves_the_rest() {
        let template = Template::new("a@1@b@0@@1@@mail@9");
        assert_eq!(template.fill(&["x", "yy"]), b"ayybxyy@mail@9");
    }
}
