//! What is true of a store in a file and has no meaning for a database that others keep: its bytes, its disk, the
//! process that has it to itself. `LIAISON_TEST_STORE` is nothing to these.

mod alone;
mod backups;
mod commands;
mod damage;
mod disk;
