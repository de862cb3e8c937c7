-- The same tables as on SQLite, with the same columns and meaning. What differs:
--
-- Every table but the dictionaries carries `shard`, and so does each of its keys: PostgreSQL can be
-- distributed by that column (docs/operators/scale.md). A row lies in the shard of its resource; one
-- that belongs to no resource lies in that of a hash of its own key. Nothing refers to a row of another
-- shard by a constraint.
--
-- Texts are compared by code points (COLLATE "C"), as everywhere in this program.

-- Dictionaries: reference tables, whole on each node of a distributed database.
CREATE TABLE resource_type (
  key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL UNIQUE,
  timeline TEXT COLLATE "C",
  longest BIGINT NOT NULL
);
CREATE TABLE param (
  key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  base TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  twofold INTEGER NOT NULL DEFAULT 0,
  UNIQUE (base, code)
);
CREATE TABLE system (
  key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL UNIQUE
);
CREATE TABLE scope (
  key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL UNIQUE
);
CREATE TABLE setting (name TEXT COLLATE "C" NOT NULL PRIMARY KEY, value BYTEA NOT NULL);

-- One row a shard: whoever writes to a shard holds its row. The last numbers given there.
CREATE TABLE shard (
  shard INTEGER NOT NULL PRIMARY KEY,
  sequence BIGINT NOT NULL,
  resource BIGINT NOT NULL,
  updated BIGINT NOT NULL
) WITH (fillfactor = 10);

-- Bodies stay in their row up to the size of a page: most are shorter.
CREATE TABLE resource (
  key BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  instant BIGINT NOT NULL,
  span BIGINT NOT NULL,
  seal BIGINT NOT NULL,
  shard INTEGER NOT NULL,
  type INTEGER NOT NULL,
  version INTEGER NOT NULL,
  live SMALLINT NOT NULL,
  change SMALLINT NOT NULL,
  form SMALLINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  facets TEXT COLLATE "C" NOT NULL,
  entry BYTEA NOT NULL,
  holes BYTEA NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (key, shard)
) WITH (toast_tuple_target = 8160);
CREATE UNIQUE INDEX resource_by_name ON resource (id, type, shard);
CREATE INDEX resource_by_instant ON resource (type, instant, key) WHERE live = 1;

CREATE TABLE past (
  resource BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  until BIGINT NOT NULL,
  instant BIGINT NOT NULL,
  seal BIGINT NOT NULL,
  shard INTEGER NOT NULL,
  version INTEGER NOT NULL,
  change SMALLINT NOT NULL,
  form SMALLINT NOT NULL,
  entry BYTEA NOT NULL,
  holes BYTEA NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (resource, version, shard)
) WITH (toast_tuple_target = 8160);

-- The change feed: one row a version, numbered without a gap in each shard.
CREATE TABLE change (
  sequence BIGINT NOT NULL,
  resource BIGINT NOT NULL,
  at BIGINT NOT NULL,
  shard INTEGER NOT NULL,
  type INTEGER NOT NULL,
  version INTEGER NOT NULL,
  change SMALLINT NOT NULL,
  caller TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shard, sequence)
);
CREATE INDEX change_by_type ON change (type, at, resource, version);
CREATE INDEX change_by_moment ON change (at, shard, sequence);

CREATE TABLE token (
  instant BIGINT NOT NULL,
  resource BIGINT NOT NULL,
  span BIGINT NOT NULL,
  param INTEGER NOT NULL,
  system INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (param, code, instant, resource, system, shard)
);
CREATE TABLE reference (
  target BIGINT NOT NULL,
  instant BIGINT NOT NULL,
  resource BIGINT NOT NULL,
  span BIGINT NOT NULL,
  param INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  link SMALLINT NOT NULL,
  PRIMARY KEY (target, param, instant, resource, shard)
);
CREATE INDEX reference_of ON reference (resource, param, target);
CREATE TABLE uri (
  instant BIGINT NOT NULL,
  resource BIGINT NOT NULL,
  span BIGINT NOT NULL,
  param INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (param, value, instant, resource, shard)
);

CREATE TABLE string (
  resource BIGINT NOT NULL,
  param INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  folded TEXT COLLATE "C" NOT NULL,
  exact TEXT COLLATE "C" NOT NULL
);
-- Indexed by its beginning: an index takes no text that is very long.
CREATE INDEX string_by_beginning ON string (param, left(folded, 200), resource);
CREATE INDEX string_of ON string (resource, param);
CREATE TABLE date (
  low BIGINT NOT NULL,
  high BIGINT NOT NULL,
  resource BIGINT NOT NULL,
  param INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  PRIMARY KEY (param, low, high, resource, shard)
);
CREATE INDEX date_of ON date (resource, param);
CREATE TABLE number (
  low DOUBLE PRECISION NOT NULL,
  high DOUBLE PRECISION NOT NULL,
  resource BIGINT NOT NULL,
  param INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  PRIMARY KEY (param, low, high, resource, shard)
);
CREATE INDEX number_of ON number (resource, param);
CREATE TABLE quantity (
  low DOUBLE PRECISION NOT NULL,
  high DOUBLE PRECISION NOT NULL,
  resource BIGINT NOT NULL,
  param INTEGER NOT NULL,
  system INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (param, low, high, resource, system, code, shard)
);
CREATE INDEX quantity_of ON quantity (resource, param);
CREATE TABLE position (
  z DOUBLE PRECISION NOT NULL,
  x DOUBLE PRECISION NOT NULL,
  y DOUBLE PRECISION NOT NULL,
  resource BIGINT NOT NULL,
  param INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  PRIMARY KEY (param, z, resource, x, y, shard)
);
CREATE INDEX position_of ON position (resource, param);

-- Its shard is that of a hash of scope and key: so a key is held once, whatever holds it.
CREATE TABLE unique_key (
  resource BIGINT NOT NULL,
  scope INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (scope, key, shard)
);

-- The shard of an attachment is that of its SHA-256.
CREATE TABLE blob (
  key BIGINT GENERATED ALWAYS AS IDENTITY,
  length BIGINT NOT NULL,
  added BIGINT NOT NULL,
  shard INTEGER NOT NULL,
  sha256 BYTEA NOT NULL,
  PRIMARY KEY (key, shard),
  UNIQUE (sha256, shard)
);
CREATE TABLE blob_piece (
  blob BIGINT NOT NULL,
  seal BIGINT NOT NULL,
  place INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (blob, place, shard)
);
ALTER TABLE blob_piece ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE version_blob (
  blob BIGINT NOT NULL,
  resource BIGINT NOT NULL,
  version INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  PRIMARY KEY (blob, resource, version, shard)
);

CREATE TABLE answer (
  at BIGINT NOT NULL,
  shard INTEGER NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  request BYTEA NOT NULL,
  versions BYTEA NOT NULL,
  PRIMARY KEY (key, shard)
);
CREATE INDEX answer_by_age ON answer (at);
