//! Twice the input costs about twice the work, counted in instructions (by valgrind, so that neither
//! the machine nor its other load matters): `cargo run --release --package liaison-fuzz --example growth`.
//! Prints a line for each shape and ends with an error when one grows faster.

use std::{error::Error, process::Command};

use liaison_fuzz::growth::{SHAPES, Shape};

/// The sizes, each twice the one before, so that what is done once drops out of the differences.
const SIZES: [usize; 3] = [256_000, 512_000, 1_024_000];

/// Two is linear, four is square.
const TOO_MUCH: f64 = 2.8;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    if let (Some(name), Some(size)) = (arguments.next(), arguments.next()) {
        let shape = SHAPES.iter().find(|shape| shape.name == name).ok_or("no such shape")?;
        (shape.read)(&(shape.make)(size.parse()?));
        return Ok(());
    }
    let mut square = Vec::new();
    for shape in SHAPES {
        let [small, middle, large] = [work(shape, SIZES[0])?, work(shape, SIZES[1])?, work(shape, SIZES[2])?];
        let (first, second) = (middle.saturating_sub(small).max(100_000), large.saturating_sub(middle));
        let growth = second as f64 / first as f64;
        println!("{:28} {:8.1} instructions a byte, growth {growth:.2}", shape.name, second as f64 / SIZES[1] as f64);
        if growth > TOO_MUCH {
            square.push(shape.name);
        }
    }
    if square.is_empty() { Ok(()) } else { Err(format!("grow faster than the input: {square:?}").into()) }
}

/// The instructions that reading a shape of a size takes, with what the program does around it.
fn work(shape: &Shape, size: usize) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args([shape.name, &size.to_string()])
        .output()
        .map_err(|error| format!("valgrind cannot be started ({error}): install it"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line =
        said.lines().find(|line| line.contains("I") && line.contains("refs:")).ok_or_else(|| said.to_string())?;
    let digits: String = line.rsplit(':').next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}
