//! What was once found is found no more: every input under `found/`, on its target.

use std::{fs, path::Path};

use liaison_fuzz::TARGETS;

#[test]
fn what_was_found_is_mended() {
    let mut tried = 0;
    for target in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("found").join(target.name);
        let Ok(inputs) = fs::read_dir(&folder) else { continue };
        for input in inputs {
            let path = input.expect("an entry of a folder").path();
            let bytes = fs::read(&path).expect("a finding can be read");
            let outcome = std::panic::catch_unwind(|| (target.run)(&bytes));
            assert!(outcome.is_ok(), "{}", path.display());
            tried += 1;
        }
    }
    assert!(tried > 0, "the findings are not where they were");
}
