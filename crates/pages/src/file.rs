//! The file of a database as SQLite sees it: its own file, with a seal on every page.
#![expect(unsafe_code, reason = "SQLite's file methods are C functions over memory that SQLite owns")]

use std::ffi::{c_int, c_void};

use rusqlite::ffi::{
    SQLITE_IOERR_DATA, SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_WRITE, SQLITE_NOTFOUND, SQLITE_OK, sqlite3_file,
    sqlite3_int64, sqlite3_io_methods,
};

use crate::page::{self, PAGE_BYTES, Page};
use crate::vfs::{ASK_SEALING, Sealing};

/// What stands where SQLite expects a file; SQLite's own file follows it in the same memory.
#[repr(C)]
pub(crate) struct SealedFile {
    /// What SQLite looks at: the first field of every `sqlite3_file`.
    methods: *const sqlite3_io_methods,
    sealing: Sealing,
    /// Where a page is put together or taken apart.
    scratch: Box<Page>,
}

/// Bytes that a [`SealedFile`] takes before SQLite's own file, which wants to begin at a multiple of 8.
pub(crate) const OWN_BYTES: usize = size_of::<SealedFile>().next_multiple_of(8);

impl SealedFile {
    /// Makes the file of a database out of SQLite's own, which is open already behind it. Closes
    /// that when it cannot be read.
    ///
    /// # Safety
    /// `file` is memory of at least [`OWN_BYTES`] that nobody else uses, followed by an open file.
    pub(crate) unsafe fn make(file: *mut sqlite3_file) -> c_int {
        // SAFETY: an open file stands behind, as the caller says.
        let inner = unsafe { inner_of(file) };
        let mut header = [0_u8; 100];
        // SAFETY: as above; the buffer has the length that is given.
        let (status, size) = unsafe { (inner.read(&mut header, 0), inner.size()) };
        let sealing = match size {
            // A database that is made here is sealed from its first page on.
            Ok(0) => Sealing::Sealed,
            Ok(_) if page::says_sealed(&header) => Sealing::Sealed,
            Ok(_) => Sealing::Plain,
            Err(status) => {
                // SAFETY: as above, and it is not used any more.
                unsafe { inner.close() };
                return status;
            }
        };
        // Shorter than a header: SQLite will say that it is no database.
        let _ = status;
        let made = Self { methods: &raw const METHODS, sealing, scratch: Box::new([0; PAGE_BYTES]) };
        // SAFETY: the memory is ours, large enough, and holds nothing to be dropped.
        unsafe { file.cast::<Self>().write(made) };
        SQLITE_OK
    }

    /// Reads bytes that lie within one page, and gives them only when the page is whole.
    ///
    /// # Safety
    /// `inner` is open.
    unsafe fn read_sealed(&mut self, inner: Inner, into: &mut [u8], at: u64) -> c_int {
        let size = PAGE_BYTES as u64;
        let (number, skip) = (at / size + 1, usize::try_from(at % size).unwrap_or_default());
        let whole = into.len() == PAGE_BYTES && skip == 0;
        if whole && let Ok(page) = <&mut Page>::try_from(&mut *into) {
            // SAFETY: open, as the caller says.
            let status = unsafe { inner.read(page, at) };
            // Beyond the end there are only zeros; a page that is there in part was cut off.
            let looked_at = status == SQLITE_OK || status == SQLITE_IOERR_SHORT_READ;
            return if looked_at && !page::is_whole(page, number) { damaged(number) } else { status };
        }
        // SAFETY: as above.
        let status = unsafe { inner.read(&mut *self.scratch, at - skip as u64) };
        if status != SQLITE_OK {
            // SAFETY: as above. Beyond the end, SQLite wants zeros and to be told so.
            let size = unsafe { inner.size() };
            into.fill(0);
            // A file that ends within a page was cut off.
            return if size == Ok(0) { status } else { damaged(number) };
        }
        let Some(part) = self.scratch.get(skip..skip.saturating_add(into.len())) else { return SQLITE_IOERR_DATA };
        if !page::is_whole(&self.scratch, number) {
            return damaged(number);
        }
        into.copy_from_slice(part);
        SQLITE_OK
    }

