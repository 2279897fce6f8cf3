//! The commands of `gz-monitor`, one file each.

pub mod check_config;
