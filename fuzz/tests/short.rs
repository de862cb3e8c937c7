//! A short run of every target, the same in every run. `FUZZ_ROUNDS` makes it longer, `FUZZ_SEED` another.

use liaison_fuzz::short::{Inputs, PATCHES, RESOURCES, SEARCHES, XML};

fn run(target: fn(&[u8]), samples: &'static [&'static [u8]]) {
    for sample in samples {
        target(sample);
    }
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let mut inputs = Inputs::new(samples, number("FUZZ_SEED").unwrap_or(1));
    for round in 0..number("FUZZ_ROUNDS").unwrap_or(2_000) {
        let input = inputs.next_input();
        let outcome = std::panic::catch_unwind(|| target(&input));
        assert!(outcome.is_ok(), "round {round}:\n{}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn json() {
    run(liaison_fuzz::json, RESOURCES);
}

#[test]
fn xml() {
    run(liaison_fuzz::xml, XML);
}

#[test]
fn search() {
    run(liaison_fuzz::search, SEARCHES);
}

#[test]
fn patch() {
    run(liaison_fuzz::patch, PATCHES);
}

#[test]
fn cahier2017() {
    run(liaison_fuzz::cahier2017, RESOURCES);
}

#[test]
fn resource() {
    run(liaison_fuzz::resource, RESOURCES);
}
