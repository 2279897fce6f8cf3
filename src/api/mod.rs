//! The outward JSON types, version 1: what REST answers and what the stream carries.
