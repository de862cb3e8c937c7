//! How SQLite comes to the sealed file: a file system of another name, the same as SQLite's own in
//! all but what opening a database gives.
#![expect(unsafe_code, reason = "SQLite's file systems are C structures that it is given pointers to")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

use rusqlite::ffi::{
    SQLITE_CANTOPEN, SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_RESERVE_BYTES, SQLITE_OK, SQLITE_OPEN_MAIN_DB,
    sqlite3_file, sqlite3_file_control, sqlite3_filename, sqlite3_int64, sqlite3_system_errno, sqlite3_vfs,
    sqlite3_vfs_find, sqlite3_vfs_register,
};
use rusqlite::{Connection, Error};

use crate::file::{OWN_BYTES, SealedFile, inner_of};
use crate::page::{self, PAGE_BYTES, Page};

/// The name under which SQLite knows it.
const NAME: &CStr = c"liaison-pages";

/// The question whether a file is sealed, among those that SQLite leaves to file systems.
pub(crate) const ASK_SEALING: c_int = 0x4C50_4147;

/// Whether the pages of a database are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealing {
    /// They are.
    Sealed,
    /// They are as SQLite makes them by itself.
    Plain,
}

/// SQLite's own file system, by address: it lives as long as the program.
struct Own(*mut sqlite3_vfs);

// SAFETY: SQLite's file systems are made to be used by all threads, and this one is never changed.
unsafe impl Send for Own {}
// SAFETY: as above.
unsafe impl Sync for Own {}

static OWN: OnceLock<Option<Own>> = OnceLock::new();

/// The name to open connections with, so that pages of databases are sealed.
///
/// # Errors
/// When SQLite has no file system of its own here, or does not take another.
pub fn file_system() -> Result<&'static CStr, Error> {
    let own = OWN.get_or_init(|| {
        // SAFETY: without a name it gives the default one, or nothing.
        let own = unsafe { sqlite3_vfs_find(std::ptr::null()) };
        // SAFETY: not null, it is a structure that lives as long as the program.
        let about = unsafe { own.as_ref() }?;
        let ours = sqlite3_vfs {
            szOsFile: about.szOsFile.checked_add(c_int::try_from(OWN_BYTES).ok()?)?,
            pNext: std::ptr::null_mut(),
            zName: NAME.as_ptr(),
            xOpen: Some(open),
            ..*about
        };
        // Never let go of: SQLite keeps it as long as the program runs.
        let ours: &'static mut sqlite3_vfs = Box::leak(Box::new(ours));
        // SAFETY: it stays where it is, and all but opening is what SQLite's own does.
        (unsafe { sqlite3_vfs_register(ours, 0) } == SQLITE_OK).then_some(Own(own))
    });
    match own {
        Some(_) => Ok(NAME),
        None => Err(failed(SQLITE_CANTOPEN, "SQLite takes no file system of ours")),
    }
}

unsafe extern "C" fn open(
    _ours: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    given: *mut c_int,
) -> c_int {
    let Some(Some(own)) = OWN.get() else { return SQLITE_CANTOPEN };
    // SAFETY: it lives as long as the program.
    let Some(open) = (unsafe { (*own.0).xOpen }) else { return SQLITE_CANTOPEN };
    if flags & SQLITE_OPEN_MAIN_DB == 0 {
        // Logs and temporary files are SQLite's own: the memory it gives is large enough for them.
        // SAFETY: everything goes on as it came.
        return unsafe { open(own.0, name, file, flags, given) };
    }
    // SAFETY: SQLite gives memory of `szOsFile` bytes, ours and then its own file's; without
    // methods it is not closed when opening fails.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let inner = inner_of(file).pointer();
        (*inner).pMethods = std::ptr::null();
        match open(own.0, name, inner, flags, given) {
            SQLITE_OK => SealedFile::make(file),
            status => {
                // SQLite's own file systems may leave methods behind on failure, to be closed with.
                if let Some(methods) = (*inner).pMethods.as_ref()
                    && let Some(close) = methods.xClose
                {
                    close(inner);
                }
                status
            }
        }
    }
}

