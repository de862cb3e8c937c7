//! A machine that fails as a test wants it: a disk that is full, a file that may not be written to, a
//! clock that is set back.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;

/// What writing to a file answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// It goes.
    Goes,
    /// No space left on device.
    Full,
    /// Read-only file system.
    ReadOnly,
    /// Input/output error.
    Broken,
}

/// Answers of the operating system, for a server that is started with [`Faults::settings`].
pub struct Faults {
    folder: TempDir,
}

impl Faults {
    /// None yet.
    pub fn none() -> Self {
        let faults = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        fs::write(faults.file(), [0; 16]).expect("a file of faults");
        faults
    }

    /// What the server is to be started with.
    pub fn settings(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.display().to_string();
        vec![("LD_PRELOAD".into(), text(library())), ("FAULTS".into(), text(&self.file()))]
    }

    /// From now on writing to files answers this.
    pub fn writing(&self, answers: Writing) {
        let error: i64 = match answers {
            Writing::Goes => 0,
            Writing::Full => 28,
            Writing::ReadOnly => 30,
            Writing::Broken => 5,
        };
        self.put(0, error);
    }

    /// From now on the clock is off by so many seconds.
    pub fn clock(&self, seconds: i64) {
        self.put(8, seconds);
    }

    fn put(&self, at: u64, number: i64) {
        let file = fs::OpenOptions::new().write(true).open(self.file()).expect("the file of faults");
        file.write_all_at(&number.to_ne_bytes(), at).expect("a fault is written");
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("faults")
    }
}

/// The library that answers in place of the system's, built once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (source, library) = (folder.path().join("faults.c"), folder.path().join("faults.so"));
        fs::write(&source, include_str!("faults.c")).expect("the source is written");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl");
        let built = compiler.status().expect("a C compiler");
        assert!(built.success(), "the library of faults does not build");
        (folder, library)
    });
    path
}

/// A disk of a few megabytes that a store can fill.
///
/// A `tmpfs` in a mount namespace of its own, where this user may make one (no privilege is needed on most
/// systems); elsewhere a folder on a system that answers as if it were one. Tests say which.
pub enum SmallDisk {
    /// A file system of its own: the process that keeps it, and where it is mounted.
    Mounted(Child, TempDir),
    /// The system's answers in its place.
    Pretended(Faults, TempDir),
}

impl SmallDisk {
    /// A disk of so many megabytes.
    pub fn new(megabytes: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script = format!("mount -t tmpfs -o size={megabytes}m tmpfs \"$1\" && echo mounted && exec sleep 1000");
        let keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        if let Ok(mut keeper) = keeper {
            let mut said = String::new();
            let output = keeper.stdout.take().expect("its output is piped");
            if BufReader::new(output).read_line(&mut said).is_ok() && said == "mounted\n" {
                eprintln!("the small disk is a tmpfs of {megabytes} MB");
                return Self::Mounted(keeper, folder);
            }
            let _ = keeper.kill().and_then(|()| keeper.wait());
        }
        eprintln!("no tmpfs may be mounted here: the small disk is a folder with the answers of a full one");
        Self::Pretended(Faults::none(), folder)
    }

    /// The file of a store on it, as programs that run [`SmallDisk::under`] see it.
    pub fn store(&self) -> PathBuf {
        match self {
            Self::Mounted(_, folder) | Self::Pretended(_, folder) => folder.path().join("liaison.db"),
        }
    }

    /// The program under which others see the disk.
    pub fn under(&self) -> Vec<OsString> {
        match self {
            Self::Mounted(keeper, _) => {
                let keeper = keeper.id().to_string();
                ["nsenter", "--target", &keeper, "--user", "--mount", "--preserve-credentials", "--"]
                    .map(OsString::from)
                    .into()
            }
            Self::Pretended(..) => Vec::new(),
        }
    }

    /// What others are to be started with to see it as it is.
    pub fn settings(&self) -> Vec<(String, String)> {
        match self {
            Self::Mounted(..) => Vec::new(),
            Self::Pretended(faults, _) => faults.settings(),
        }
    }

    /// A command on this disk.
    pub fn command(&self, program: &Path) -> Command {
        let mut words = self.under();
        words.push(program.into());
        let mut command = Command::new(words.remove(0));
        command.args(words).envs(self.settings());
        command
    }

    /// The folder, as this process sees it.
    fn folder(&self) -> PathBuf {
        match self {
            Self::Mounted(keeper, folder) => {
                let inside = folder.path().strip_prefix("/").expect("an absolute path");
                PathBuf::from(format!("/proc/{}/root", keeper.id())).join(inside)
            }
            Self::Pretended(_, folder) => folder.path().into(),
        }
    }

    /// The names of the files on it.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).expect("the disk can be listed");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        if let Self::Pretended(faults, _) = self {
            faults.writing(Writing::Full);
            return;
        }
        let mut filler = fs::File::create(self.folder().join("filler")).expect("a filler");
        for size in [65536, 4096, 1] {
            while filler.write_all(&vec![1; size]).is_ok() {}
        }
    }

    /// Takes away what filled it.
    pub fn free(&self) {
        match self {
            Self::Pretended(faults, _) => faults.writing(Writing::Goes),
            Self::Mounted(..) => fs::remove_file(self.folder().join("filler")).expect("the filler is there"),
        }
    }

    /// Makes it read-only; nobody may have a file open for writing.
    pub fn shut(&self) {
        match self {
            Self::Pretended(faults, _) => faults.writing(Writing::ReadOnly),
            Self::Mounted(_, folder) => {
                let done = self.command(Path::new("mount")).args(["-o", "remount,ro"]).arg(folder.path()).status();
                assert!(done.is_ok_and(|status| status.success()), "the disk cannot be made read-only");
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Self::Mounted(keeper, _) = self {
            let _ = keeper.kill().and_then(|()| keeper.wait());
        }
    }
}
