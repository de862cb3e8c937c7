//! Writes what a run of libFuzzer begins with into a folder: the samples of each target and a
//! dictionary of FHIR's names. `cargo run --package liaison-fuzz --example corpus -- FOLDER`

use std::{collections::BTreeSet, error::Error, fs, path::Path};

use liaison_fhir::release::{r4, stu3};
use liaison_fuzz::{TARGETS, short::words};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("say the folder")?;
    let folder = Path::new(&folder);
    for target in TARGETS {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, sample) in (target.samples)().iter().enumerate() {
            fs::write(folder.join(format!("sample-{number}")), sample)?;
        }
    }
    let mut names: BTreeSet<String> = words().map(str::to_owned).collect();
    for release in [r4(), stu3()] {
        names.extend(release.resources().into_iter().map(str::to_owned));
        names.extend(release.structures().flat_map(|s| s.elements.iter().map(|element| element.name.to_owned())));
    }
    let lines: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    fs::write(folder.join("fhir.dict"), lines.join("\n"))?;
    Ok(())
}

/// A word as libFuzzer's dictionaries write it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
    let letter = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("\\x{byte:02X}") };
    format!("\"{}\"", word.bytes().map(letter).collect::<String>())
}
