-- How far index rows are made anew, while they are.
CREATE TABLE reindexing (
  shard INTEGER PRIMARY KEY,
  until INTEGER NOT NULL,      -- sequence of the last change when it began
  reached INTEGER NOT NULL,    -- sequence up to which rows are made
  wanted INTEGER NOT NULL,     -- resources that there were when it began
  done INTEGER NOT NULL
) STRICT;
