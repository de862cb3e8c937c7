//! What ends a server when nobody is left who could.

use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Starts the server and says its number. At the end of its input, which is the end of whoever started it if nothing
/// else was, it ends the server as a crash would and removes the folder; at a word before, it only waits.
const SCRIPT: &str = r#"
folder=$1; shift
"$@" </dev/null &
server=$!
echo "$server"
exec >/dev/null
if read -r word; then wait "$server"; exit; fi
kill -QUIT "$server"; wait "$server"
rm -rf -- "$folder"
"#;

/// A server with its guard.
pub(crate) struct Guard {
    guard: Child,
    server: u32,
}

impl Guard {
    /// Starts a server; what it says goes to this log.
    pub(crate) fn start(words: &[OsString], folder: &Path, log: File) -> Self {
        let mut command = Command::new("sh");
        // A signal to the group of the tests (Ctrl-C) must not end the guard before it has done its work.
        command.args(["-c", SCRIPT, "guard"]).arg(folder).args(words).process_group(0).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut guard = command.spawn().expect("a shell");
        let mut line = String::new();
        let output = guard.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut line).expect("the number of the server");
        let server = line.trim().parse().expect("a number");
        Self { guard, server }
    }

    /// Whether the server is there.
    pub(crate) fn runs(&self) -> bool {
        // What ended and was not waited for is there still, in name.
        let status = std::fs::read_to_string(format!("/proc/{}/stat", self.server));
        status.is_ok_and(|status| !status.contains(") Z "))
    }

    /// Ends the server by a signal, and waits until it ended.
    pub(crate) fn end(mut self, signal: &str) {
        self.signal(signal);
        self.waited();
    }

    /// Sends the server a signal.
    pub(crate) fn signal(&self, signal: &str) {
        // It may have ended by itself.
        let _ = Command::new("kill").args(["-s", signal, &self.server.to_string()]).stderr(Stdio::null()).status();
    }

    fn waited(&mut self) {
        if let Some(mut words) = self.guard.stdin.take() {
            // A guard that is gone needs no word.
            let _ = words.write_all(b"leave\n");
        }
        self.guard.wait().expect("the guard ends");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.guard.stdin.is_some() {
            self.signal("QUIT");
            self.waited();
        }
    }
}