/// Leaves room for seals in a database that is about to be made: to be called before anything is
/// written to it, with [`PAGE_BYTES`] as the size of its pages.
///
/// # Errors
/// When SQLite does not.
pub fn reserve(connection: &Connection) -> Result<(), Error> {
    let mut bytes = c_int::from(page::RESERVED);
    ask(connection, SQLITE_FCNTL_RESERVE_BYTES, &mut bytes)
}

/// Whether the pages of the database of a connection are sealed.
#[must_use]
pub fn sealing(connection: &Connection) -> Sealing {
    let mut sealing: Option<Sealing> = None;
    match ask(connection, ASK_SEALING, &mut sealing) {
        Ok(()) => sealing.unwrap_or(Sealing::Plain),
        // Another file system: it does not know the question.
        Err(_) => Sealing::Plain,
    }
}

/// The numbers of the pages of a sealed database that are not as they were written, in use or not,
/// at most so many. Reads the whole file; others may write to it meanwhile.
///
/// # Errors
/// When the file cannot be read.
pub fn damaged_pages(connection: &Connection, limit: usize) -> Result<Vec<u64>, Error> {
    let mut damaged = Vec::new();
    if sealing(connection) == Sealing::Plain {
        return Ok(damaged);
    }
    let mut file: *mut sqlite3_file = std::ptr::null_mut();
    ask(connection, SQLITE_FCNTL_FILE_POINTER, &mut file)?;
    // SAFETY: SQLite gave the open file of the connection, which is borrowed until this returns.
    let methods = unsafe { file.as_ref().and_then(|file| file.pMethods.as_ref()) };
    let Some((read, size)) = methods.and_then(|methods| Some((methods.xRead?, methods.xFileSize?))) else {
        return Err(failed(SQLITE_CANTOPEN, "the database has no file"));
    };
    let mut bytes: sqlite3_int64 = 0;
    // SAFETY: as above, with room for the answer.
    let status = unsafe { size(file, &raw mut bytes) };
    if status != SQLITE_OK {
        return Err(failed(status, "the size of the file cannot be told"));
    }
    let mut page: Box<Page> = Box::new([0; PAGE_BYTES]);
    let one = PAGE_BYTES as sqlite3_int64;
    let mut at = 0;
    while at < bytes && damaged.len() < limit {
        // Read twice while it is being written, a page may be half the one and half the other.
        let whole = (0..3).any(|_| {
            // SAFETY: as above; the buffer is a page long.
            unsafe { read(file, page.as_mut_ptr().cast(), PAGE_BYTES as c_int, at) == SQLITE_OK }
        });
        if !whole {
            damaged.push((at / one).cast_unsigned() + 1);
        }
        at += one;
    }
    Ok(damaged)
}

/// What the operating system said of the last file that SQLite could not open, read or write for a
/// connection; 0 when it said nothing.
#[must_use]
pub fn system_error(connection: &Connection) -> i32 {
    // SAFETY: the connection is open.
    unsafe { sqlite3_system_errno(connection.handle()) }
}

/// Asks the file of the main database.
fn ask<T>(connection: &Connection, operation: c_int, about: &mut T) -> Result<(), Error> {
    let main: *const c_char = c"main".as_ptr();
    // SAFETY: the connection is open, and each operation is asked with what it expects.
    let status =
        unsafe { sqlite3_file_control(connection.handle(), main, operation, (&raw mut *about).cast::<c_void>()) };
    if status == SQLITE_OK { Ok(()) } else { Err(failed(status, "the file of the database does not answer")) }
}

fn failed(status: c_int, text: &str) -> Error {
    Error::SqliteFailure(rusqlite::ffi::Error::new(status), Some(text.to_owned()))
}
