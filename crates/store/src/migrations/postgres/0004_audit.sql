-- The audit trail: blocks of lines, each bound to the one before it in its chain by a digest.
CREATE TABLE audit (
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  shard INTEGER NOT NULL,
  chain BYTEA NOT NULL,
  digest BYTEA NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (chain, number, shard)
);
CREATE INDEX audit_at ON audit (at, chain, number);

-- The blocks that have lines about somebody: to find what was done in one notebook.
CREATE TABLE audit_about (
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  shard INTEGER NOT NULL,
  chain BYTEA NOT NULL,
  about TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (about, at, chain, number, shard)
);
