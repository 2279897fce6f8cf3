//! The plugin host: from a configured name to a source of batches.
