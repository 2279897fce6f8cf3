//! The commands of `gz-monitor`, one file each.
