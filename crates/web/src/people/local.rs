//! Where one goes next: never off this server.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// The home page.
pub const HOME: &str = "/";

/// An address on this server, from its root; the home page for anything else, and for the pages of signing in
/// themselves, which would lead in a circle.
pub fn local(wanted: &str) -> &str {
    // `//host` and `/\host` lead to another host.
    let inside = wanted.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']));
    let plain = wanted.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    let of_ours = ["/sign-in", "/sign-out"].iter().any(|path| wanted.starts_with(path));
    if inside && plain && !of_ours && wanted.len() <= 500 { wanted } else { HOME }
}

/// Sends the browser on, with a `GET`.
pub fn see_other(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, address), (header::CACHE_CONTROL, "no-store")]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stays_on_this_server() {
        for inside in ["/", "/sessions", "/carnet/1?page=2&sort=%C3%A0", "/a//b", "/a@b:c"] {
            assert_eq!(local(inside), inside);
        }
        for outside in [
            "",
            "//evil.example",
            "/\\evil.example",
            "/a\\b",
            "https://evil.example",
            "evil.example",
            "javascript:alert(1)",
            "/a\nb",
            "/a\u{9}/evil.example",
            "/é",
            "/sign-in?back=/sign-in",
            "/sign-out",
        ] {
            assert_eq!(local(outside), HOME, "{outside:?}");
        }
    }
}
