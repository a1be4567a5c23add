"""The tables of mailboxes, and their rows."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS mailboxes (
  number INTEGER PRIMARY KEY, user_id TEXT NOT NULL UNIQUE, tick INTEGER NOT NULL, settings TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS folders (
  mailbox INTEGER NOT NULL, number INTEGER NOT NULL, parent INTEGER, name TEXT NOT NULL, well_known TEXT NOT NULL,
  hidden INTEGER NOT NULL, log_floor INTEGER NOT NULL, PRIMARY KEY (mailbox, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
  mailbox INTEGER NOT NULL, sequence INTEGER NOT NULL, place INTEGER NOT NULL, folder INTEGER NOT NULL,
  content INTEGER NOT NULL, received INTEGER NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
  version INTEGER NOT NULL, flags INTEGER NOT NULL, categories TEXT NOT NULL, conversation INTEGER NOT NULL,
  conversation_index BLOB NOT NULL, internet_message_id TEXT NOT NULL, extra TEXT,
  PRIMARY KEY (mailbox, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS thread_ids (
  mailbox INTEGER NOT NULL, message_id TEXT NOT NULL, conversation INTEGER NOT NULL,
  PRIMARY KEY (mailbox, message_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (
  mailbox INTEGER NOT NULL, tick INTEGER NOT NULL, folder INTEGER NOT NULL, kind TEXT NOT NULL,
  sequence INTEGER NOT NULL, place INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS changes_of_mailbox ON changes (mailbox, tick);
"""
SAVE_MESSAGE = "INSERT OR REPLACE INTO messages VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
SAVE_FOLDER = "INSERT OR REPLACE INTO folders VALUES (?,?,?,?,?,?,?)"
SAVE_CHANGE = "INSERT INTO changes VALUES (?,?,?,?,?,?)"
SAVE_THREAD_ID = "INSERT OR IGNORE INTO thread_ids VALUES (?,?,?)"
