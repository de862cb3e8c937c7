//! `liaison audit`: the audit trail, looked through or written out.

use std::io::{self, Write as _};

use liaison_store::{
    audit::{End, Looked},
    contract::StoreError,
    store::Store,
};

use crate::{
    assembly::{looking, store_text},
    cli::{AuditCommand, AuditFlags, AuditVerifyFlags, StoreFlags},
    failure::Failure,
};

use super::{Variables, store_settings};

/// Does what is asked.
pub fn run(flags: &AuditFlags, variables: &Variables) -> Result<(), Failure> {
    match &flags.what {
        AuditCommand::Verify(flags) => verify(flags, variables),
        AuditCommand::Export(flags) => export(flags, variables),
    }
}

fn verify(flags: &AuditVerifyFlags, variables: &Variables) -> Result<(), Failure> {
    let noted = flags.expect.iter().map(|text| {
        let wrong = || Failure::Failed(format!("--expect {text}: write what `liaison audit verify` said after “end”"));
        text.parse::<End>().map_err(|()| wrong())
    });
    let noted = noted.collect::<Result<Vec<_>, _>>()?;
    let (store, named) = open(&flags.store, variables)?;
    let looked = store.read_now(|reader| reader.verify_audit(&noted, liaison_app::audit::about));
    match looked.map_err(|error| Failure::of_store(&named, error))? {
        Looked::Broken(flaw) => Err(Failure::Failed(format!("the audit trail of {named} is not whole: {flaw}"))),
        Looked::Whole(verified) => {
            println!(
                "the audit trail of {named} is whole: {} lines, {} blocks, {} chains",
                verified.lines, verified.blocks, verified.chains
            );
            verified.ends.iter().for_each(|end| println!("end {end}"));
            Ok(())
        }
    }
}

fn export(flags: &StoreFlags, variables: &Variables) -> Result<(), Failure> {
    let (store, named) = open(flags, variables)?;
    let mut out = io::stdout().lock();
    let mut written = Ok(());
    let read = store.read_now(|reader| {
        reader.audit_blocks(|body| {
            written = out.write_all(body);
            if written.is_ok() { Ok(()) } else { Err(StoreError::WrongState) }
        })
    });
    written.and_then(|()| out.flush()).map_err(|error| Failure::of("the audit trail was not written out", error))?;
    read.map_err(|error| Failure::of_store(&named, error))
}

fn open(flags: &StoreFlags, variables: &Variables) -> Result<(Store, String), Failure> {
    let settings = store_settings(flags, variables)?;
    let named = store_text(&settings.store);
    let store = Store::open(&settings.store, looking(&settings)?).map_err(|error| Failure::of_store(&named, error))?;
    Ok((store, named))
}
