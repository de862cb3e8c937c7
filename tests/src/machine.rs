//! A machine that fails as a test wants it: a disk that is full, a file that may not be written to, a
//! clock that is set back.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _},
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

/// A `tmpfs` on this folder, in namespaces of its own: the process that keeps it, where that is allowed.
fn mounted(namespaces: &[&str], folder: &Path, megabytes: u32) -> Option<Child> {
    let options = format!("size={megabytes}m,mode=1777");
    let script = format!("mount -t tmpfs -o {options} tmpfs \"$1\" && echo mounted && exec sleep 1000");
    let mut command = Command::new("unshare");
    command.args(namespaces).args(["sh", "-c", &script, "sh"]).arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut keeper = command.spawn().ok()?;
    let mut said = String::new();
    let output = keeper.stdout.take().expect("its output is piped");
    if BufReader::new(output).read_line(&mut said).is_ok() && said == "mounted\n" {
        return Some(keeper);
    }
    let _ = keeper.kill().and_then(|()| keeper.wait());
    None
}

/// A folder that only another process sees as it is, as this one reaches it.
fn seen_by(keeper: &Child, folder: &Path) -> PathBuf {
    let inside = folder.strip_prefix("/").expect("an absolute path");
    PathBuf::from(format!("/proc/{}/root", keeper.id())).join(inside)
}

/// Fills a file system to the last byte.
fn fill(folder: &Path) {
    let mut filler = fs::File::create(folder.join("filler")).expect("a filler");
    for size in [65536, 4096, 1] {
        while filler.write_all(&vec![1; size]).is_ok() {}
    }
}

/// Takes away what filled it.
fn free(folder: &Path) {
    fs::remove_file(folder.join("filler")).expect("the filler is there");
}

/// A file system of a few megabytes for PostgreSQL, which refuses to run as root, and to whom users are mapped.
pub struct Tmpfs {
    keeper: Child,
    folder: TempDir,
    us: u32,
}

impl Tmpfs {
    /// One of so many megabytes; nothing, and a word about it, where none may be mounted.
    pub fn of(megabytes: u32) -> Option<Self> {
        let us = fs::metadata("/proc/self").expect("/proc").uid();
        let folder = tempfile::tempdir().expect("a temporary folder");
        // PostgreSQL runs as somebody else, who must reach it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("our own folder");
        let namespaces: &[&str] = if us == 0 { &["--mount"] } else { &["--user", "--map-root-user", "--mount"] };
        let keeper = mounted(namespaces, folder.path(), megabytes);
        if keeper.is_none() {
            eprintln!("SKIPPED: no tmpfs may be mounted here, so that PostgreSQL has no disk that can be filled");
        }
        Some(Self { keeper: keeper?, folder, us })
    }

    /// Where it is, for programs that run [`Tmpfs::under`].
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The words under which programs see it.
    pub fn under(&self) -> Vec<OsString> {
        let keeper = self.keeper.id().to_string();
        let mut words = vec!["nsenter", "--target", &keeper, "--mount"];
        let (user, group) = ("--map-user=1000", "--map-group=1000");
        if self.us == 0 {
            words.push("--");
        } else {
            // Who is root in there has to be somebody again.
            words.extend(["--user", "--preserve-credentials", "--", "unshare", "--user", user, group, "--"]);
        }
        words.into_iter().map(OsString::from).collect()
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        fill(&seen_by(&self.keeper, self.folder.path()));
    }

    /// Takes away what filled it.
    pub fn free(&self) {
        free(&seen_by(&self.keeper, self.folder.path()));
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = self.keeper.kill().and_then(|()| self.keeper.wait());
    }
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
        if let Some(keeper) = mounted(&["--user", "--map-root-user", "--mount"], folder.path(), megabytes) {
            eprintln!("the small disk is a tmpfs of {megabytes} MB");
            return Self::Mounted(keeper, folder);
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
            Self::Mounted(keeper, folder) => seen_by(keeper, folder.path()),
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
        match self {
            Self::Pretended(faults, _) => faults.writing(Writing::Full),
            Self::Mounted(..) => fill(&self.folder()),
        }
    }

    /// Takes away what filled it.
    pub fn free(&self) {
        match self {
            Self::Pretended(faults, _) => faults.writing(Writing::Goes),
            Self::Mounted(..) => free(&self.folder()),
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
