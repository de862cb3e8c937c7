//! The lines of the files: read one after the other, none longer than what is taken; and marks on
//! some of them, a bit each.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

use liaison_fhir::json::{self, Limits};

use crate::failure::Failure;

/// A file of resources.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The longest line that is taken.
    pub longest: usize,
    kind: Kind,
}

/// Whether it can be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    /// A pipe, and the like.
    Once,
}

/// Types that refer to few others, or to none, the fewest first: what is read later then finds them.
const FIRST: [&str; 6] = ["Organization", "Location", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson"];

/// The files, those first that others are likely to refer to, deletions last; the manifest of an
/// export is passed over.
pub fn sources(paths: &[PathBuf], longest: usize) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::with_capacity(paths.len());
    for path in paths {
        let failed = |error| Failure::of(&format!("{} cannot be read", path.display()), error);
        let about = std::fs::metadata(path).map_err(failed)?;
        let kind = if about.is_file() { Kind::File } else { Kind::Once };
        let source = Source { path: path.clone(), bytes: about.len(), longest, kind };
        if let Some(rank) = source.rank()? {
            sources.push((rank, source));
        }
    }
    sources.sort_by_key(|(rank, _)| *rank);
    Ok(sources.into_iter().map(|(_, source)| source).collect())
}

impl Source {
    /// Its lines, from the first.
    pub fn open(&self, file: usize) -> Result<Lines, Failure> {
        let opened = File::open(&self.path).map_err(|error| self.failed(error))?;
        let reader = BufReader::with_capacity(1 << 18, opened);
        Ok(Lines { reader, source: self.clone(), file, number: 0, passed: 0 })
    }

    /// Whether it can be read again.
    pub fn can_be_read_again(&self) -> bool {
        self.kind == Kind::File
    }

    /// A line that was read before.
    pub fn again(&self, spot: Spot, from: u64, bytes: usize) -> Result<Line, Failure> {
        let mut line = vec![0; bytes];
        let mut read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(from))?;
            file.read_exact(&mut line)
        };
        read().map_err(|error| self.failed(error))?;
        Ok(Line { spot, from, bytes: line })
    }

    /// Where it stands among the files, judged by its first line; `None` for a manifest.
    fn rank(&self) -> Result<Option<usize>, Failure> {
        if self.kind == Kind::Once {
            return Ok(Some(FIRST.len()));
        }
        let Next::Line(line) = self.open(0)?.next()? else { return Ok(Some(FIRST.len())) };
        let read = json::read(&line.bytes, &Limits::default()).unwrap_or_default();
        Ok(match read.resource_type() {
            None if read.contains("transactionTime") && read.contains("output") => None,
            Some("Bundle") => Some(FIRST.len() + 1),
            kind => Some(FIRST.iter().position(|first| Some(*first) == kind).unwrap_or(FIRST.len())),
        })
    }

    fn failed(&self, error: std::io::Error) -> Failure {
        Failure::of(&format!("{} cannot be read", self.path.display()), error)
    }
}

/// Which line of which file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The file, by its place among the sources.
    pub file: usize,
    /// The number of the line, from 1.
    pub line: u64,
}

/// A line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it stands.
    pub spot: Spot,
    /// Its first byte in the file.
    pub from: u64,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

/// What comes next in a file.
#[derive(Debug)]
pub enum Next {
    /// A line that is not empty.
    Line(Line),
    /// A line that is too long to be read.
    TooLong(Spot),
    /// Nothing.
    End,
}

/// The lines of a file.
pub struct Lines {
    reader: BufReader<File>,
    source: Source,
    file: usize,
    number: u64,
    passed: u64,
}

impl Lines {
    /// How many bytes were read.
    pub const fn passed(&self) -> u64 {
        self.passed
    }

