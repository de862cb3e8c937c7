-- Dictionaries: names that come again and again, as small numbers.
CREATE TABLE resource_type (
  key INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  timeline TEXT,               -- code of the date parameter its resources are ordered by; NULL: last change
  longest INTEGER NOT NULL     -- longest span of an instant met so far, in microseconds
) STRICT;
CREATE TABLE param (
  key INTEGER PRIMARY KEY,
  base TEXT NOT NULL,
  code TEXT NOT NULL,
  twofold INTEGER NOT NULL DEFAULT 0, -- 1 once a resource had a code of it in several systems
  UNIQUE (base, code)
) STRICT;
CREATE TABLE system (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE scope (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- The last version of each resource, body and all. A row of version 0 is a name that others refer
-- to and that does not exist yet.
CREATE TABLE resource (
  key INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  live INTEGER NOT NULL,
  sequence INTEGER NOT NULL,   -- of the change that made this version
  updated INTEGER NOT NULL,
  instant INTEGER NOT NULL,    -- start of the resource's own moment
  span INTEGER NOT NULL,       -- how long that moment is
  change INTEGER NOT NULL,
  form INTEGER NOT NULL,
  seal INTEGER NOT NULL,       -- checksum of the body
  facets TEXT NOT NULL,        -- parameters it has a value for, one character each
  entry BLOB NOT NULL,         -- its index rows and unique keys, compact
  holes BLOB NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (type, id)
) STRICT;
CREATE INDEX resource_by_instant ON resource (type, instant, key, span) WHERE live = 1;

-- The versions before.
CREATE TABLE past (
  row INTEGER PRIMARY KEY,
  resource INTEGER NOT NULL,
  version INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  until INTEGER NOT NULL,      -- when the next version came
  instant INTEGER NOT NULL,
  change INTEGER NOT NULL,
  form INTEGER NOT NULL,
  seal INTEGER NOT NULL,
  entry BLOB NOT NULL,
  holes BLOB NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (resource, version)
) STRICT;

-- The change feed: one row a version, numbered without a gap.
CREATE TABLE change (
  sequence INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  resource INTEGER NOT NULL,
  version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  change INTEGER NOT NULL,
  caller TEXT NOT NULL
) STRICT;
CREATE INDEX change_by_type ON change (type, at, resource, version);

-- Index tables of values that are looked up by equality: each value is a timeline, its resources
-- in the order of their instants.
CREATE TABLE token (
  param INTEGER NOT NULL,
  code TEXT NOT NULL,
  instant INTEGER NOT NULL,
  resource INTEGER NOT NULL,
  system INTEGER NOT NULL,     -- 0: none
  span INTEGER NOT NULL,
  PRIMARY KEY (param, code, instant, resource, system)
) WITHOUT ROWID, STRICT;
CREATE TABLE reference (
  target INTEGER NOT NULL,
  param INTEGER NOT NULL,      -- 0: a place that no parameter covers
  instant INTEGER NOT NULL,
  resource INTEGER NOT NULL,
  span INTEGER NOT NULL,
  link INTEGER NOT NULL,       -- 1: the target must be live
  PRIMARY KEY (target, param, instant, resource)
) WITHOUT ROWID, STRICT;
CREATE INDEX reference_of ON reference (resource, param, target);
CREATE TABLE uri (
  param INTEGER NOT NULL,
  value TEXT NOT NULL,
  instant INTEGER NOT NULL,
  resource INTEGER NOT NULL,
  span INTEGER NOT NULL,
  PRIMARY KEY (param, value, instant, resource)
) WITHOUT ROWID, STRICT;

-- Index tables of values that are looked up by range, and checked resource by resource.
CREATE TABLE string (
  param INTEGER NOT NULL,
  folded TEXT NOT NULL,
  resource INTEGER NOT NULL,
  exact TEXT NOT NULL,
  PRIMARY KEY (param, folded, resource, exact)
) WITHOUT ROWID, STRICT;
CREATE INDEX string_of ON string (resource, param);
CREATE TABLE date (
  param INTEGER NOT NULL,
  low INTEGER NOT NULL,
  high INTEGER NOT NULL,
  resource INTEGER NOT NULL,
  PRIMARY KEY (param, low, high, resource)
) WITHOUT ROWID, STRICT;
CREATE INDEX date_of ON date (resource, param);
CREATE TABLE number (
  param INTEGER NOT NULL,
  low REAL NOT NULL,
  high REAL NOT NULL,
  resource INTEGER NOT NULL,
  PRIMARY KEY (param, low, high, resource)
) WITHOUT ROWID, STRICT;
CREATE INDEX number_of ON number (resource, param);
CREATE TABLE quantity (
  param INTEGER NOT NULL,
  low REAL NOT NULL,
  high REAL NOT NULL,
  resource INTEGER NOT NULL,
  system INTEGER NOT NULL,     -- 0: none
  code TEXT NOT NULL,          -- empty: none
  PRIMARY KEY (param, low, high, resource, system, code)
) WITHOUT ROWID, STRICT;
CREATE INDEX quantity_of ON quantity (resource, param);
-- A place as a point on the unit sphere: nearness is a straight distance, without trigonometry in SQL.
CREATE TABLE position (
  param INTEGER NOT NULL,
  z REAL NOT NULL,
  resource INTEGER NOT NULL,
  x REAL NOT NULL,
  y REAL NOT NULL,
  PRIMARY KEY (param, z, resource, x, y)
) WITHOUT ROWID, STRICT;
CREATE INDEX position_of ON position (resource, param);

-- Keys that one live resource may hold.
CREATE TABLE unique_key (
  scope INTEGER NOT NULL,
  key TEXT NOT NULL,
  resource INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) WITHOUT ROWID, STRICT;

-- Attachments, once each, in pieces.
CREATE TABLE blob (
  key INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL UNIQUE,
  length INTEGER NOT NULL,
  added INTEGER NOT NULL
) STRICT;
CREATE TABLE blob_piece (
  row INTEGER PRIMARY KEY,
  blob INTEGER NOT NULL,
  place INTEGER NOT NULL,      -- counted from 0
  seal INTEGER NOT NULL,       -- checksum of the bytes
  bytes BLOB NOT NULL,
  UNIQUE (blob, place)
) STRICT;
CREATE TABLE version_blob (
  blob INTEGER NOT NULL,
  resource INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (blob, resource, version)
) WITHOUT ROWID, STRICT;

-- Answers to requests that may come again.
CREATE TABLE answer (
  key TEXT NOT NULL PRIMARY KEY,
  request BLOB NOT NULL,
  at INTEGER NOT NULL,
  versions BLOB NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX answer_by_age ON answer (at);

CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
