/*
 * gz_plugin.h - how a collector plugin and gz-monitor speak to each other.
 *
 * This file is the documentation of record: what it does not promise may change. It is C11 and C++17
 * and needs nothing but the C library's headers.
 *
 * A plugin is a shared object that exports one data symbol, `gz_plugin`. It leads to the descriptors
 * of one or more collectors, which the host reads without running any of the plugin's code. A life:
 *
 *     init(host, config, &instance, &error)      once; the instance is the plugin's own
 *       collect(instance, sink, &error)          once per interval
 *       reload(instance, config, &error)         when the operator has changed the configuration
 *     destroy(instance)                          once, and then nothing
 *
 * By default the host runs a plugin in a process of its own, so that its faults hurt nobody; with
 * `isolation = "inline"` it runs inside the daemon. A plugin cannot tell which, and works in both if
 * it keeps to "What a plugin must not do".
 *
 * Threads. Every function bears a tag:
 *
 *   [exclusive]    Of one instance, no two functions with this tag run at the same time, and what one
 *                  has written the next one sees. They need not run on the same thread. Different
 *                  instances, of the same collector too, run at the same time: what they share
 *                  (static variables) the plugin guards. `init` counts as a function of the
 *                  instance that it makes.
 *   [thread-safe]  May be called from any thread at any time, also from within any other function.
 *
 * The host never calls a plugin from within one of the host's own functions, and none of these waits
 * for the plugin: a plugin may call them with its own locks held.
 *
 * Strings are borrowed: UTF-8, a pointer and a length in bytes, not ended by NUL. The two exceptions
 * are the ids of extensions (constants ended by NUL) and `gz_root.path` (bytes). {NULL, 0} is the
 * empty string; NULL with a length is a breach.
 *
 * Memory. Nothing that one side has allocated is freed by the other. A pointer that is passed to a
 * function is valid until that function returns, unless its own comment says otherwise; the callee
 * copies what it wants to keep. This goes for both directions: the host copies samples within
 * `emit`, log lines within `log`, error texts before it calls again.
 *
 * Versions. GZ_ABI_MAJOR changes when old plugins can no longer be understood; a host refuses a
 * plugin of another major without looking further. Within a major, a minor only appends fields to
 * the ends of structs and adds extensions. Each struct says its size as its author knew it, in
 * `struct_size`, or in `stride` for the samples of `emit`. A reader copies the smaller of that size
 * and its own into a zeroed local of its own type: fields unknown to the reader are not looked at,
 * fields unknown to the writer are zero, which always means "not there". A struct shorter than it
 * was in minor 0 is refused. Reserved fields are zero. `gz_str` and `gz_label` bear no size and never
 * change; nor do, in any major, the first three fields of `gz_plugin_entry` and `gz_host`.
 * Whoever calls a function that a later minor than 0 brought checks first that it is there.
 *
 * What a plugin must not do:
 *
 *   - write to standard output or read standard input: in a child they carry the host's protocol.
 *     Standard error is fine: its lines become log lines, though `log` is better;
 *   - close or replace file descriptors that it did not open;
 *   - let an exception, a panic or a longjmp leave one of its functions;
 *   - keep a pointer past its life: a sink after `collect`, a host after `destroy`;
 *   - leave threads running when `destroy` returns that still call the host, or that touch the
 *     instance; or leave child processes that nobody waits for;
 *   - change what belongs to the whole process: environment, working directory, locale, umask,
 *     signal handlers and masks, resource limits; call exit(), abort(), fork() without exec;
 *   - count on `destroy`: a process that hangs or outlives its time is killed, so what has to be
 *     undone lies where the next start finds it;
 *   - count on being unloaded: it never is.
 */
#ifndef GZ_PLUGIN_H
#define GZ_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GZ_ABI_MAJOR 1u
#define GZ_ABI_MINOR 0u

