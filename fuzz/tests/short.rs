//! A short run of every target, the same in every run. `FUZZ_ROUNDS` makes it longer (so many times
//! as long), `FUZZ_SEED` another.

use liaison_fuzz::{TARGETS, short::Inputs};

fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of that name");
    let samples = (target.samples)();
    for sample in &samples {
        (target.run)(sample);
    }
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
    let rounds = target.rounds as u64 * number("FUZZ_ROUNDS");
    let mut inputs = Inputs::new(samples, number("FUZZ_SEED"));
    for round in 0..rounds {
        let input = inputs.next_input();
        let outcome = std::panic::catch_unwind(|| (target.run)(&input));
        assert!(outcome.is_ok(), "round {round}:\n{}", String::from_utf8_lossy(&input));
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_target_is_run() {
            let named: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(named, [$(stringify!($name)),*]);
        }
    };
}

targets!(json xml search patch cda cahier2017 resource path primitive terminology token http);
