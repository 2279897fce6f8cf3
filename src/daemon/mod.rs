//! Composes the rooms into a running daemon: start, reload, stop.