/* Bounds. What exceeds one is refused by the host; the daemon's own limits may be lower. */
#define GZ_COLLECTORS_MAX 64u       /* descriptors in one plugin */
#define GZ_ID_MAX 64u               /* bytes */
#define GZ_VERSION_MAX 64u          /* bytes */
#define GZ_SUMMARY_MAX 512u         /* bytes */
#define GZ_SCHEMA_MAX 65536u        /* bytes */
#define GZ_STRUCT_SIZE_MAX 4096u    /* bytes: any struct_size, and stride */
#define GZ_CONFIG_MAX 1048576u      /* bytes of a configuration as JSON */
#define GZ_EMIT_COUNT_MAX 1048576u  /* samples in one call of emit */
#define GZ_LABELS_MAX 64u           /* labels of one sample */
#define GZ_SAMPLE_TEXT_MAX 4096u    /* bytes of a sample's name, of a label's key, of its value */
#define GZ_LOG_TEXT_MAX 4096u       /* bytes; a longer log line is cut */
#define GZ_ERROR_TEXT_MAX 248u      /* bytes: the size of gz_error.message */

/* A borrowed string; see "Strings" and "Memory". */
typedef struct gz_str {
  const char *ptr;
  size_t len; /* bytes */
} gz_str;

/* A gz_str of a string literal, also in a static initializer: gz_str name = GZ_STR("up"); */
#define GZ_STR(literal) { (literal), sizeof(literal) - 1 }

/* A gz_str of a string that ends in NUL. */
static inline gz_str gz_str_of(const char *text) {
  gz_str str;
  str.ptr = text;
  str.len = text ? strlen(text) : 0;
  return str;
}

/*
 * What a function has to say. A host takes a status that is not in this list for GZ_ERR_INTERNAL.
 *
 *                       of init                    of collect                 of reload
 *   GZ_OK               the instance is kept       the samples are kept       the new configuration
 *                                                                             is in force
 *   GZ_NO_DATA          nothing to measure on      nothing to report now;     as GZ_ERR_INTERNAL
 *                       this machine: not tried    not a failure
 *                       again before a reload,
 *                       not a failure
 *   GZ_RESTART          as GZ_ERR_INTERNAL         as GZ_ERR_INTERNAL         destroy, then init with
 *                                                                             the new configuration
 *   GZ_ERR_CONFIG       not tried again before     stopped until a reload     the old configuration
 *                       a reload                                              stays in force
 *   GZ_ERR_UNAVAILABLE  tried again, ever later    a failure; tried again,    the old configuration
 *                                                  ever later                 stays in force
 *   GZ_ERR_INTERNAL     as GZ_ERR_UNAVAILABLE, and counted apart
 *   GZ_ERR_PANIC        tried again, ever later    destroyed; init again,     destroyed; init again,
 *                                                  ever later                 ever later
 *
 * Samples emitted before an error are kept. After a failed init there is no instance and `destroy`
 * is not called; whatever init had begun it has undone itself.
 */
typedef int32_t gz_status;
enum {
  GZ_OK = 0,
  GZ_NO_DATA = 1,
  GZ_RESTART = 2,
  GZ_ERR_CONFIG = -1,      /* the configuration cannot work */
  GZ_ERR_UNAVAILABLE = -2, /* what is measured cannot be reached now */
  GZ_ERR_INTERNAL = -3,    /* the plugin met something that it does not understand */
  GZ_ERR_PANIC = -4        /* the instance broke half-way and is fit for `destroy` only */
};

/*
 * Where a function puts the text of its error, for people: what failed, on what, why. The host owns
 * the slot and empties it (len 0) before each call; it reads it after any status but GZ_OK.
 */
typedef struct gz_error {
  uint32_t struct_size;
  uint32_t len;                    /* bytes of message in use, at most GZ_ERROR_TEXT_MAX */
  char message[GZ_ERROR_TEXT_MAX]; /* UTF-8, not ended by NUL */
} gz_error;

