//! The tour of the README: every command is run, and what it answers is what stands there.

use std::{fmt::Write as _, process::Command};

use crate::demo::Demo;

/// A command of the tour, and what it answers.
struct Step {
    command: String,
    answer: String,
}

/// The steps in the `console` blocks: a command begins with `$ ` and goes on after a `\`.
fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        let mut goes_on = false;
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                steps.push(Step { command: command.into(), answer: String::new() });
            } else {
                let step = steps.last_mut().expect("a block begins with a command");
                let part = if goes_on { &mut step.command } else { &mut step.answer };
                if goes_on {
                    part.push('\n');
                }
                part.push_str(line);
                if !goes_on {
                    part.push('\n');
                }
            }
            goes_on = line.ends_with('\\') && (goes_on || line.starts_with("$ "));
        }
    }
    steps
}

/// The same with ids and instants of the server, which are others each time, made alike.
fn alike(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| "\"/ \n".contains(c)) {
        let (bare, end) = word.split_at(word.len() - usize::from(word.ends_with(['"', '/', ' ', '\n'])));
        let is_id = bare.len() == 36 && bare.bytes().filter(|byte| *byte == b'-').count() == 4;
        let is_instant = bare.len() > 20 && bare.ends_with('Z') && bare.contains('T');
        out.push_str(if is_id {
            "ID"
        } else if is_instant {
            "INSTANT"
        } else {
            bare
        });
        out.push_str(end);
    }
    out
}

#[tokio::test]
async fn the_tour_goes_as_it_is_told() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let steps = steps(&readme);
    assert!(steps.len() > 15, "{} steps", steps.len());
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let mut script = String::from("set -o pipefail\n");
    for step in &steps {
        // In one shell, since the tour sets variables.
        writeln!(script, "{}\necho '=== step ==='", step.command.replace("http://127.0.0.1:8080", demo.root()))
            .unwrap();
    }
    let output = Command::new("bash").args(["-c", &script]).current_dir(root).output().expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout).replace(demo.root(), "http://127.0.0.1:8080");
    let mut answers = said.split("=== step ===\n");
    for step in &steps {
        let answer = answers.next().unwrap_or_default();
        assert_eq!(
            alike(answer.trim_end()),
            alike(step.answer.trim_end()),
            "{}\n{}",
            step.command,
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
