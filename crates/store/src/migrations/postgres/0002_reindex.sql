-- Counted up when the record of what is indexed changes: whoever locks a shard to write sees it.
ALTER TABLE shard ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;

-- How far index rows are made anew, while they are.
CREATE TABLE reindexing (
  until BIGINT NOT NULL,
  reached BIGINT NOT NULL,
  wanted BIGINT NOT NULL,
  done BIGINT NOT NULL,
  shard INTEGER NOT NULL PRIMARY KEY
);
