//! The built-in collectors: against a fixture of /proc and /sys with golden files, against broken
//! ones, and on the machine that runs the test.
//!
//! `UPDATE_GOLDEN=1 cargo test --test collectors` writes the golden files anew.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use gz_monitor::collectors::{
    cpu::Cpu, diskstats::DiskStats, filesystem::FileSystem, load::Load, memory::Memory,
    network::Network, pressure::Pressure, processes::Processes, system::System, vmstat::VmStat,
};
use gz_monitor_sdk::{Collector, Error, Host, Kind, Sink};
use tempfile::TempDir;

/// The samples of one collection, by series.
type Samples = BTreeMap<String, (Kind, f64)>;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn start<C: Collector>(root: &Path, config: &str) -> Result<C, Error> {
    let config = serde_json::from_str(config).expect("the configuration is valid");
    C::init(config, Host::new(root.to_owned(), |_, _| {}))
}

/// Collects once. What came before an error counts too.
fn collect<C: Collector>(collector: &mut C) -> (Samples, Result<(), Error>) {
    let mut samples = Samples::new();
    let mut emit = |sample: gz_monitor_sdk::SampleRef<'_>| {
        let mut labels = sample.labels.to_vec();
        labels.sort_unstable();
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let series = match labels.as_slice() {
            [] => sample.name.to_owned(),
            labels => format!("{}{{{}}}", sample.name, labels.join(",")),
        };
        let ends_in_total = sample.name.ends_with("_total");
        assert_eq!(ends_in_total, sample.kind == Kind::Counter, "the kind of {series}");
        let before = samples.insert(series.clone(), (sample.kind, sample.value));
        assert!(before.is_none(), "{series} came twice");
        assert!(sample.value.is_finite(), "{series} is {}", sample.value);
    };
    let result = collector.collect(&mut Sink::new(&mut emit));
    (samples, result)
}

fn text(samples: &Samples) -> String {
    let line = |(series, (_, value)): (&String, &(Kind, f64))| format!("{series} {value}\n");
    samples.iter().map(line).collect()
}

