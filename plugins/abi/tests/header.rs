//! The header is C11 and C++17 without a warning, and states the same numbers as the mirror.

#![allow(clippy::unwrap_used, reason = "a failure fails the test")]

#[allow(dead_code, reason = "each test of the header uses some of it")]
mod compiler;

use std::fs;

use gz_monitor_abi as abi;

/// Includes the header, and defines a plugin with all that the header offers for that.
const SOURCE: &str = r#"
#include "gz_plugin.h"
static gz_status init(const gz_host *host, gz_str config, void **instance, gz_error *error) {
  (void)config;
  host->log(host, GZ_LOG_INFO, gz_str_of("here"));
  *instance = NULL;
  return gz_fail(error, GZ_ERR_UNAVAILABLE, "no such device");
}
static gz_status collect(void *instance, const gz_sink *sink, gz_error *error) {
  gz_sample sample = { GZ_STR("up"), NULL, 0, 1.0, 0, GZ_GAUGE, 0 };
  (void)instance;
  (void)error;
  return sink->emit(sink, &sample, 1, sizeof sample);
}
static void destroy(void *instance) { (void)instance; }
static const gz_collector up = {
  sizeof(gz_collector), 0, GZ_STR("up"), GZ_STR("1.0"), GZ_STR("Whether it is up"), GZ_STR(""),
  init, collect, NULL, destroy, NULL
};
static const gz_collector *const collectors[] = { &up };
const gz_plugin_entry gz_plugin = {
  GZ_ABI_MAJOR, GZ_ABI_MINOR, sizeof(gz_plugin_entry), 1, collectors
};
"#;

#[test]
fn compiles_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let (c, cpp) = (folder.path().join("up.c"), folder.path().join("up.cc"));
    fs::write(&c, SOURCE).unwrap();
    fs::write(&cpp, SOURCE).unwrap();
    compiler::check("cc", "-std=c11", &c);
    compiler::check("c++", "-std=c++17", &cpp);
}

/// The value of `#define NAME` or of the enumerator `NAME =` in the header.
fn number(name: &str) -> i64 {
    let header = compiler::header();
    let value = header.lines().find_map(|line| {
        let line = line.trim();
        let define = line.strip_prefix("#define ").and_then(|rest| rest.strip_prefix(name));
        let value = define.or_else(|| line.strip_prefix(name)?.strip_prefix(" ="))?;
        value.starts_with(' ').then(|| value.trim().split([' ', ',']).next())?
    });
    let value = value.unwrap_or_else(|| panic!("the header has no {name}"));
    value.trim_end_matches('u').parse().unwrap()
}

#[test]
fn numbers_are_the_mirrors() {
    let pairs = [
        ("GZ_ABI_MAJOR", i64::from(abi::ABI_MAJOR)),
        ("GZ_ABI_MINOR", i64::from(abi::ABI_MINOR)),
        ("GZ_COLLECTORS_MAX", i64::from(abi::COLLECTORS_MAX)),
        ("GZ_ID_MAX", abi::ID_MAX as i64),
        ("GZ_VERSION_MAX", abi::VERSION_MAX as i64),
        ("GZ_SUMMARY_MAX", abi::SUMMARY_MAX as i64),
        ("GZ_SCHEMA_MAX", abi::SCHEMA_MAX as i64),
        ("GZ_STRUCT_SIZE_MAX", abi::STRUCT_SIZE_MAX as i64),
        ("GZ_CONFIG_MAX", abi::CONFIG_MAX as i64),
        ("GZ_EMIT_COUNT_MAX", abi::EMIT_COUNT_MAX as i64),
        ("GZ_LABELS_MAX", abi::LABELS_MAX as i64),
        ("GZ_SAMPLE_TEXT_MAX", abi::SAMPLE_TEXT_MAX as i64),
        ("GZ_LOG_TEXT_MAX", abi::LOG_TEXT_MAX as i64),
        ("GZ_ERROR_TEXT_MAX", abi::ERROR_TEXT_MAX as i64),
        ("GZ_OK", abi::Status::OK.0.into()),
        ("GZ_NO_DATA", abi::Status::NO_DATA.0.into()),
        ("GZ_RESTART", abi::Status::RESTART.0.into()),
        ("GZ_ERR_CONFIG", abi::Status::ERR_CONFIG.0.into()),
        ("GZ_ERR_UNAVAILABLE", abi::Status::ERR_UNAVAILABLE.0.into()),
        ("GZ_ERR_INTERNAL", abi::Status::ERR_INTERNAL.0.into()),
        ("GZ_ERR_PANIC", abi::Status::ERR_PANIC.0.into()),
    ];
    for (name, ours) in pairs {
        assert_eq!(number(name), ours, "{name}");
    }
    let root = format!("GZ_EXT_ROOT \"{}\"", abi::EXT_ROOT.to_str().unwrap());
    assert!(compiler::header().contains(&root), "{root}");
}

#[test]
fn every_bound_has_a_twin() {
    let header = compiler::header();
    let bounds = header.lines().filter_map(|line| line.strip_prefix("#define GZ_"));
    let bounds: Vec<&str> = bounds
        .filter_map(|line| line.split([' ', '(']).next())
        .filter(|n| n.ends_with("_MAX"))
        .collect();
    let ours = include_str!("../src/bounds.rs");
    assert!(bounds.len() >= 12, "{bounds:?}");
    for name in bounds {
        assert!(ours.contains(&format!("pub const {name}: ")), "{name}");
    }
}
