//! The `liaison` program: everything is in the library beside it.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    liaison_server::run(std::env::args_os(), std::env::vars_os())
}
