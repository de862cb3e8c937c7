-- What is kept for somebody until a moment: sessions, invitations and the like.
CREATE TABLE lease (
  until BIGINT NOT NULL,
  shard INTEGER NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  owner TEXT COLLATE "C" NOT NULL,
  value BYTEA NOT NULL,
  PRIMARY KEY (kind, id, shard)
);
CREATE INDEX lease_of ON lease (kind, owner);
CREATE INDEX lease_by_end ON lease (until);
