-- The audit trail: blocks of lines, each bound to the one before it in its chain by a digest.
CREATE TABLE audit (
  chain BLOB NOT NULL,         -- one for each time a program began to write, in the order of time
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  digest BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (chain, number)
) STRICT;
CREATE INDEX audit_at ON audit (at, chain, number);

-- The blocks that have lines about somebody: to find what was done in one notebook.
CREATE TABLE audit_about (
  about TEXT NOT NULL,         -- the id of a Patient, or * for everybody
  at INTEGER NOT NULL,
  chain BLOB NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (about, at, chain, number)
) STRICT, WITHOUT ROWID;