/* Puts `text` (ends in NUL) into the slot, cut between characters if need be, and returns `status`:
 * return gz_fail(error, GZ_ERR_UNAVAILABLE, "no such device"); */
static inline gz_status gz_fail(gz_error *error, gz_status status, const char *text) {
  size_t len = text ? strlen(text) : 0;
  /* Not sizeof: the host's slot may be that of an older minor. */
  if (!error || error->struct_size < offsetof(gz_error, message) + GZ_ERROR_TEXT_MAX) return status;
  if (len > GZ_ERROR_TEXT_MAX) {
    len = GZ_ERROR_TEXT_MAX;
    while (len > 0 && ((unsigned char)text[len] & 0xC0u) == 0x80u) len--;
  }
  if (len > 0) memcpy(error->message, text, len);
  error->len = (uint32_t)len;
  return status;
}

/* What a sample's value means. A sample of another kind is refused. */
enum {
  GZ_GAUGE = 0,  /* a value that goes up and down */
  GZ_COUNTER = 1 /* a total that only grows, until its source restarts at zero */
};

/* A key and a value: the key as Prometheus has it, [a-zA-Z_][a-zA-Z0-9_]*, and not beginning in two
 * underscores; the value any UTF-8. */
typedef struct gz_label {
  gz_str key;
  gz_str value;
} gz_label;

/*
 * One reading. The name is as Prometheus has it: snake_case, base units (seconds, bytes, ratios),
 * the unit last: `node_memory_free_bytes`; a counter ends in `_total`. A name and its set of labels
 * is a series, and comes once per collection.
 */
typedef struct gz_sample {
  gz_str name;
  const gz_label *labels; /* label_count of them, each key once; NULL if there are none */
  size_t label_count;
  double value;    /* NaN and infinities are the operator's policy, and refused by default */
  int64_t unix_ns; /* nanoseconds since 1970-01-01 UTC; 0: the host takes the time of collection */
  uint32_t kind;   /* GZ_GAUGE or GZ_COUNTER */
  uint32_t reserved;
} gz_sample;

/* Takes samples. The host's; valid within the call of `collect` that it was passed to. */
typedef struct gz_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void *ctx; /* the host's */

  /*
   * Copies `count` samples that lie `stride` bytes apart; `stride` is sizeof(gz_sample), which is
   * how a host of another minor finds the next one. One call with many samples costs less than many
   * calls. Only from the thread that `collect` runs on. [exclusive]
   *
   *   GZ_OK               taken. Single samples may have been refused (a bad name, too many labels);
   *                       that is counted, logged and shown, the rest is kept.
   *   GZ_ERR_UNAVAILABLE  no more is taken in this collection: a limit is reached, or the result is
   *                       no longer wanted. `collect` should return soon, with GZ_OK.
   *   GZ_ERR_INTERNAL     the arguments make no sense (NULL, a stride that is too short or not a
   *                       multiple of the alignment, a count past the bound); nothing was taken.
   */
  gz_status (*emit)(const struct gz_sink *sink, const gz_sample *samples, size_t count,
                    size_t stride);
} gz_sink;

/* How serious a log line is. The host takes any other number for GZ_LOG_INFO. */
enum {
  GZ_LOG_ERROR = 1, /* something failed */
  GZ_LOG_WARN = 2,  /* something is wrong and the collector goes on */
  GZ_LOG_INFO = 3,  /* worth a line in normal operation */
  GZ_LOG_DEBUG = 4  /* for whoever looks for a fault */
};

/*
 * The program that runs the collector, as one instance sees it. The host's; valid from the call of
 * `init` until `destroy` returns, or until `init` returns if that fails. Pass the pointer that `init`
 * was given; a copy of the struct will not do. No function here is NULL.
 */
