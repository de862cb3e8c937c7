//! Where a finding stands, seen from what holds the resource.

/// A place inside a resource (`DocumentReference.subject`) seen from its holder
/// (`Bundle.entry[3].resource`): `Bundle.entry[3].resource.subject`.
#[must_use]
pub fn inside(prefix: &str, place: &str) -> String {
    if place.starts_with(prefix) {
        return place.to_owned();
    }
    match place.find(['.', '[']) {
        Some(end) if !place.starts_with("http.") => format!("{prefix}{}", &place[end..]),
        _ => prefix.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn the_type_gives_way_to_the_place_of_the_resource() {
        let entry = "Bundle.entry[3].resource";
        assert_eq!(inside(entry, "DocumentReference.author[0]"), "Bundle.entry[3].resource.author[0]");
        assert_eq!(inside(entry, "DocumentReference"), entry);
        assert_eq!(inside(entry, ""), entry);
        assert_eq!(inside(entry, "Bundle.entry[3].resource.date"), "Bundle.entry[3].resource.date");
    }
}