    /// The next line that is not empty.
    pub fn next(&mut self) -> Result<Next, Failure> {
        loop {
            let most = self.source.longest as u64 + 1;
            let bytes = self.line(most).map_err(|error| self.source.failed(error))?;
            let read = bytes.len();
            if read == 0 {
                return Ok(Next::End);
            }
            let from = self.passed;
            self.passed += read as u64;
            self.number += 1;
            let spot = Spot { file: self.file, line: self.number };
            if read as u64 == most && bytes.last() != Some(&b'\n') {
                self.skip_rest()?;
                return Ok(Next::TooLong(spot));
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Next::Line(Line { spot, from, bytes }));
            }
        }
    }

    /// The bytes up to the end of the line, the end included, or as many as are taken. Where it can be, they are
    /// counted first: of 20 MB that grow piece by piece twice as much is touched.
    fn line(&mut self, most: u64) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if self.source.kind == Kind::Once {
            (&mut self.reader).take(most).read_until(b'\n', &mut bytes)?;
            return Ok(bytes);
        }
        let counted = (&mut self.reader).take(most).skip_until(b'\n')?;
        self.reader.seek_relative(-i64::try_from(counted).unwrap_or(i64::MAX))?;
        bytes.resize(counted, 0);
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn skip_rest(&mut self) -> Result<(), Failure> {
        let skipped = self.reader.skip_until(b'\n').map_err(|error| self.source.failed(error))?;
        self.passed += skipped as u64;
        Ok(())
    }
}

/// Lines of a file by their numbers: a bit each.
#[derive(Clone, Debug, Default)]
pub struct Marked(Vec<u64>);

impl Marked {
    /// Marks a line.
    pub fn mark(&mut self, line: u64) {
        let (word, bit) = place(line);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= bit;
        }
    }

    /// Takes the mark from a line.
    pub fn clear(&mut self, line: u64) {
        let (word, bit) = place(line);
        if let Some(bits) = self.0.get_mut(word) {
            *bits &= !bit;
        }
    }

    /// Whether a line is marked.
    pub fn contains(&self, line: u64) -> bool {
        let (word, bit) = place(line);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }
}

fn place(line: u64) -> (usize, u64) {
    (usize::try_from(line / 64).unwrap_or(usize::MAX), 1 << (line % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(text: &str, longest: usize) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson");
        std::fs::write(&path, text).unwrap();
        let source = &sources(&[path], longest).unwrap()[0];
        let mut lines = source.open(0).unwrap();
        let mut told = Vec::new();
        loop {
            match lines.next().unwrap() {
                Next::End => break,
                Next::TooLong(spot) => told.push(format!("{} too long", spot.line)),
                Next::Line(line) => {
                    let again = source.again(line.spot, line.from, line.bytes.len()).unwrap();
                    assert_eq!(again.bytes, line.bytes, "it is found again");
                    told.push(format!("{} {}", line.spot.line, String::from_utf8(line.bytes).unwrap().trim()))
                }
            }
        }
        assert_eq!(lines.passed(), text.len() as u64);
        told
    }

    #[test]
    fn lines_are_counted_with_the_empty_ones_and_cut_by_none() {
        assert_eq!(lines_of("a\n\r\n  b\r\nc", 9), ["1 a", "3 b", "4 c"]);
        assert_eq!(
            lines_of("123456789\n1234567890\n1\n12345678901", 9),
            ["1 123456789", "2 too long", "3 1", "4 too long"]
        );
        assert_eq!(lines_of("", 9), [""; 0]);
    }

    #[test]
    fn what_others_refer_to_is_read_first() {
        let folder = tempfile::tempdir().unwrap();
        let kinds = ["Bundle", "DocumentReference", "Patient", "Organization"];
        let mut paths: Vec<PathBuf> = kinds.iter().map(|kind| folder.path().join(kind)).collect();
        for (path, kind) in paths.iter().zip(kinds) {
            std::fs::write(path, format!("{{\"resourceType\":\"{kind}\"}}\n")).unwrap();
        }
        paths.push(folder.path().join("manifest.json"));
        std::fs::write(&paths[4], "{\"transactionTime\":\"x\",\"output\":[]}").unwrap();
        let ordered: Vec<_> = sources(&paths, 100).unwrap().into_iter().map(|source| source.path).collect();
        assert_eq!(ordered, [3, 2, 1, 0].map(|at| paths[at].clone()));
    }

    #[test]
    fn a_mark_is_on_its_line_only() {
        let mut marked = Marked::default();
        assert!(marked.is_empty() && !marked.contains(64));
        for line in [1, 64, 1_000] {
            marked.mark(line);
        }
        let found: Vec<u64> = (0..2_000).filter(|line| marked.contains(*line)).collect();
        assert_eq!(found, [1, 64, 1_000]);
        marked.clear(64);
        assert!(!marked.contains(64) && marked.contains(1) && !marked.is_empty());
        marked.clear(1);
        marked.clear(1_000);
        assert!(marked.is_empty());
    }
}
