-- What is kept for somebody until a moment: sessions, invitations and the like.
CREATE TABLE lease (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,            -- of a secret, its digest only
  owner TEXT NOT NULL,
  until INTEGER NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX lease_of ON lease (kind, owner);
CREATE INDEX lease_by_end ON lease (until);