    /// Writes a page with its seal.
    ///
    /// # Safety
    /// `inner` is open.
    unsafe fn write_sealed(&mut self, inner: Inner, from: &[u8], at: u64) -> c_int {
        let size = PAGE_BYTES as u64;
        let page_of_header_says_otherwise = at == 0 && from.get(20) != Some(&page::RESERVED);
        if from.len() != PAGE_BYTES || !at.is_multiple_of(size) || page_of_header_says_otherwise {
            // The end of such a page is not free: a seal would overwrite what it holds.
            tracing::error!(at, length = from.len(), "a page without room for its seal was to be written");
            return SQLITE_IOERR_WRITE;
        }
        self.scratch.copy_from_slice(from);
        page::put_seal(&mut self.scratch, at / size + 1);
        // SAFETY: open, as the caller says.
        unsafe { inner.write(&*self.scratch, at) }
    }
}

fn damaged(number: u64) -> c_int {
    tracing::error!(page = number, "a page of the store is not as it was written: the file is damaged");
    SQLITE_IOERR_DATA
}

/// SQLite's own file.
#[derive(Clone, Copy)]
pub(crate) struct Inner(*mut sqlite3_file);

/// SQLite's own file behind ours.
///
/// # Safety
/// `file` has [`OWN_BYTES`] of memory, then a file.
pub(crate) unsafe fn inner_of(file: *mut sqlite3_file) -> Inner {
    // SAFETY: within the same memory, as the caller says.
    Inner(unsafe { file.byte_add(OWN_BYTES) })
}

impl Inner {
    pub(crate) const fn pointer(self) -> *mut sqlite3_file {
        self.0
    }

    /// # Safety
    /// The file is open.
    unsafe fn methods(self) -> &'static sqlite3_io_methods {
        // SAFETY: an open file has methods; those of SQLite's own file systems live as long as the program.
        unsafe { &*(*self.0).pMethods }
    }

    /// # Safety
    /// The file is open.
    unsafe fn read(self, into: &mut [u8], at: u64) -> c_int {
        let (length, at) = (c_int::try_from(into.len()), sqlite3_int64::try_from(at));
        // SAFETY: open, as the caller says.
        match (unsafe { self.methods() }.xRead, length, at) {
            // SAFETY: open, and the buffer has the length that is given.
            (Some(read), Ok(length), Ok(at)) => unsafe { read(self.0, into.as_mut_ptr().cast(), length, at) },
            _ => SQLITE_IOERR_DATA,
        }
    }

    /// # Safety
    /// The file is open.
    unsafe fn write(self, from: &[u8], at: u64) -> c_int {
        let (length, at) = (c_int::try_from(from.len()), sqlite3_int64::try_from(at));
        // SAFETY: open, as the caller says.
        match (unsafe { self.methods() }.xWrite, length, at) {
            // SAFETY: open, and the buffer has the length that is given.
            (Some(write), Ok(length), Ok(at)) => unsafe { write(self.0, from.as_ptr().cast(), length, at) },
            _ => SQLITE_IOERR_WRITE,
        }
    }

    /// # Safety
    /// The file is open.
    unsafe fn size(self) -> Result<sqlite3_int64, c_int> {
        let mut size = 0;
        // SAFETY: open, as the caller says.
        let Some(ask) = (unsafe { self.methods() }).xFileSize else { return Err(SQLITE_IOERR_DATA) };
        // SAFETY: open, and there is room for the answer.
        match unsafe { ask(self.0, &raw mut size) } {
            SQLITE_OK => Ok(size),
            status => Err(status),
        }
    }

    /// # Safety
    /// The file is open, and not used afterwards.
    unsafe fn close(self) -> c_int {
        // SAFETY: open, as the caller says.
        match unsafe { self.methods() }.xClose {
            // SAFETY: as above.
            Some(close) => unsafe { close(self.0) },
            None => SQLITE_OK,
        }
    }
}

