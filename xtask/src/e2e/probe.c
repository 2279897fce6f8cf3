/*
 * Tries what the unit's sandbox is to refuse, and prints what came of each attempt as a sample of
 * Prometheus text: 0, or the errno(3), or a plain value. It is a collector's program, so a real child
 * of the daemon.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void say(const char *attempt, long value) {
  printf("probe_result{attempt=\"%s\"} %ld\n", attempt, value);
}

/* The errno of a call that failed, 0 of one that did not. */
static void tell(const char *attempt, long result) { say(attempt, result == -1 ? errno : 0); }

static void try_open(const char *attempt, const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0600);
  tell(attempt, fd);
  if (fd >= 0) close(fd);
}

static void try_create(const char *attempt, const char *path) {
  try_open(attempt, path, O_WRONLY | O_CREAT);
  unlink(path);
}

static void try_socket(const char *attempt, int domain, int type, int protocol) {
  int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
  tell(attempt, fd);
  if (fd >= 0) close(fd);
}

/* In a child, which what succeeds cannot follow home. */
static void try_apart(const char *attempt, long (*call)(void)) {
  pid_t child = fork();
  int status = 0;
  if (child == 0) _exit(call() == -1 ? errno : 0);
  if (child < 0 || waitpid(child, &status, 0) < 0) {
    tell(attempt, -1);
  } else {
    say(attempt, WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
  }
}

static long new_user_namespace(void) { return unshare(CLONE_NEWUSER); }
static long new_network_namespace(void) { return unshare(CLONE_NEWNET); }
static long other_host_name(void) { return sethostname("probe", 5); }
static long other_personality(void) { return personality(PER_LINUX32); }
static long be_traced(void) { return ptrace(PTRACE_TRACEME, 0, 0, 0); }
static long other_root(void) { return chroot("/"); }
static long load_module(void) { return syscall(SYS_init_module, "", 0L, ""); }
static long read_kernel_log(void) { char text[16]; return klogctl(3, text, sizeof text); }
static long own_mount(void) { return mount("none", "/mnt", "tmpfs", 0, NULL); }
static long make_device(void) { return mknod("/var/lib/gz-monitor/probe-device", S_IFCHR | 0600, 0x103); }

static long real_time(void) {
  struct sched_param param = {.sched_priority = 1};
  return sched_setscheduler(0, SCHED_FIFO, &param);
}

static long own_processor(void) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(0, &set);
  return sched_setaffinity(0, sizeof set, &set);
}

static long read_clock(void) {
  struct timex clock = {.modes = 0};
  return adjtimex(&clock);
}

static long set_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return clock_settime(CLOCK_REALTIME, &now);
}

static void try_writable_code(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  say("writable-code", page == MAP_FAILED ? errno : 0);
}

/* Both bits of a file of its own, and the mode that a new file gets. */
static void try_modes(void) {
  const char *path = "/var/lib/gz-monitor/probe-file";
  struct stat status = {0};
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  tell("write-state", fd);
  if (fd < 0) return;
  fstat(fd, &status);
  say("mode-of-new-file", status.st_mode & 0777);
  tell("setuid-bit", fchmod(fd, 04700));
  close(fd);
  unlink(path);
}

static void try_send(const char *attempt, const char *address) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  inet_pton(AF_INET, address, &to.sin_addr);
  tell(attempt, sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to));
  close(fd);
}

/* Not by an attempt to write: who is not root may not do that anyway. */
static void ask_read_only(const char *question, const char *path) {
  struct statvfs status;
  say(question, statvfs(path, &status) == -1 ? 1000 + errno : (status.f_flag & ST_RDONLY) != 0);
}

static void try_files(void) {
  try_create("write-etc", "/etc/probe-file");
  try_create("write-usr", "/usr/probe-file");
  try_create("write-home", "/home/probe/new-file");
  try_open("read-home", "/home/probe/file", O_RDONLY);
  try_open("foreign-tmp", "/tmp/probe-seen", O_RDONLY);
  try_open("foreign-device", "/dev/probe-device", O_RDONLY);
  try_open("null-device", "/dev/null", O_RDWR);
  ask_read_only("read-only-sysctl", "/proc/sys");
  ask_read_only("read-only-sys", "/sys");
  ask_read_only("read-only-cgroup", "/sys/fs/cgroup");
  try_open("see-init", "/proc/1/stat", O_RDONLY);
  try_open("see-init-files", "/proc/1/environ", O_RDONLY);
  try_open("see-meminfo", "/proc/meminfo", O_RDONLY);
}

int main(void) {
  puts("# TYPE probe_result gauge");
  try_files();
  try_modes();
  try_socket("packet-socket", AF_PACKET, SOCK_DGRAM, 0);
  try_socket("raw-socket", AF_INET, SOCK_RAW, IPPROTO_ICMP);
  try_socket("netlink-socket", AF_NETLINK, SOCK_RAW, 0);
  try_socket("vsock-socket", AF_VSOCK, SOCK_STREAM, 0);
  try_send("send-local", "127.0.0.1");
  try_send("send-remote", "198.51.100.1");
  try_writable_code();
  try_apart("user-namespace", new_user_namespace);
  try_apart("network-namespace", new_network_namespace);
  try_apart("host-name", other_host_name);
  try_apart("personality", other_personality);
  try_apart("trace", be_traced);
  try_apart("chroot", other_root);
  try_apart("load-module", load_module);
  try_apart("read-kernel-log", read_kernel_log);
  try_apart("mount", own_mount);
  try_apart("make-device", make_device);
  try_apart("real-time", real_time);
  try_apart("own-processor", own_processor);
  try_apart("read-clock", read_clock);
  try_apart("set-clock", set_clock);
  say("no-new-privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  return 0;
}