/// Compares what `C` collects from the fixture with the golden file `name`.
fn golden<C: Collector>(name: &str, mask: impl Fn(String) -> String) {
    let mut collector = start::<C>(&fixtures().join("host"), "{}").expect("it starts");
    let (samples, result) = collect(&mut collector);
    result.expect("it collects");
    let found = mask(text(&samples));
    let path = fixtures().join(format!("golden/{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &found).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{name}: UPDATE_GOLDEN=1 accepts it");
}

#[test]
fn golden_files() {
    golden::<Cpu>("cpu", |text| text);
    golden::<DiskStats>("diskstats", |text| text);
    golden::<Load>("load", |text| text);
    golden::<Memory>("memory", |text| text);
    golden::<Network>("network", |text| text);
    golden::<Pressure>("pressure", |text| text);
    golden::<Processes>("processes", |text| text);
    golden::<VmStat>("vmstat", |text| text);
    golden::<FileSystem>("filesystem", mask_sizes);
}

/// The fixture's mounts are folders, whose sizes are those of the disk that the test is on.
fn mask_sizes(text: String) -> String {
    let is_size =
        |line: &str| ["_bytes{", "_files{", "_free{"].iter().any(|name| line.contains(name));
    let mask = |line: &str| match line.rsplit_once(' ') {
        Some((series, _)) if is_size(line) => format!("{series} *\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(mask).collect()
}

/// A root of its own, with nothing but `files`.
fn root(files: &[(&str, &[u8])]) -> TempDir {
    let root = TempDir::new().expect("a temporary folder");
    for (path, content) in files {
        write(root.path(), path, content);
    }
    root
}

fn write(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("it is below the root")).expect("a folder");
    fs::write(path, content).expect("a file");
}

/// What `C` makes of `files`: its samples, then its error if there is one, without the root.
fn read<C: Collector>(files: &[(&str, &[u8])]) -> String {
    let root = root(files);
    let (samples, result) = match start::<C>(root.path(), "{}") {
        Ok(mut collector) => collect(&mut collector),
        Err(error) => (Samples::new(), Err(error)),
    };
    let error = result.err().map(|error| error.to_string()).unwrap_or_default();
    text(&samples) + &error.replace(&*root.path().to_string_lossy(), "")
}

#[test]
fn what_is_missing_is_said_at_the_start() {
    let check = |found: String, path: &str| {
        assert_eq!(found, format!("unavailable: {path}: No such file or directory (os error 2)"));
    };
    check(read::<Cpu>(&[]), "/proc/stat");
    check(read::<DiskStats>(&[]), "/proc/diskstats");
    check(read::<FileSystem>(&[]), "/proc/self/mountinfo");
    check(read::<Load>(&[]), "/proc/loadavg");
    check(read::<Memory>(&[]), "/proc/meminfo");
    check(read::<Network>(&[]), "/proc/net/dev");
    check(read::<Processes>(&[]), "/proc/uptime");
    check(read::<System>(&[]), "/proc/self/mountinfo");
    check(read::<VmStat>(&[]), "/proc/vmstat");
}

#[test]
fn what_is_not_understood_is_said() {
    let check = |found: String, path: &str| {
        assert_eq!(found, format!("{path}: nothing in it is understood"));
    };
    let odd: &[u8] = b"\xff\x00 odd\n\n%";
    check(read::<Cpu>(&[("proc/stat", odd)]), "/proc/stat");
    check(read::<Cpu>(&[("proc/stat", b"")]), "/proc/stat");
    check(read::<DiskStats>(&[("proc/diskstats", odd)]), "/proc/diskstats");
    check(read::<FileSystem>(&[("proc/1/mountinfo", odd)]), "/proc/1/mountinfo");
    check(read::<Load>(&[("proc/loadavg", b"0.1 0.2")]), "/proc/loadavg");
    check(read::<Load>(&[("proc/loadavg", b"0.1 x 0.2 0.3")]), "/proc/loadavg");
    check(read::<Memory>(&[("proc/meminfo", odd)]), "/proc/meminfo");
    check(read::<Network>(&[("proc/net/dev", odd)]), "/proc/net/dev");
    check(read::<Processes>(&[("proc/uptime", odd)]), "/proc/uptime");
    check(read::<VmStat>(&[("proc/vmstat", odd)]), "/proc/vmstat");
}

#[test]
fn a_kernel_without_psi_has_no_data() {
    assert_eq!(read::<Pressure>(&[]), "no data: the kernel has no PSI");
    // One resource is enough.
    let found = read::<Pressure>(&[("proc/pressure/cpu", b"some avg10=0.00 total=1500000")]);
    assert_eq!(found, "node_pressure_cpu_waiting_seconds_total 1.5\n");
}

#[test]
fn a_machine_without_block_devices_is_no_failure() {
    assert_eq!(read::<DiskStats>(&[("proc/diskstats", b"")]), "");
}

#[test]
fn one_bad_line_does_not_lose_the_others() {
    // The last line is cut off, cpu1 is broken, and cpu0 is that of a kernel without guests.
    let stat = b"cpu  1 2 3 4\ncpu0 100 200 300 400 500\ncpu1 1 x 3 4\nctxt\nintr 7 1 2\nbtim";
    let found = read::<Cpu>(&[("proc/stat", stat)]);
    let lines: Vec<_> = found.lines().filter(|line| !line.ends_with(" 0")).collect();
    assert_eq!(
        lines,
        [
            r#"node_cpu_seconds_total{cpu="0",mode="idle"} 4"#,
            r#"node_cpu_seconds_total{cpu="0",mode="iowait"} 5"#,
            r#"node_cpu_seconds_total{cpu="0",mode="nice"} 2"#,
            r#"node_cpu_seconds_total{cpu="0",mode="system"} 3"#,
            r#"node_cpu_seconds_total{cpu="0",mode="user"} 1"#,
            "node_intr_total 7",
        ]
    );
    let meminfo = b"MemTotal: 2 kB\nMemFree: \xff kB\nCached:\n\nDirty: 1 kB\nSla";
    let found = read::<Memory>(&[("proc/meminfo", meminfo)]);
    assert_eq!(found, "node_memory_Dirty_bytes 1024\nnode_memory_MemTotal_bytes 2048\n");

    let net = b" face |bytes\neth0: 1 2 3\n wan: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n lo: 1";
    let found = read::<Network>(&[("proc/net/dev", net)]);
    assert_eq!(found.lines().count(), 16);
    assert!(found.lines().all(|line| line.contains(r#"{device="wan"}"#)), "{found}");

    let disks = b"8 0 sda 1 2\n8 16 sdb 1 2 3 4 5 6 7 8 9 10 11\n8 32 sdc x\n";
    let found = read::<DiskStats>(&[("proc/diskstats", disks)]);
    assert_eq!(found.lines().count(), 11);
    assert!(found.lines().all(|line| line.contains(r#"{device="sdb"}"#)), "{found}");
}

#[test]
fn a_cpu_that_is_taken_out_is_no_longer_reported() {
    let line = |cpu: u32| format!("cpu{cpu} 100 200 300 400\n");
    let root = root(&[("proc/stat", (line(0) + &line(1)).as_bytes())]);
    let mut collector = start::<Cpu>(root.path(), "{}").expect("it starts");
    let mut has_cpu = |cpu: &str| {
        let (samples, result) = collect(&mut collector);
        result.expect("it collects");
        samples.contains_key(&format!("node_cpu_seconds_total{{cpu={cpu:?},mode=\"user\"}}"))
    };
    assert!(has_cpu("0") && has_cpu("1"));
    write(root.path(), "proc/stat", line(0).as_bytes());
    assert!(has_cpu("0") && !has_cpu("1"));
}

#[test]
fn huge_values_are_rounded_not_refused() {
    let found = read::<VmStat>(&[("proc/vmstat", b"pgfault 18446744073709551615\n")]);
    assert_eq!(found, "node_vmstat_pgfault 18446744073709552000\n");
    let found = read::<Cpu>(&[("proc/stat", b"ctxt 99999999999999999999999\n")]);
    assert_eq!(found, format!("node_context_switches_total {}\n", 1e23));
}

#[test]
fn unknown_keys_are_refused() {
    fn check<C: Collector>() {
        assert!(serde_json::from_str::<C::Config>(r#"{"no_such_key": 1}"#).is_err());
        assert!(serde_json::from_str::<C::Config>("{}").is_ok());
    }
    check::<Cpu>();
    check::<DiskStats>();
    check::<FileSystem>();
    check::<Load>();
    check::<Memory>();
    check::<Network>();
    check::<Pressure>();
    check::<Processes>();
    check::<System>();
    check::<VmStat>();
}

#[test]
fn configuration_chooses() {
    let host = fixtures().join("host");
    fn found<C: Collector>(root: &Path, config: &str) -> String {
        text(&collect(&mut start::<C>(root, config).expect("it starts")).0)
    }
    let cpu = found::<Cpu>(&host, r#"{"guest": false, "frequency": false}"#);
    assert!(!cpu.contains("guest") && !cpu.contains("hertz") && cpu.contains(r#"mode="user""#));
    let disks = found::<DiskStats>(&host, r#"{"exclude": ["dm-#", "sd*", "nvme*"]}"#);
    assert!(disks.contains("ram0") && disks.contains("loop0") && !disks.contains("sd"));
    let network = found::<Network>(&host, r#"{"exclude": ["lo", "wlan#"]}"#);
    assert!(network.contains("eth0") && !network.contains(r#""lo""#) && !network.contains("wlan0"));
    let config = r#"{"exclude_types": ["ext4"], "exclude_mount_points": ["/srv"]}"#;
    let filesystem = found::<FileSystem>(&host, config);
    assert!(filesystem.contains("sysfs") && !filesystem.contains("ext4"));
    assert!(!filesystem.contains("/srv"));
    assert!(!found::<Processes>(&host, r#"{"top": 0}"#).contains("gz_process_top"));
    assert!(start::<FileSystem>(&host, r#"{"threads_max": 0}"#).is_err());
}

/// A `stat` line with the CPU time, the start and the memory of a process.
fn process(name: &[u8], ticks: u32, start: u32, pages: u32) -> Vec<u8> {
    let rest = format!(") S 0 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 {start} 0 {pages} 0\n");
    [b"1 (", name, rest.as_bytes()].concat()
}

#[test]
fn the_processes_that_use_most() {
    let root = root(&[
        ("proc/uptime", b"100.00 0"),
        ("proc/1/stat", &process(b"init", 500, 1, 10)),
        ("proc/2/stat", &process(b"idle", 500, 2, 30)),
        ("proc/3/stat", &process(b"gone", 500, 3, 20)),
        ("proc/4/stat", &process(b"odd \xff)", 0, 4, 0)),
        ("proc/5/stat", b"5 (cut"),
    ]);
    let mut collector = start::<Processes>(root.path(), r#"{"top": 2}"#).expect("it starts");
    let mut top = || {
        let (samples, result) = collect(&mut collector);
        result.expect("it collects");
        let top = text(&samples).replace("gz_process_top_", "");
        let pids = samples["node_processes_pids"].1;
        let of =
            |name| top.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>().join("\n");
        (pids, of("cpu_percent"), of("resident_memory_bytes").lines().count())
    };
    // There is nothing to compare with yet.
    assert_eq!(top(), (4.0, String::new(), 2));

    write(root.path(), "proc/uptime", b"110.00 0");
    write(root.path(), "proc/1/stat", &process(b"init", 1_000, 1, 10));
    // Another process under the same number, which has used 2 seconds of its own.
    write(root.path(), "proc/3/stat", &process(b"new", 200, 10_500, 20));
    write(root.path(), "proc/4/stat", &process(b"odd \xff)", 250, 4, 0));
    let expected =
        "cpu_percent{comm=\"init\",pid=\"1\"} 50\ncpu_percent{comm=\"odd \u{fffd})\",pid=\"4\"} 25";
    assert_eq!(top(), (4.0, expected.to_owned(), 2));

    // The clock has not moved: no time in which anything could have been used.
    assert_eq!(top().1, "");
}

#[test]
fn a_state_that_was_met_stays() {
    let root = root(&[("proc/uptime", b"1.0 0"), ("proc/1/stat", &process(b"init", 1, 1, 1))]);
    let mut collector = start::<Processes>(root.path(), "{}").expect("it starts");
    let states = |collector: &mut Processes| {
        let (samples, _) = collect(collector);
        let states = samples.iter().filter(|(series, _)| series.contains("_state{"));
        states.map(|(series, (_, value))| format!("{series} {value}")).collect::<Vec<_>>()
    };
    assert_eq!(states(&mut collector), [r#"node_processes_state{state="S"} 1"#]);
    let line = String::from_utf8(process(b"init", 1, 1, 1)).expect("text").replace(") S", ") D");
    write(root.path(), "proc/1/stat", line.as_bytes());
    let expected = [r#"node_processes_state{state="D"} 1"#, r#"node_processes_state{state="S"} 0"#];
    assert_eq!(states(&mut collector), expected);
}

#[test]
fn mounts_that_come_and_go_are_noticed() {
    let line = |point: &str| format!("1 2 8:1 / {point} rw - ext4 /dev/sda1 rw\n");
    let root = root(&[("proc/1/mountinfo", line("/").as_bytes())]);
    let mut collector = start::<FileSystem>(root.path(), "{}").expect("it starts");
    let mut errors = || {
        let (samples, result) = collect(&mut collector);
        result.expect("it collects");
        let errors = samples.into_iter().filter(|(series, _)| series.contains("device_error"));
        errors.map(|(_, (_, value))| value).collect::<Vec<_>>()
    };
    assert_eq!(errors(), [0.0]);
    write(root.path(), "proc/1/mountinfo", (line("/") + &line("/gone")).as_bytes());
    assert_eq!(errors(), [0.0, 1.0]);
    assert_eq!(errors(), [0.0, 1.0]);
    write(root.path(), "proc/1/mountinfo", line("/gone").as_bytes());
    assert_eq!(errors(), [1.0]);
}

#[test]
fn the_system_takes_disks_and_processes_from_the_root() {
    let mut collector = start::<System>(&fixtures().join("host"), "{}").expect("it starts");
    let (samples, result) = collect(&mut collector);
    result.expect("it collects");
    assert_eq!(samples["system_processes"].1, 4.0);
    let totals = samples.keys().filter(|series| series.starts_with("system_disk_total_bytes"));
    assert_eq!(
        totals.collect::<Vec<_>>(),
        [
            r#"system_disk_total_bytes{device="/dev/dm-2",fstype="ext4",mountpoint="/"}"#,
            r#"system_disk_total_bytes{device="/dev/sda3",fstype="xfs",mountpoint="/srv"}"#,
            r#"system_disk_total_bytes{device="/dev/sdb1",fstype="ext4",mountpoint="/mnt/back up"}"#,
        ]
    );
}

/// Collects twice on this machine, some time apart; both must succeed, or have no data.
fn live<C: Collector>() -> [Samples; 2] {
    let mut collector = start::<C>(Path::new("/"), "{}").expect("it starts on this machine");
    let mut take = || {
        let (samples, result) = collect(&mut collector);
        assert!(matches!(result, Ok(()) | Err(Error::NoData(_))), "{result:?}");
        samples
    };
    let first = take();
    sleep(Duration::from_millis(250));
    let second = take();
    for (series, (kind, value)) in &first {
        if let (Kind::Counter, Some((_, later))) = (kind, second.get(series)) {
            assert!(later >= value, "{series} fell from {value} to {later}");
        }
    }
    [first, second]
}

#[test]
fn on_this_machine() {
    live::<DiskStats>();
    live::<FileSystem>();
    live::<Network>();
    match Pressure::init(Default::default(), Host::new("/".into(), |_, _| {})) {
        Err(Error::NoData(_)) => {}
        _ => drop(live::<Pressure>()),
    }
    let names = |samples: &Samples| samples.keys().cloned().collect::<HashSet<_>>();
    for [first, second] in [live::<Load>(), live::<Memory>(), live::<VmStat>()] {
        assert!(!first.is_empty());
        assert_eq!(names(&first), names(&second));
    }
    let [_, memory] = live::<Memory>();
    assert!(memory["node_memory_MemFree_bytes"].1 <= memory["node_memory_MemTotal_bytes"].1);
    let [_, processes] = live::<Processes>();
    assert!(processes["node_processes_threads"].1 >= processes["node_processes_pids"].1);
    assert!(processes["node_processes_pids"].1 >= 1.0);
    let states = processes.iter().filter(|(series, _)| series.contains("_state{"));
    let in_a_state: f64 = states.map(|(_, (_, value))| value).sum();
    assert_eq!(in_a_state, processes["node_processes_pids"].1);
}

#[test]
fn every_cpu_of_this_machine_gains_time() {
    let [first, second] = live::<Cpu>();
    let total = |samples: &Samples, cpu: usize| -> f64 {
        let prefix = format!("node_cpu_seconds_total{{cpu=\"{cpu}\"");
        samples.iter().filter(|(series, _)| series.starts_with(&prefix)).map(|(_, (_, v))| v).sum()
    };
    let mut cpus = 0;
    while total(&first, cpus) > 0.0 {
        assert!(total(&second, cpus) > total(&first, cpus), "cpu {cpus}");
        cpus += 1;
    }
    assert!(cpus > 0);
}

#[test]
fn a_single_reading_gives_no_cpu_use() {
    let before = Instant::now();
    let mut collector = start::<System>(Path::new("/"), "{}").expect("it starts");
    let (samples, _) = collect(&mut collector);
    let too_early = before.elapsed() < sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;
    assert!(!too_early || !samples.keys().any(|series| series.starts_with("system_cpu")));
    assert!(samples.contains_key("system_memory_used_bytes"));
}

#[test]
fn the_status_of_this_machine_makes_sense() {
    let [_, second] = live::<System>();
    let value = |name: &str| second[name].1;
    assert!((0.0..=100.0).contains(&value("system_cpu_usage_percent")));
    assert!((0.0..=100.0).contains(&value(r#"system_cpu_core_usage_percent{core="0"}"#)));
    let (total, used) = (value("system_memory_total_bytes"), value("system_memory_used_bytes"));
    assert!(used > 0.0 && used < total);
    assert_eq!(used, total - value("system_memory_available_bytes"));
    assert!(value("system_swap_used_bytes") <= value("system_swap_total_bytes"));
    assert!(value("system_uptime_seconds") > 0.0 && value("system_processes") >= 1.0);
    assert!(value("system_load1") >= 0.0);
    assert!(!second.keys().any(|series| series.contains(r#"interface="lo""#)));
    for (series, (_, total)) in second.iter().filter(|(s, _)| s.starts_with("system_disk_total")) {
        let used = value(&series.replace("_total_", "_used_"));
        assert!(used <= *total, "{series}");
    }
    if let Some((_, percent)) = second.get("system_disk_usage_percent") {
        assert!((0.0..=100.0).contains(percent));
    }
}