/// What SQLite may ask of the file. Without `xFetch`: pages are never mapped into memory, where
/// they could not be looked at.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes each open file once, and this one was made by `SealedFile::make`.
    unsafe {
        let status = inner_of(file).close();
        file.cast::<SealedFile>().drop_in_place();
        status
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, length: c_int, at: sqlite3_int64) -> c_int {
    let (Ok(length), Ok(at)) = (usize::try_from(length), u64::try_from(at)) else { return SQLITE_IOERR_DATA };
    // SAFETY: SQLite gives an open file of ours, used by one thread at a time, and a buffer of this length.
    unsafe {
        let (inner, into) = (inner_of(file), std::slice::from_raw_parts_mut(into.cast::<u8>(), length));
        let own = &mut *file.cast::<SealedFile>();
        match own.sealing {
            Sealing::Sealed => own.read_sealed(inner, into, at),
            Sealing::Plain => inner.read(into, at),
        }
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, length: c_int, at: sqlite3_int64) -> c_int {
    let (Ok(length), Ok(at)) = (usize::try_from(length), u64::try_from(at)) else { return SQLITE_IOERR_WRITE };
    // SAFETY: SQLite gives an open file of ours, used by one thread at a time, and a buffer of this length.
    unsafe {
        let (inner, from) = (inner_of(file), std::slice::from_raw_parts(from.cast::<u8>(), length));
        let own = &mut *file.cast::<SealedFile>();
        match own.sealing {
            Sealing::Sealed => own.write_sealed(inner, from, at),
            Sealing::Plain => inner.write(from, at),
        }
    }
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, operation: c_int, about: *mut c_void) -> c_int {
    if operation == ASK_SEALING {
        // SAFETY: only `vfs::sealing` asks this, of a file of ours, with room for the answer.
        unsafe { about.cast::<Option<Sealing>>().write(Some((*file.cast::<SealedFile>()).sealing)) };
        return SQLITE_OK;
    }
    // SAFETY: SQLite gives an open file of ours.
    let inner = unsafe { inner_of(file) };
    // SAFETY: open; what it is asked goes on as it came.
    match unsafe { inner.methods() }.xFileControl {
        // SAFETY: as above.
        Some(ask) => unsafe { ask(inner.pointer(), operation, about) },
        None => SQLITE_NOTFOUND,
    }
}

/// A method that is left to SQLite's own file.
macro_rules! left_to_sqlite {
    ($name:ident, $method:ident, ($($argument:ident: $kind:ty),*) $(-> $answer:ty, $without:expr)?) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $kind),*) $(-> $answer)? {
            // SAFETY: SQLite gives an open file of ours, and what its own file expects.
            unsafe {
                let inner = inner_of(file);
                match inner.methods().$method {
                    Some(method) => method(inner.pointer(), $($argument),*),
                    None => { $($without)? }
                }
            }
        }
    };
}

left_to_sqlite!(truncate, xTruncate, (size: sqlite3_int64) -> c_int, SQLITE_OK);
left_to_sqlite!(sync, xSync, (flags: c_int) -> c_int, SQLITE_OK);
left_to_sqlite!(file_size, xFileSize, (size: *mut sqlite3_int64) -> c_int, SQLITE_OK);
left_to_sqlite!(lock, xLock, (level: c_int) -> c_int, SQLITE_OK);
left_to_sqlite!(unlock, xUnlock, (level: c_int) -> c_int, SQLITE_OK);
left_to_sqlite!(check_reserved_lock, xCheckReservedLock, (found: *mut c_int) -> c_int, SQLITE_OK);
left_to_sqlite!(sector_size, xSectorSize, () -> c_int, 0);
left_to_sqlite!(device_characteristics, xDeviceCharacteristics, () -> c_int, 0);
left_to_sqlite!(shm_map, xShmMap, (page: c_int, size: c_int, extend: c_int, at: *mut *mut c_void) -> c_int, SQLITE_NOTFOUND);
left_to_sqlite!(shm_lock, xShmLock, (offset: c_int, count: c_int, flags: c_int) -> c_int, SQLITE_NOTFOUND);
left_to_sqlite!(shm_barrier, xShmBarrier, ());
left_to_sqlite!(shm_unmap, xShmUnmap, (delete: c_int) -> c_int, SQLITE_OK);