typedef struct gz_host {
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t struct_size;
  uint32_t reserved;
  void *ctx; /* the host's */

  /* Writes a line that bears the collector's name. Lines past a rate are dropped and counted.
   * [thread-safe] */
  void (*log)(const struct gz_host *host, int32_t level, gz_str message);

  /* Not zero once the result of the present call is no longer wanted: its deadline has passed, or
   * the collector is being removed. A long `collect` asks now and then, and returns early.
   * [thread-safe] */
  int32_t (*cancelled)(const struct gz_host *host);

  /* Asks for a collection before the interval is over, say after an event. Requests made before the
   * collection begins count as one, and the host may hold them back: to a least interval, or to
   * the collector's own, as it does for a child. [thread-safe] */
  void (*request_collect)(const struct gz_host *host);

  /* What this header does not have, by id, "gz.NAME/REVISION"; NULL if the host does not know it.
   * What it points to is as valid as the host. Ids that begin in "gz." are this header's. A revision
   * that changes its meaning is another id. [thread-safe] */
  const void *(*get_extension)(const struct gz_host *host, const char *id);
} gz_host;

/*
 * Host extension: where the monitored machine's files are. Its root is "/" where the extension is
 * missing; in a container it is where the machine's is mounted, in a test a fixture. A plugin that
 * reads /proc or /sys puts this path before.
 */
#define GZ_EXT_ROOT "gz.root/1"
typedef struct gz_root {
  uint32_t struct_size;
  uint32_t reserved;
  gz_str path; /* absolute; bytes as the kernel has them, so perhaps not UTF-8 */
} gz_root;

/*
 * One kind of collector: static data, unchanging while the plugin is loaded. The strings have no
 * control characters (config_schema may have white space).
 */
typedef struct gz_collector {
  uint32_t struct_size;
  uint32_t interval_ms; /* milliseconds between collections, suggested: the configuration wins. 0: the
                           host's own default */
  gz_str id;            /* [a-z][a-z0-9_-]*, once per plugin; the configuration names it */
  gz_str version;       /* the plugin's own, for people */
  gz_str summary;       /* one line for people, not empty */
  gz_str config_schema; /* JSON Schema of the configuration; empty if there is none */

  /*
   * Makes an instance. `config_json` is a JSON object, "{}" if nothing is configured; keys that mean
   * nothing here are best refused with GZ_ERR_CONFIG. On GZ_OK `*instance` is what the other
   * functions get; the host never looks at it, and NULL is as good as any. Anything that cannot work
   * on this machine is said here, once, and not at every interval. Not NULL. [exclusive]
   */
  gz_status (*init)(const gz_host *host, gz_str config_json, void **instance, gz_error *error);

  /* Takes one reading and emits it into `sink`. May block up to the collector's deadline; past it, the
   * host gives up and, in a child, kills. Not NULL. [exclusive] */
  gz_status (*collect)(void *instance, const gz_sink *sink, gz_error *error);

  /* Takes a new configuration, or leaves everything as it was. NULL is the same as GZ_RESTART.
   * [exclusive] */
  gz_status (*reload)(void *instance, gz_str config_json, gz_error *error);

  /* Ends the instance, after any status of the functions above; called once. Not NULL. [exclusive] */
  void (*destroy)(void *instance);

  /* As the host's, of what the plugin offers. NULL: nothing. [thread-safe] */
  const void *(*get_extension)(const char *id);
} gz_collector;

/* What the symbol is. Static data, unchanging while the plugin is loaded. */
typedef struct gz_plugin_entry {
  uint32_t abi_major;       /* GZ_ABI_MAJOR */
  uint32_t abi_minor;       /* GZ_ABI_MINOR */
  uint32_t struct_size;     /* sizeof(gz_plugin_entry) */
  uint32_t collector_count; /* from 1 to GZ_COLLECTORS_MAX */
  const gz_collector *const *collectors; /* pointers, so that a collector may be of any size */
} gz_plugin_entry;

#if defined(__GNUC__) || defined(__clang__)
#define GZ_EXPORT __attribute__((visibility("default")))
#else
#define GZ_EXPORT
#endif

/* The plugin defines it, in C best with named initializers, so that fields of later minors are zero:
 * const gz_plugin_entry gz_plugin = { .abi_major = GZ_ABI_MAJOR, .abi_minor = GZ_ABI_MINOR, ... }; */
extern GZ_EXPORT const gz_plugin_entry gz_plugin;

/* The layout, where pointers and size_t have 64 bits; the host's own declarations are held to the
 * same numbers. */
#if UINTPTR_MAX == 0xFFFFFFFFFFFFFFFFu && SIZE_MAX == UINTPTR_MAX
#ifdef __cplusplus
#define GZ_LAYOUT_(condition) static_assert(condition, #condition)
#else
#define GZ_LAYOUT_(condition) _Static_assert(condition, #condition)
#endif
GZ_LAYOUT_(sizeof(gz_str) == 16 && offsetof(gz_str, len) == 8);
GZ_LAYOUT_(sizeof(gz_label) == 32 && offsetof(gz_label, value) == 16);
GZ_LAYOUT_(sizeof(gz_error) == 256 && offsetof(gz_error, len) == 4);
GZ_LAYOUT_(offsetof(gz_error, message) == 8);
GZ_LAYOUT_(sizeof(gz_sample) == 56 && offsetof(gz_sample, labels) == 16);
GZ_LAYOUT_(offsetof(gz_sample, label_count) == 24 && offsetof(gz_sample, value) == 32);
GZ_LAYOUT_(offsetof(gz_sample, unix_ns) == 40 && offsetof(gz_sample, kind) == 48);
GZ_LAYOUT_(offsetof(gz_sample, reserved) == 52);
GZ_LAYOUT_(sizeof(gz_sink) == 24 && offsetof(gz_sink, reserved) == 4);
GZ_LAYOUT_(offsetof(gz_sink, ctx) == 8 && offsetof(gz_sink, emit) == 16);
GZ_LAYOUT_(sizeof(gz_host) == 56 && offsetof(gz_host, abi_minor) == 4);
GZ_LAYOUT_(offsetof(gz_host, struct_size) == 8 && offsetof(gz_host, reserved) == 12);
GZ_LAYOUT_(offsetof(gz_host, ctx) == 16 && offsetof(gz_host, log) == 24);
GZ_LAYOUT_(offsetof(gz_host, cancelled) == 32 && offsetof(gz_host, request_collect) == 40);
GZ_LAYOUT_(offsetof(gz_host, get_extension) == 48);
GZ_LAYOUT_(sizeof(gz_root) == 24 && offsetof(gz_root, reserved) == 4);
GZ_LAYOUT_(offsetof(gz_root, path) == 8);
GZ_LAYOUT_(sizeof(gz_collector) == 112 && offsetof(gz_collector, interval_ms) == 4);
GZ_LAYOUT_(offsetof(gz_collector, id) == 8 && offsetof(gz_collector, version) == 24);
GZ_LAYOUT_(offsetof(gz_collector, summary) == 40 && offsetof(gz_collector, config_schema) == 56);
GZ_LAYOUT_(offsetof(gz_collector, init) == 72 && offsetof(gz_collector, collect) == 80);
GZ_LAYOUT_(offsetof(gz_collector, reload) == 88 && offsetof(gz_collector, destroy) == 96);
GZ_LAYOUT_(offsetof(gz_collector, get_extension) == 104);
GZ_LAYOUT_(sizeof(gz_plugin_entry) == 24 && offsetof(gz_plugin_entry, abi_minor) == 4);
GZ_LAYOUT_(offsetof(gz_plugin_entry, struct_size) == 8);
GZ_LAYOUT_(offsetof(gz_plugin_entry, collector_count) == 12);
GZ_LAYOUT_(offsetof(gz_plugin_entry, collectors) == 16);
#undef GZ_LAYOUT_
#endif

#ifdef __cplusplus
}
#endif

#endif
